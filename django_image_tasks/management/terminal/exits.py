"""The exit codes, and how an error becomes one line and one of them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum

from django.core.exceptions import ValidationError
from django.core.management import CommandError

from django_image_tasks.exception_handler import as_api_exception, error_response


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
def reader_may_leave() -> Iterator[None]:
    """The reader of a pipe, as ``head``, may have seen enough: that is no error to tell of."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        # Python must not find out again as it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(Exit.BROKEN_PIPE)


EXIT_OF = {404: Exit.NOT_FOUND, 409: Exit.REFUSED}
"""By the status code that the API would answer with."""


@contextmanager
def in_one_line() -> Iterator[None]:
    """Raise what the API would refuse as CommandError, in the API's words."""
    try:
        yield
    except CommandError:
        raise
    except ValidationError as error:
        raise CommandError(" ".join(error.messages)) from None
    except Exception as error:
        answer = error_response(as_api_exception(error))
        if answer.status_code >= 500:
            raise
        [problem] = answer.data.values()
        code = EXIT_OF.get(answer.status_code, Exit.ERROR)
        raise CommandError(problem["message"], returncode=code) from None
