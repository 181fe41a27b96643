"""Faults of PostgreSQL and of what stands before it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event

from tests.engines import actions
from tests.engines.waiting import until
from tests.faults.servers import pgbouncer
from tests.faults.site import Site
from tests.faults.sources import source


def pooled(site: Site, times: int = 5) -> None:
    """All goes through pgbouncer in transaction mode, which is killed and started again."""
    if site.engine_name == "procrastinate":  # its worker listens, and needs a session of its own
        site.project.environ["ENGINE_TESTS_BROKER_PORT"] = "5432"
    with source(1) as server, pgbouncer(5432) as pooler, site.with_database_at(pooler.port):
        site.start_web()
        for _ in range(times):
            site.keep_workers()
            for _ in range(4):
                site.expect("201", site.post({"import_from": server.url()}, "import") == 201)
            status, _ = site.ask("GET", "?sort_key=expires_at")  # by SET LOCAL statement_timeout
            site.expect("a list with a limit of its own", status == 200)
            site.expect("the export is whole", site.project.call(actions.export) == site.tasks)
            pooler.kill()
            time.sleep(site.random.uniform(0, 2))
            pooler.start()
            site.project.restart_caller()
            site.tried += 1
        site.expect_success(90, workers=2)


def database_stopped(site: Site, times: int = 5) -> None:
    """PostgreSQL is stopped in immediate mode, again and again, while tasks come and run."""
    site.start_web()
    with source(0.3) as server:
        with posting(site, server.url()) as answers:
            for _ in range(times):
                site.keep_workers()
                time.sleep(site.random.uniform(2, 5))
                site.tried += 1
                site.server.stop()
                time.sleep(site.random.uniform(0, 5))
                site.server.start()
                site.project.restart_caller()
        created = site.project.call(actions.all_tasks)
        site.expect("each that was accepted is there", {*site.tasks} <= {*created})
        site.tasks = created  # a 503 may have come of a commit whose answer was lost
        site.expect_success(180, workers=2)
    site.expect(f"nothing but 201 and 503: {answers}", {*answers} <= {201, 503})
    site.notes.append(f"{answers.count(201)} × 201, {answers.count(503)} × 503")


@contextmanager
def posting(site: Site, url: str, pause: float = 0.3) -> Iterator[list[int]]:
    """A client that asks for one import after the other; the block is given the answers."""
    answers: list[int] = []
    over = Event()

    def post() -> None:
        while not over.wait(pause):
            answers.append(site.post({"import_from": url}, "import"))

    with ThreadPoolExecutor(1) as thread:
        posted = thread.submit(post)
        try:
            yield answers
        finally:
            over.set()
        posted.result()


def replica_lags(site: Site, times: int = 10, seconds: float = 5) -> None:
    """Workers and web read from a standby that is so late; a worker is killed."""
    with site.server.standby(seconds) as standby:
        site.project.environ["ENGINE_TESTS_REPLICA"] = standby.url
        site.start_web()
        site.keep_workers()
        until(lambda: site.ask("GET", "")[0] == 200)
        for number in range(times):
            site.tried += 1
            status = site.post({"seconds": [None] if number % 3 == 0 else [1]})
            site.expect("created", status == 201)
            newest = site.tasks[-1]
            site.expect("shown at once", site.ask("GET", f"/{newest}")[0] == 200)
            listed = [task["id"] for task in site.ask("GET", "")[1]["tasks"]]
            site.expect("the list is late", newest not in listed)
            site.post({"seconds": [5]})
            site.cancelled.add(site.tasks[-1])
            status, _ = site.ask("POST", f"/{site.tasks[-1]}/actions/cancel")
            site.expect("cancelled at once", status == 202)
        doomed = site.submit({"seconds": [600]})
        worker, _ = site.owner_of(doomed)
        worker.kill()
        site.expect_success(120, workers=2)
        for task_id in site.tasks:
            runs = site.project.notes(task_id)
            site.expect(f"{task_id} ran twice at once: {runs}", len(runs) == len({*runs}))
        site.project.kill_all()
