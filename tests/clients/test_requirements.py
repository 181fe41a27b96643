from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

from tests.requirements import needs, needs_program

lacking = pytest.mark.parametrize(
    "ask", [lambda: needs("no_such_package.inner"), lambda: needs_program("no-such-program")]
)


@lacking
def test_a_test_that_lacks_something_is_skipped(
    ask: Callable[[], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CI", raising=False)

    with pytest.raises(pytest.skip.Exception, match=r"Needs the .*no.such"):
        ask()


@lacking
def test_a_test_that_lacks_something_fails_in_ci(
    ask: Callable[[], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "true")

    with pytest.raises(pytest.fail.Exception, match=r"CI must have the .*no.such"):
        ask()


def test_what_is_there_is_given() -> None:
    assert needs("http.client") is sys.modules["http.client"]
    assert needs_program("python3").endswith("python3")
