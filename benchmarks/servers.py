"""A database server for the benchmarks alone, which nobody can reach over a network.

It needs Debian's ``postgresql`` or ``mariadb-server``. Of their settings only the cache is ours.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from tempfile import TemporaryFile

from benchmarks.place import directory

CACHE = "1G"


def server(database: str) -> AbstractContextManager[None]:
    """Run the database's server for as long as the context lasts."""
    match database:
        case "postgresql":
            return _postgresql(directory(database))
        case "mariadb":
            return _mariadb(directory(database))
        case _:
            return nullcontext()


@contextmanager
def _postgresql(home: Path) -> Iterator[None]:
    user, data = _owned_by("postgres", home), home / "data"
    if not data.exists():
        options = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8"]
        _run([_postgresql_program("initdb"), "-D", str(data), *options], home, user)
    control = [_postgresql_program("pg_ctl"), "-D", str(data), "--wait", "--silent"]
    settings = f"-k {home} -c listen_addresses='' -c shared_buffers={CACHE}B"
    _run([*control, "-l", str(home / "log"), "-o", settings, "start"], home, user)
    try:
        yield
    finally:
        _run([*control, "--mode=fast", "stop"], home, user)


@contextmanager
def _mariadb(home: Path) -> Iterator[None]:
    user, data, socket = _owned_by("mysql", home), home / "data", home / "socket"
    if not data.exists():
        options = ["--skip-test-db", "--auth-root-authentication-method=normal"]
        _run(["mariadb-install-db", "--no-defaults", f"--datadir={data}", *options], home, user)
    settings = [f"--datadir={data}", f"--socket={socket}", f"--innodb-buffer-pool-size={CACHE}"]
    command = ["mariadbd", "--no-defaults", "--skip-networking", *settings]
    with (home / "log").open("ab") as log:
        process = subprocess.Popen(command, user=user, cwd=home, stdout=log, stderr=log)
    try:
        _wait_for_mariadb(process, socket)
        yield
    finally:
        process.terminate()
        process.wait()


def _wait_for_mariadb(process: subprocess.Popen[bytes], socket: Path) -> None:
    ping = ["mariadb-admin", "--no-defaults", "--user=root", f"--socket={socket}", "ping"]
    while subprocess.run(ping, capture_output=True).returncode:
        if process.poll() is not None:
            raise SystemExit(f"mariadbd did not start; see {socket.parent / 'log'}")
        time.sleep(0.2)


def _owned_by(user: str, home: Path) -> str | None:
    """Return the user that the server runs as: root may not, and gives its directory away."""
    if os.geteuid():
        return None
    shutil.chown(home, user)
    return user


def _run(command: Sequence[str], home: Path, user: str | None) -> None:
    # A pipe would never end: the server that pg_ctl starts would hold its other end.
    with TemporaryFile("w+") as output:
        done = subprocess.run(command, user=user, cwd=home, stdout=output, stderr=output)
        output.seek(0)
        if done.returncode:
            raise SystemExit(f"{command[0]} failed:\n{output.read()}")


def _postgresql_program(name: str) -> str:
    """Find a program of PostgreSQL's server, which Debian keeps out of PATH."""
    debian = sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin")))
    program = shutil.which(name, path=os.pathsep.join([*debian[-1:], os.environ["PATH"]]))
    if program is None:
        raise SystemExit(f"There is no {name}: install PostgreSQL's server.")
    return program
