"""Faults in the middle of an import, after which what had arrived is not fetched again."""

from __future__ import annotations

import os
import signal
import time
from functools import partial

from tests.engines.waiting import until
from tests.faults.counted import CountedSource, counted
from tests.faults.site import Site

GIGABIT = 2**30 / 8
"""Bytes a second."""


def killed_late(site: Site, mebibytes: int = 1024) -> None:
    """When nine tenths of an image were sent, the worker gets no processor time, and is killed."""
    size = mebibytes * 2**20
    with counted(size, rate=min(GIGABIT, size / 3)) as (source, server):
        site.keep_workers(1)
        task_id = site.submit({"import_from": server.url()}, "import")
        worker, _ = site.owner_of(task_id)
        source.call_at(size * 9 // 10, partial(worker.signal, signal.SIGSTOP))
        until(lambda: source.sent >= size * 9 // 10, 300)
        time.sleep(1)  # what is sent meanwhile waits in the kernel, as much as there is room for
        site.tried += 1
        worker.kill()
        site.keep_workers(1)
        site.expect_success(300, "lost", "success", workers=1)
        expect_fetched(site, source, task_id, again=20)


def deployed(site: Site, times: int = 10) -> None:
    """So many deployments in one import, whose source sends nothing but the whole."""
    with counted(2**24, rate=2**24 / 600) as (source, server):
        source.sends_rest = False
        deploy(site, source, server.url(), times)


def deployed_once(site: Site, times: int = 10) -> None:
    """So many deployments in one import, whose every byte is sent once."""
    with counted(times * 32 * 2**20, rate=8 * 2**20) as (source, server):
        task_id = deploy(site, source, server.url(), times)
        expect_fetched(site, source, task_id, again=6)


def deploy(site: Site, source: CountedSource, url: str, times: int) -> str:
    """Import amidst deployments: SIGTERM to the process of the worker, or to its whole group."""
    site.keep_workers(1)
    task_id = site.submit({"import_from": url}, "import")
    for number in range(times):
        worker, _ = site.owner_of(task_id)
        time.sleep(site.random.uniform(0, 1))
        site.tried += 1
        if number % 2:
            worker.signal(signal.SIGTERM)
        else:
            os.kill(worker.pid, signal.SIGTERM)
        site.keep_workers(2)
        until(lambda worker=worker: not worker.runs())
    source.rate = float("inf")
    site.expect_success(120, *["handed_over"] * times, "success", workers=1)
    site.expect("no failed attempt", site.row(task_id)["failed_attempts"] == 0)
    return task_id


def killed_often(site: Site, times: int = 100) -> None:
    """A worker is killed in the midst of an import, so often; each import takes four seconds."""
    size = 16 * 2**20
    with counted(size, rate=size / 4) as (source, server):
        while site.tried < times:
            if len(site.tasks) - len(site.ended()) < 4:
                site.submit({"import_from": server.url()}, "import")
            site.keep_workers()
            pids = [pid for pid in running(site) if any(each.owns(pid) for each in site.workers)]
            if not pids:
                time.sleep(0.2)
                continue
            time.sleep(site.random.uniform(0, 3))
            pid = site.random.choice(pids)
            site.tried += 1
            for worker in site.workers:
                if worker.owns(pid):
                    # The whole worker, or the process alone that runs the task.
                    worker.kill() if site.random.random() < 0.5 else os.kill(pid, signal.SIGKILL)
        site.expect_success(180, workers=2)
        digest = source.sha512()
        whole = [row["result"] for row in map(site.row, site.tasks) if row["result"]]
        site.expect("right digests", all(each["os_hash_value"] == digest for each in whole))
        fetched = f"{len(whole)} of {len(site.tasks)} images arrived"
        site.notes.append(f"{fetched}; what was sent would have made {source.share:.2f}")


def running(site: Site) -> list[int]:
    """The processes that run a task."""
    rows = [row for row in map(site.row, site.tasks) if row["status"] == "processing"]
    return [int(row["lease_owner"].split(":")[1]) for row in rows]


def expect_fetched(site: Site, source: CountedSource, task_id: str, *, again: int) -> None:
    """Nothing but what was on its way was sent again, at most so many MiB."""
    result = site.row(task_id)["result"] or {}
    site.expect("right digest", result.get("os_hash_value") == source.sha512())
    site.expect(f"at most {again} MiB more", source.sent <= source.size + again * 2**20)
    site.notes.append(f"{source.size >> 20} MiB were sent {source.share:.4f} times")
