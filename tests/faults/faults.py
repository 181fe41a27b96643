"""The faults, each with the engines and databases that it is tried on.

A fault hurts a :class:`Site` and has it count what is not as docs/how-to/engines promises.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tests.engines import actions
from tests.engines.brokers import ENGINES
from tests.engines.project import ROOT, Process
from tests.engines.waiting import until
from tests.faults.cost import checkpoints_cost
from tests.faults.crowd import crowd
from tests.faults.databases import database_stopped, pooled, replica_lags
from tests.faults.resumed import deployed, deployed_once, killed_late, killed_often
from tests.faults.servers import PostgreSQL, postgresql
from tests.faults.site import Site, at_site, clock_at
from tests.faults.sources import source, sources_misbehave
from tests.faults.storages import disk_full, disk_read_only, storage_fails
from tests.requirements import needs_database

SQLITE = "sqlite:///faults.sqlite3"
POSTGRESQL = "postgres://postgres@127.0.0.1:5432/faults"
MARIADB = "mysql://root@127.0.0.1:3306/faults"
AT_TWO = MARIADB + "?init_command=SET%20time_zone%3D'%2B02:00'"
OWN = "own postgres"
"""A server of the fault's own."""
DATABASES = {
    SQLITE: "SQLite",
    POSTGRESQL: "PostgreSQL",
    OWN: "PostgreSQL",
    MARIADB: "MariaDB",
    AT_TWO: "MariaDB at +02:00",
}


def clocks_apart(site: Site) -> None:
    """One worker with its sweep is 120 s ahead of the database, the other and the web behind."""
    for seconds in (120, -120):
        with clock_at(seconds, site.project.directory):
            site.keep_workers(len(site.workers) + 1)
            site.project.restart_caller()
            site.project.call(actions.ends, [])
        site.tried += 1
    silent = [site.submit({"seconds": [12]}) for _ in range(2)]
    site.expect_success(60, "success")
    began = time.monotonic()
    retried = site.submit({"seconds": [None]})
    site.expect_success(60)
    site.expect("a retry after 10 to 15 s", 10 <= time.monotonic() - began <= 17)
    site.expect("two attempts", site.row(retried)["outcomes"] == ["retry", "success"])
    site.expect("one run", all(site.project.notes(each) == ["1 runs"] for each in silent))


def taken_and_not_claimed(site: Site, times: int = 5) -> None:
    """The worker is killed while its claim waits for a lock on the row."""
    for _ in range(times):
        site.keep_workers(1)
        until(lambda: "swept" in site.workers[0].log.read_text())
        task_id = site.project.call(actions.create, {})
        site.tasks.append(task_id)
        site.project.call(actions.lock, task_id)
        site.project.call(actions.deliver, task_id, 1)
        time.sleep(site.random.uniform(1, 3))
        site.tried += 1
        site.workers[0].kill()
        site.project.call(actions.unlock)
    began = time.monotonic()
    site.expect_success(120, "success", workers=2)
    site.expect("started within a minute", time.monotonic() - began < 60)


def silent(site: Site) -> None:
    """Handlers that say nothing for three leases."""
    site.keep_workers()
    for _ in range(2):
        site.submit({"seconds": [16]})
        site.tried += 1
    site.expect_success(60, "success")


def picked_up(site: Site) -> None:
    """With the default settings: how soon a killed worker's task runs again, and a retry."""
    site.keep_workers(swept_by_default=True)
    task_id = site.submit({"seconds": [600]})
    worker, _ = site.owner_of(task_id)
    site.tried += 1
    worker.kill()
    seconds = site.seconds_until(lambda: "2 runs" in site.project.notes(task_id))
    site.expect(f"picked up after {seconds:.0f} s", seconds <= 45)
    site.notes.append(f"picked up after {seconds:.0f} s")
    retried = site.submit({"seconds": [None]})
    until(lambda: site.project.notes(retried) == ["1 runs"])
    seconds = site.seconds_until(lambda: "2 runs" in site.project.notes(retried)) - 10
    limit = 12 if site.engine_name == "rq" else 5
    site.expect(f"a retry {seconds:.1f} s late", -1 < seconds <= limit)
    site.notes.append(f"a retry {seconds:.1f} s late")
    site.expect_success(10)


