"""Changes for the worse, made one at a time to a copy of the package: a test must notice each.

    python -m tests.mutants [WORD …]

Makes those whose file or text has one of the words, or all, and says of each which test noticed it.
All of them take an hour or two. Ends with 1 if a mutant survives or its tests cannot be run. Each
has :data:`SECONDS`, and no file that it writes gets larger than :data:`LARGEST` bytes.
"""

from __future__ import annotations

import compileall
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from py_compile import PycInvalidationMode
from tempfile import TemporaryDirectory

from tests.mutants import MUTANTS
from tests.mutants.mutant import ROOT, Mutant

PARTS = ("django_image_tasks", "example_project", "tests", "docs")
FILES = ("manage.py", "pyproject.toml", "README.md")
SECONDS = 240
LARGEST = 2**30
PLUGINS = ("pytest_django.plugin", "_hypothesis_pytestplugin")
"""Those that the tests need. All that are installed would take as long to import as Django."""


def main(words: Sequence[str]) -> int:
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST, LARGEST))
    wanted = [each for each in MUTANTS if _is_meant(each, words)]
    with TemporaryDirectory() as name:
        copy = Path(name)
        for part in PARTS:
            shutil.copytree(ROOT / part, copy / part)
        for part in FILES:
            shutil.copy(ROOT / part, copy)
        # Half of a run's time goes to compiling. Checked by its hash, no mutant's code is kept.
        compileall.compile_dir(
            copy, quiet=1, force=True, invalidation_mode=PycInvalidationMode.CHECKED_HASH
        )
        tests = dict.fromkeys(path for each in wanted for path in each.tests)
        if failed := _failure(copy, tests, seconds=3600):
            print(f"Fails without a mutant, too: {failed}")
            return 1
        noticed = sum([_is_noticed(copy, each) for each in wanted])
    print(f"{noticed} of {len(wanted)} noticed")
    return noticed < len(wanted)


def _is_meant(mutant: Mutant, words: Sequence[str]) -> bool:
    return not words or any(word in part for word in words for part in mutant[:3])


def _is_noticed(copy: Path, mutant: Mutant) -> bool:
    path = copy / "django_image_tasks" / mutant.file
    text = path.read_text()
    path.write_text(mutant.applied_to(text))
    what = f"{mutant.file}: {mutant.old!r} -> {mutant.new!r}"
    try:
        failure = _failure(copy, mutant.tests, seconds=SECONDS)
    except RuntimeError as error:
        print(f"CANNOT BE TRIED {what}: {error}", flush=True)
        return False
    finally:
        path.write_text(text)
    print(f"{failure}: {what}" if failure else f"SURVIVED {what}", flush=True)
    return bool(failure)


def _failure(copy: Path, tests: Iterable[str], *, seconds: float) -> str:
    """The first test that fails; empty if none does. Raises RuntimeError if they cannot be run."""
    command = [sys.executable, "-m", "pytest", "-qx", "-p", "no:cacheprovider", "--nomigrations"]
    environment = {
        **os.environ,
        "PYTHONPATH": str(copy),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTEST_PLUGINS": ",".join(PLUGINS),
        "TMPDIR": str(copy),  # for what a test that is killed leaves
    }
    with subprocess.Popen(
        [*command, *tests],
        cwd=copy,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as run:
        try:
            output, _ = run.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:  # a mutant may wait for ever; one that does is noticed
            return f"not over after {seconds} s"
        finally:
            _kill(run.pid)
    if run.returncode not in (0, 1) or "during collection" in output:
        raise RuntimeError(output[-2000:])
    found = re.search(r"^(?:FAILED|ERROR) [^:]+::(\w+)", output, re.MULTILINE)
    return found[1] if found else "a test" * run.returncode


def _kill(session: int) -> None:
    """End a run, and whatever processes it has started."""
    with suppress(ProcessLookupError):
        os.killpg(session, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
