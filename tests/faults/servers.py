"""Servers of a fault's own, which it may stop: PostgreSQL with a standby, and pgbouncer."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.caches.servers import free_port
from tests.engines.waiting import until
from tests.requirements import needs_program

USER = "postgres" if os.geteuid() == 0 else None
"""Neither server runs as root."""


@contextmanager
def postgresql() -> Iterator[PostgreSQL]:
    """A server with an empty database."""
    with _home() as home:
        server = PostgreSQL(home / "primary")
        server.run("initdb", f"--pgdata={server.data}", "--username=postgres", "--auth=trust")
        server.start()
        try:
            yield server
        finally:
            server.stop()


class PostgreSQL:
    """A server in a directory of its own, on a port of its own."""

    def __init__(self, data: Path) -> None:
        self.data, self.port = data, free_port()
        self.url = f"postgres://postgres@127.0.0.1:{self.port}/faults"

    def start(self, settings: str = "") -> None:
        options = f"-p {self.port} -k {self.data} -c max_connections=200 {settings}"
        log = f"--log={self.data}.log"
        self.run("pg_ctl", f"--pgdata={self.data}", log, "--options", options, "--wait", "start")

    def stop(self) -> None:
        """As a power cut would: no connection is told, and nothing is tidied up."""
        self.run("pg_ctl", f"--pgdata={self.data}", "--mode=immediate", "--wait", "stop")

    @contextmanager
    def standby(self, seconds: float) -> Iterator[PostgreSQL]:
        """A replica that shows each commit so many seconds late."""
        other = PostgreSQL(self.data.with_name("standby"))
        to = ("--write-recovery-conf", "--checkpoint=fast", f"--pgdata={other.data}")
        self.run("pg_basebackup", f"--dbname={self.url.replace('/faults', '/postgres')}", *to)
        other.start(f"-c recovery_min_apply_delay={seconds}s")
        try:
            yield other
        finally:
            other.stop()

    def run(self, name: str, *args: str) -> None:
        command = [_postgresql_program(name), *args]
        with tempfile.TemporaryFile("w+") as output:  # a pipe would end with the server alone
            done = subprocess.run(
                command, user=USER, cwd=self.data.parent, stdout=output, stderr=output
            )
            output.seek(0)
            assert done.returncode == 0, output.read()


class PgBouncer:
    """A pooler that gives a session of PostgreSQL away for one transaction at a time."""

    def __init__(self, home: Path, target: int, sessions: int) -> None:
        self.port, self.home = free_port(), home
        self.config = home / "pgbouncer.ini"
        self.config.write_text(f"""
[databases]
* = host=127.0.0.1 port={target} user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {self.port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {sessions}
max_client_conn = 500
""")
        self.start()

    def start(self) -> None:
        command = [needs_program("pgbouncer"), str(self.config)]
        with (self.home / "pgbouncer.log").open("ab") as log:
            self._process = subprocess.Popen(
                command, user=USER, cwd=self.home, stdout=log, stderr=log
            )
        until(lambda: answers(self.port))

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


@contextmanager
def pgbouncer(target: int, sessions: int = 3) -> Iterator[PgBouncer]:
    """A pooler before the PostgreSQL at this port, with so few sessions that they are mixed."""
    with _home() as home:
        pooler = PgBouncer(home, target, sessions)
        try:
            yield pooler
        finally:
            pooler.kill()


def answers(port: int) -> bool:
    """Whether something accepts connections there."""
    with socket.socket() as probe:
        return not probe.connect_ex(("127.0.0.1", port))


@contextmanager
def _home() -> Iterator[Path]:
    """A directory that belongs to the servers' user; pytest's own are closed to it."""
    home = Path(tempfile.mkdtemp(prefix="faults-", dir="/tmp"))
    if USER:
        shutil.chown(home, USER)
    try:
        yield home
    finally:
        shutil.rmtree(home)


def _postgresql_program(name: str) -> str:
    """Debian keeps those of the server out of PATH."""
    debian = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return str(debian[-1]) if debian else needs_program(name)
