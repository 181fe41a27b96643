import os

from tests.engines.celery_app import app as celery_app  # noqa: F401
from tests.engines.settings.celery import *  # noqa: F403
from tests.engines.settings.celery import NAME

PORT = os.environ.get("ENGINE_TESTS_BROKER_PORT", "6379")
CELERY_BROKER_URL = f"redis://127.0.0.1:{PORT}/0"
CELERY_BROKER_TRANSPORT_OPTIONS = {"global_keyprefix": NAME}
