"""The same for readers who begin at the right. Django's words are Arabic, ours stay English."""

from tests.browser.settings import *  # noqa: F403

LANGUAGE_CODE = "ar"
