"""Changes for the worse, made one at a time to a copy of the package: a test must notice each.

    python -m tests.mutants [WORD …]

Runs those whose file or text has one of the words, or all. It takes some minutes. Ends with 1 if a
mutant survives, or if its text is not found exactly once.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
PARTS = ("django_image_tasks", "example_project", "tests", "docs")
SECONDS = 300
"""A mutant may wait for ever. One that does is noticed."""


class Mutant(NamedTuple):
    """A change to one file of the package, and the tests that should fail for it."""

    file: str
    """Below ``django_image_tasks/``."""
    old: str
    new: str
    tests: str
    """Below ``tests/``, with spaces between them."""


def _import(name: str, tests: str, *changes: tuple[str, str]) -> list[Mutant]:
    files = " ".join(f"handlers/test_image_import_{each}.py" for each in tests.split())
    return [Mutant(f"handlers/image_import/{name}.py", *each, files) for each in changes]


def _core(file: str, tests: str, *changes: tuple[str, str]) -> list[Mutant]:
    files = " ".join(f"engine/test_{each}.py" for each in tests.split())
    return [Mutant(file, *each, files) for each in changes]


MUTANTS = [
    *_import(
        "connection",
        "connection stopping download",
        # Of an address that is checked and one that is connected to, a name server makes two.
        (
            "return create_connection((addresses[-1], self.port), seconds)",
            "return create_connection((self.host, self.port), seconds)",
        ),
        (
            "return create_connection((address, self.port), seconds)",
            "return create_connection((self.host, self.port), seconds)",
        ),
        ("not is_trusted(host, port) and not all(", "not is_trusted(host, port) and not any("),
        ("if not is_trusted(host, port) and", "if"),
        ("return is_public(ip_address(address))", "return True"),
        ("        return False\n    return is_public", "        pass\n    return is_public"),
        ("session.trust_env = False", "session.trust_env = True"),
        ('"identity"', '"gzip"'),
        ("[:MAX_ADDRESSES]", ""),
        ("never_redirect=True", "never_redirect=False"),
        ("connected.add_done_callback(_close)", "pass"),
        ("        self._guard.watch(self.sock)", "        pass"),
        ("        self._guard.watch(self._raw)", "        pass"),
        ("            yield session", "            session.verify = False; yield session"),
    ),
    *_import(
        "response",
        "download response_header stopping",
        ("IMPORT_MAX_REDIRECTS + 1)", "IMPORT_MAX_REDIRECTS + 2)"),
        ("IMPORT_MAX_REDIRECTS + 1)", "IMPORT_MAX_REDIRECTS)"),
        ("return parse(target)", "return Source('http', 'localhost', 1, target)"),
        ('not in ("", "identity")', "== 'gzip'"),
        ("if status == 200 or (ranged and", "if 200 <= status < 300 or (ranged and"),
        ("(ranged and status in (206, 416))", "status in (206, 416)"),
        ("status >= 500 or", "status > 500 or"),
        ("(408, 425, 429)", "(408, 425)"),
        ("timedelta(days=1))", "timedelta(days=9999))"),
        ("max(wait, timedelta())", "wait"),
    ),
    *_import(
        "download",
        "download stopping",
        ("        self.file.truncate()\n", ""),
        ("        self.file.seek(0)\n", ""),
        ("if size > self.max_size", "if size >= self.max_size"),
        ("self._check_size(self.done)", "pass"),
        ("self._check_size(self.total or 0)", "pass"),
        ("elif self.done != self.total", "elif self.done > self.total"),
        ("if self.done == 0:", "if False:"),
        ("int(match[1]) != self.done", "int(match[1]) < self.done"),
        ("return same_image and match[2] in", "return match[2] in"),
        ('return same_image and match[2] in ("*", str(self.total))', "return same_image"),
        ("fruitless >= RESUMPTIONS", "fruitless > RESUMPTIONS"),
        ("or wait > LONGEST_PAUSE", ""),
        ("self.done - done < conf.IMPORT_MIN_RATE * seconds", "False"),
        ("if seconds < conf.IMPORT_READ_TIMEOUT", "if seconds < 3600"),
        ("            self._check_time()  # without", "            pass  # without"),
        ('"If-Range": self.validator', '"X-If-Range": self.validator'),
        ("return etag if etag.startswith('\"')", "return etag if etag"),
        ("min(conf.IMPORT_TIMEOUT, left)", "conf.IMPORT_TIMEOUT"),
        ("min(conf.IMPORT_TIMEOUT, left)", "left"),
        ("self.digests.update(chunk)", "self.digests.update(chunk[:-1])"),
    ),
    *_import(
        "source",
        "source",
        ('if "@" in unquote(authority)', 'if "@" in authority'),
        ('if scheme in ("file", "filesystem")', 'if scheme == "file"'),
        ("scheme in conf.IMPORT_ALLOWED_SCHEMES and scheme", "scheme"),
        (" and uri.isprintable()", ""),
        (' and " " not in uri', ""),
        ("and port in conf.IMPORT_ALLOWED_PORTS", ""),
        ("(_may_be_public(host) and", "(bool(host) and"),
        ("    if address.ipv4_mapped:".strip(), "if False:"),
        ("address.scope_id or address", "address"),
        (" or address not in GLOBAL_UNICAST", ""),
        ("if any(address in network for network in NOT_PUBLIC)", "if False"),
        (" and not address.is_multicast", ""),
        ("return address.is_global and", "return"),
        ("0 < port < 65536", "0 <= port < 65536"),
        ("0 < port < 65536", "0 < port <= 65536"),
        ('host != "localhost" and', ""),
        (' and not host.endswith(".localhost")', ""),
        ('.replace("\\N{IDEOGRAPHIC FULL STOP}", ".")', ""),
        ('.removesuffix(".")', ""),
        ("str(address.ipv4_mapped or address)", "str(address)"),
        ('"161.26.0.0/16"', '"161.26.0.0/17"'),
        ('"166.8.0.0/14"', '"166.8.0.0/15"'),
        ('"168.63.129.16/32"', '"168.63.129.17/32"'),
        ('"192.80.8.124/32"', '"192.80.8.125/32"'),
        ('"2002::/16"', '"2002::/17"'),
        ('"2001::/23"', '"2001::/32"'),
        ('"3fff::/20"', '"3fff::/21"'),
        ('"192.88.99.0/24"', '"192.88.99.0/25"'),
        ('"192.0.0.0/24"', '"192.0.0.0/29"'),
    ),
    *_import(
        "response_header",
        "response_header",
        ("range(MAX_INTERIM + 1)", "range(MAX_INTERIM)"),
        ("range(MAX_INTERIM + 1)", "range(MAX_INTERIM + 2)"),
        ('not in ([], ["chunked"])', 'not in ([], ["chunked"], ["gzip", "chunked"])'),
        ("if codings and lengths", "if False"),
        ("if len(lengths) > 1", "if len(lengths) > 2"),
        ("if not all(LENGTH.fullmatch(", "if not all(LENGTH.match("),
        ("            assert_header_parsing(self.headers)", "            pass"),
        ("if self.in_header and not", "if False and not"),
    ),
    *_import(
        "storage",
        "storage",
        ("range(1, context.attempt)", "range(1, context.attempt - 1)"),
        ("range(1, context.attempt)", "range(1, context.attempt + 1)"),
        ("        _remove(storage, name)\n        if", "        if"),
        ("    storage.delete(name + PART)\n    part", "    part"),
        ("        storage.delete(name)\n        return", "        return"),
        ("save(name + PART, file)", "save(name + '.a', file)"),
        ("            connections.close_all()", "            pass"),
    ),
    Mutant(
        "services.py",
        "image_id=task.image_id,",
        "",
        "engine/test_services.py engine/test_executor.py",
    ),
    Mutant(
        "handlers/image_import/__init__.py",
        'if "image_id" in input else uuid5(task_id, "image")',
        'if False else uuid5(task_id, "image")',
        "handlers/test_image_import.py",
    ),
    Mutant(
        "handlers/image_import/__init__.py",
        "declared.check_digest(image.digests)",
        "pass",
        "handlers/test_image_import.py",
    ),
    Mutant(
        "executor.py",
        "task.schedule_next_attempt(message, delay)\n        leftovers.discard(task.leftover())",
        "task.schedule_next_attempt(message, delay)",
        "engine/test_leftovers.py engine/test_executor.py",
    ),
    Mutant("scratch.py", "path.chmod(0o700)", "path.chmod(0o755)", "engine/test_scratch.py"),
    Mutant("scratch.py", "root.st_mode & 0o077", "root.st_mode & 0o007", "engine/test_scratch.py"),
    *_core(
        "models/task.py",
        "transitions executor heartbeat turns announcements sweep leftovers",
        (
            "row = self._row_if(Status.PENDING, attempts=self.attempts)\n        now",
            "row = self._row_if(Status.PENDING)\n        now",
        ),
        (
            "return self.row_if_held(leased, cancel_requested_at=None)",
            "return self.row_if_held(leased)",
        ),
        (
            "return self.row_if_held(leased, cancel_requested_at=None)",
            "return self.row_if_held(cancel_requested_at=None)",
        ),
        ("row = self.row_if_held(cancel_requested_at__isnull=False)", "row = self.row_if_held()"),
        (
            "self.failed_attempts + 1 < conf.MAX_ATTEMPTS",
            "self.failed_attempts < conf.MAX_ATTEMPTS",
        ),
        ("self.failed_attempts + 1 < conf.MAX_ATTEMPTS", "self.attempts < conf.MAX_ATTEMPTS"),
        (
            "uncancelled = self.row_if_held(expired, cancel_requested_at=None)",
            "uncancelled = self.row_if_held(cancel_requested_at=None)",
        ),
        ("lost = self.row_if_held(expired)", "lost = self.row_if_held()"),
        ("done = heard or self.announcements >= ANNOUNCEMENTS", "done = True"),
        ("done = heard or self.announcements >= ANNOUNCEMENTS", "done = heard"),
        ("ended_at=now if handler_returned else None", "ended_at=now"),
        ("leftover.due_at = now + conf.TASK_TIMEOUT", "pass"),
        ("if ended and outcome != Outcome.SUCCESS:", "if False:"),
        ('"turn": None,\n            "progress": 0', '"progress": 0'),
        ("progress=100, result=result", "progress=99, result=result"),
    ),
    *_core(
        "claims.py",
        "turns executor sweep",
        ("if not limits.may_run_more(task.owner):", "if False:"),
        ("at_limit.add(task.owner)", "return None"),
        ("if task is None and give_turns() else task", "if False else task"),
        ("return conf.TASK_TIMEOUT + conf.LEASE", "return conf.LEASE / 100_000"),
        ("leftovers.discard(task.leftover())", "pass"),
    ),
    *_core(
        "querysets.py",
        "turns sweep executor announcements",
        ("max(turn or 0, own + 1)", "max(turn or 0, own)"),
        (
            'return due.order_by("turn", "created_at", "id")',
            'return due.order_by("created_at", "id")',
        ),
        ("return self.expired(now).filter(announce_at=None)", "return self.expired(now)"),
        ("is_due = Q(available_at=None) | Q(available_at__lte=DatabaseNow())", "is_due = Q()"),
        ("rows._db = router.db_for_write(self.model)", "rows._db = router.db_for_read(self.model)"),
    ),
    *_core(
        "sweep.py",
        "sweep announcements leftovers races",
        ("if unless_within is not None and seen.is_recent:", "if False:"),
        ("return seen.waiting_id == seen.next_id and not seen.is_ticket_recent", "return True"),
        ("return seen.waiting_id == seen.next_id and not seen.is_ticket_recent", "return False"),
        ("time.sleep(SECOND_LOOK)", "pass"),
        ("task.claim_announcement()", "pass"),
    ),
    *_core(
        "executor.py",
        "executor turns sweep heartbeat announcements leftovers",
        ("if not isinstance(result, Mapping):", "if False:"),
        ("if left:", "if False:"),
        ("return _record_of(context.reason or error, task)", "return _record_of(error, task)"),
        ("if goes_on and claims.next_due():", "if claims.next_due():"),
        ("if goes_on and claims.next_due():", "if False:"),
        ("heartbeat.of_this_process().wait_for_look()", "raise"),
        ("task.note_that_handler_returned()", "pass"),
        ("if raised:\n        raise raised", "if False:\n        raise raised"),
        (
            "            return partial(_hand_over, task)",
            "            return partial(_fail, task, str(error))",
        ),
    ),
    *_core(
        "heartbeat.py",
        "heartbeat",
        ('elif row["cancel_requested_at"]:', "elif False:"),
        ("elif context.is_overdue:", "elif False:"),
        ("elif self.must_be_handed_over:", "elif False:"),
        (
            'elif row["is_expired"] or time.monotonic() >= self.renewed_at + lease_seconds() / 3:',
            "elif False:",
        ),
        ("time.monotonic() - self.told_at >= grace", "True"),
        ("tickets.publish(self.context.task_id)", "pass"),
    ),
    *_core(
        "context.py",
        "heartbeat executor",
        ("if len(self._connection.atomic_blocks) > self._depth:", "if False:"),
        ("for callback in callbacks:", "for callback in []:"),
        ("if not self.has_heartbeat:\n            self._find_out()", "pass"),
    ),
]
"""Sorted by room. A guarantee that is added brings its own.

