"""How the command ends: its exit codes, and what leads to them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum

from django.core.management import CommandError

from django_image_tasks.exception_handler import as_api_exception, error_response
from django_image_tasks.exceptions import NotMigrated
from django_image_tasks.unmigrated import names_missing_migrations


class Exit(IntEnum):
    """What a script may rely on; 2 is argparse's own, for options it does not know."""

    DONE = 0
    ERROR = 1
    NOT_FOUND = 3
    REFUSED = 4
    TASK_FAILED = 5
    TIMEOUT = 6
    INTERRUPTED = 130
    BROKEN_PIPE = 141


@contextmanager
def refusals() -> Iterator[None]:
    """Raise CommandError, with the API's own message, for what the API would refuse."""
    try:
        with names_missing_migrations():
            yield
    except NotMigrated as error:
        raise CommandError(str(error)) from None
    except Exception as error:
        response = error_response(as_api_exception(error))
        if response.status_code >= 500:
            raise
        [problem] = response.data.values()
        code = {404: Exit.NOT_FOUND, 409: Exit.REFUSED}.get(response.status_code, Exit.ERROR)
        raise CommandError(problem["message"], returncode=code) from None


@contextmanager
def reader_may_leave() -> Iterator[None]:
    """Exit without a message when the reader of a pipe, such as ``head``, has closed it."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        # Python flushes the output as it ends, and would complain about the same pipe again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(Exit.BROKEN_PIPE)
