"""The same for readers of German."""

from tests.browser.settings import *  # noqa: F403

LANGUAGE_CODE = "de"
