import os

from tests.engines.celery_app import app as celery_app  # noqa: F401
from tests.engines.settings.celery import *  # noqa: F403

PORT = os.environ.get("ENGINE_TESTS_BROKER_PORT", "5672")
CELERY_BROKER_URL = f"amqp://guest:guest@127.0.0.1:{PORT}//"