Two that no test can notice are not among them: the worker's name beside the attempt's number, which
alone is never given twice, and the storage's check() before a file that asks at each read.
"""


def main(words: Iterable[str]) -> int:
    wanted = [each for each in MUTANTS if _is_meant(each, [*words])]
    with TemporaryDirectory() as name:
        copy = Path(name)
        for part in PARTS:
            shutil.copytree(ROOT / part, copy / part)
        for part in ("manage.py", "pyproject.toml", "README.md"):
            shutil.copy(ROOT / part, copy)
        if not _passes(copy, " ".join(dict.fromkeys(each.tests for each in wanted))):
            print("The tests fail without a mutant, too.")
            return 1
        survivors = [each for each in wanted if not _is_noticed(copy, each)]
    print(f"{len(wanted) - len(survivors)} of {len(wanted)} noticed")
    return bool(survivors)


def _is_meant(mutant: Mutant, words: list[str]) -> bool:
    return not words or any(word in part for word in words for part in mutant[:3])


def _is_noticed(copy: Path, mutant: Mutant) -> bool:
    path = copy / "django_image_tasks" / mutant.file
    text = path.read_text()
    if text.count(mutant.old) != 1:
        print(f"NOT FOUND ONCE {mutant.file}: {mutant.old!r}", flush=True)
        return False
    path.write_text(text.replace(mutant.old, mutant.new))
    try:
        noticed = not _passes(copy, mutant.tests)
    finally:
        path.write_text(text)
    if not noticed:
        print(f"SURVIVED {mutant.file}: {mutant.old!r} -> {mutant.new!r}", flush=True)
    return noticed


def _passes(copy: Path, tests: str) -> bool:
    """Whether these tests pass; raises RuntimeError if they cannot be run at all."""
    files = [f"tests/{each}" for each in dict.fromkeys(tests.split())]
    command = [sys.executable, "-m", "pytest", "-qx", "-p", "no:cacheprovider", *files]
    environment = {**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        ended = subprocess.run(
            command, cwd=copy, env=environment, timeout=SECONDS, capture_output=True, text=True
        )
    except subprocess.TimeoutExpired:
        return False
    if ended.returncode not in (0, 1) or "during collection" in ended.stdout:
        raise RuntimeError(f"{tests} cannot be run: {ended.stdout[-2000:]}")
    return ended.returncode == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
