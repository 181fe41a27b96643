from tests.engines.settings import *  # noqa: F403
from tests.settings import TASKS  # noqa: F401