def stopped(site: Site, times: int = 5) -> None:
    """SIGSTOP for longer than a lease, then SIGCONT: the woken worker writes nothing."""
    with source(8) as server:
        for _ in range(times):
            site.keep_workers()
            task_id = site.submit({"import_from": server.url()}, "import")
            worker, _ = site.owner_of(task_id)
            time.sleep(site.random.uniform(0, 4))
            site.tried += 1
            worker.signal(signal.SIGSTOP)
            until(lambda task_id=task_id: site.row(task_id)["attempts"] == 2, 60)
            worker.signal(signal.SIGCONT)
            # Celery's workers run several tasks: a stop would meet the one before, too.
            until(lambda task_id=task_id: site.row(task_id)["finished_at"], 60)
        site.expect_success(60, "lost", "success")


def database_away(site: Site, seconds: float = 120) -> None:
    """The database refuses, and then freezes, between the workers and their tasks."""
    site.keep_workers()
    for break_it in (site.proxy.refusing, site.proxy.freezing):
        task_id = site.submit({"seconds": [seconds + 5]})
        site.submit({"seconds": [3]})
        site.owner_of(task_id)
        site.tried += 1
        with break_it():
            time.sleep(seconds)
        site.keep_workers()  # as a supervisor does, if one has ended
        site.expect_success(90, workers=2)
    for task_id in site.tasks:
        outcomes, runs = site.row(task_id)["outcomes"], site.project.notes(task_id)
        # A claim may be committed whose answer is lost: nobody knows of that attempt.
        is_unknown = (outcomes, runs) == (["lost", "success"], ["2 runs"])
        site.expect(f"{task_id} {outcomes} {runs}", outcomes == ["success"] or is_unknown)


def broker_away(site: Site, seconds: float = 20) -> None:
    """The broker refuses, freezes, is not to be reached, and comes and goes."""
    proxy = site.proxy
    for break_it in (proxy.refusing, proxy.freezing, proxy.swallowing, proxy.flapping):
        site.keep_workers()
        running_id = site.submit({"seconds": [seconds + 5]})
        site.owner_of(running_id)
        site.tried += 1
        with break_it():
            began = time.monotonic()
            site.submit({"seconds": []})
            site.expect("created within 5 s", time.monotonic() - began < 5)
            time.sleep(seconds)
        site.expect_success(120, workers=2)
    outcomes = [site.row(task_id)["outcomes"] for task_id in site.tasks]
    site.expect("no attempt is lost", not any("lost" in each for each in outcomes))


def killed(site: Site, imports: int = 100) -> None:
    """A worker is killed each one to three seconds, until all imports have ended."""
    with source(0.3) as server:
        for _ in range(imports):
            site.submit({"import_from": server.url()}, "import")
        while len(site.ended()) < imports and site.tried < 6 * imports:
            site.keep_workers()
            time.sleep(site.random.uniform(1, 3))
            if not site.workers:  # Celery ends if its beat was killed
                continue
            site.tried += 1
            worker = site.random.choice(site.workers)
            if site.random.random() < 0.5:
                worker.kill()
            else:  # one of its processes alone
                os.kill(site.random.choice(worker.pids()), signal.SIGKILL)
        site.expect_success(120, workers=2)


def sweep_killed(site: Site, times: int = 5) -> None:
    """The process that sweeps beside a worker is killed: another one comes."""
    site.keep_workers(1)
    for _ in range(times):
        pid = until(lambda: sweep_of(site.workers[0]))
        time.sleep(site.random.uniform(0, 3))
        site.hurt(pid, signal.SIGKILL)
        until(lambda pid=pid: sweep_of(site.workers[0]) not in (None, pid))
        site.tasks.append(site.project.call(actions.create, {}))
        site.expect_success(60)


def without_guard(site: Site) -> None:
    """A ``manage.py`` that does its work when it is imported, too."""
    lines = (ROOT / "manage.py").read_text().replace('if __name__ == "__main__":', "if True:")
    program = site.project.directory / "unguarded.py"
    program.write_text(lines)
    _, *args = site.engine.worker(site.project)
    site.project.start(str(program), *args)
    site.tried += 1
    site.tasks.append(site.project.call(actions.create, {}))
    site.expect_success(60, "success")
    site.expect("its sweep lives", "sweep_died" not in site.project.logs())


def receiver_killed(site: Site, times: int = 5) -> None:
    """The worker dies between the record of an import and its ``image_imported``."""
    with source(0.1) as server:
        for _ in range(times):
            site.keep_workers(1)
            (site.project.directory / "die").touch()
            site.submit({"import_from": server.url()}, "import")
            site.tried += 1
            until(lambda: site.keep_workers(1) or not (site.project.directory / "die").exists())
        site.expect_success(60, "success", workers=1)
        site.expect_soon("each is heard", partial(all_heard, site), 120)


