from tests.engines.settings import *  # noqa: F403
