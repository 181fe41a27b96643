"""The same under django-unfold, whose own pages need a laxer policy: Alpine.js evaluates."""

from tests.browser.settings import *  # noqa: F403
from tests.browser.settings import INSTALLED_APPS, MIDDLEWARE

INSTALLED_APPS = ["unfold", *INSTALLED_APPS]
MIDDLEWARE = [name for name in MIDDLEWARE if name != "tests.browser.csp.strict"]