def delivered_often(site: Site, times: int = 5) -> None:
    """The same message is delivered twenty times at once."""
    site.keep_workers()
    for _ in range(times):
        site.tried += 1
        task_id = site.project.call(actions.create, {"steps": 20})
        site.tasks.append(task_id)
        site.project.call(actions.deliver, task_id, 20)
        site.expect_success(60, "success")
        site.expect("one run", site.project.notes(task_id) == ["1 runs"])


def all_heard(site: Site) -> bool:
    site.keep_workers(1)  # the last may have killed itself a moment ago
    return all("1 heard" in site.project.notes(task_id) for task_id in site.tasks)


def sweep_of(worker: Process) -> int | None:
    for pid in worker.pids():
        command = Path(f"/proc/{pid}/cmdline")
        if command.exists() and b"sweep_process" in command.read_bytes():
            return pid
    return None


@dataclass(frozen=True)
class Fault:
    hurt: Callable[..., None]
    engines: Sequence[str] = tuple(ENGINES)
    databases: Sequence[str] = (POSTGRESQL,)
    """The queue in the database is tried on all of them, the other engines on the first."""
    environ: Mapping[str, str] = field(default_factory=dict)
    proxied: str = ""
    """What the workers have a proxy before: their "database" or their "broker"."""

    def databases_of(self, engine: str) -> Sequence[str]:
        return self.databases if engine == "django_tasks" else self.databases[:1]


def quick(**settings: object) -> Mapping[str, str]:
    """Settings of ours besides the tests' own; the next attempt comes soon."""
    return {"ENGINE_TESTS_SETTINGS": json.dumps({"NEXT_ATTEMPT_DELAY": 1, **settings})}


WITH_A_BROKER = tuple(name for name, engine in ENGINES.items() if engine.port)
FAULTS = {
    "clocks_apart": Fault(clocks_apart, databases=(POSTGRESQL, MARIADB, AT_TWO)),
    "taken_and_not_claimed": Fault(taken_and_not_claimed),
    "silent": Fault(silent),
    "picked_up": Fault(picked_up, environ={"ENGINE_TESTS_DEFAULTS": "yes"}),
    "deployed": Fault(deployed),
    "stopped": Fault(stopped, databases=(POSTGRESQL, MARIADB, SQLITE)),
    "database_away": Fault(database_away, proxied="database"),
    "broker_away": Fault(broker_away, WITH_A_BROKER, proxied="broker"),
    "sweep_killed": Fault(sweep_killed),
    "without_guard": Fault(without_guard, ("django_tasks", "rq", "procrastinate")),
    "receiver_killed": Fault(receiver_killed),
    "pooled": Fault(pooled),
    "database_stopped": Fault(database_stopped, databases=(OWN,)),
    "replica_lags": Fault(replica_lags, databases=(OWN,)),
    "sources_misbehave": Fault(sources_misbehave, environ=quick(IMPORT_READ_TIMEOUT=3)),
    "disk_full": Fault(disk_full, environ=quick()),
    "disk_read_only": Fault(disk_read_only, environ=quick()),
    "storage_fails": Fault(storage_fails, environ=quick()),
    "delivered_often": Fault(delivered_often),
    "crowd": Fault(crowd),
    "killed": Fault(killed),
    "killed_late": Fault(killed_late),
    "checkpoints_cost": Fault(checkpoints_cost, ("django_tasks",)),
    "killed_often": Fault(killed_often),
    "deployed_once": Fault(deployed_once),
}


@dataclass(frozen=True)
class Tried:
    """What came of one fault on one engine and database."""

    fault: str
    engine: str
    database: str
    times: int
    tasks: int
    lost: Sequence[str]
    notes: Sequence[str]
    seconds: float


def attempt(
    name: str, engine: str, database: str, directory: Path, seed: int, **scale: int
) -> Tried:
    """Try one fault; ``scale`` is what the fault itself takes, for a smaller form of it."""
    fault, began = FAULTS[name], time.monotonic()
    ENGINES[engine].check()
    with (
        reached(database) as (url, server),
        at_site(engine, directory, seed, {"DATABASE_URL": url, **fault.environ}) as site,
    ):
        site.server = server
        if fault.proxied:
            site.put_proxy_before(fault.proxied)
        try:
            fault.hurt(site, **scale)
        except Exception as error:  # a wait that took too long: the table says so, and goes on
            site.lost.append(repr(error))
    seconds = time.monotonic() - began
    return Tried(
        name, engine, database, site.tried, len(site.tasks), site.lost, site.notes, seconds
    )


@contextmanager
def reached(database: str) -> Iterator[tuple[str, PostgreSQL | None]]:
    """The database's URL, and the server if it was started for this fault."""
    if database == OWN:
        with postgresql() as server:
            yield server.url, server
    else:
        needs_database(database)
        yield database, None
