"""Disks that are full or read-only, and a storage that fails."""

from __future__ import annotations

import subprocess

from tests.engines.waiting import until
from tests.faults.site import Site, files
from tests.faults.sources import source
from tests.mounts import mounted

ROOM = "size=64m"


def disk_full(site: Site) -> None:
    """The disk of the scratch directory, and then that of the storage, has too little room."""
    disks_fail(site, ("size=512k", "size=1536k"), ROOM, "No space left on device")


def disk_read_only(site: Site) -> None:
    """The disk of the scratch directory, and then that of the storage, takes no writes."""
    disks_fail(site, ("ro", "ro"), "rw", "Read-only file system")


def disks_fail(site: Site, ill: tuple[str, str], well: str, words: str) -> None:
    """An import fails with these words, and leaves nothing; once the disk is well, another runs."""
    scratch, media = (site.project.directory / name for name in ("scratch", "media"))
    failures = "The scratch directory failed", "The storage failed"
    with source(0.1) as server, mounted(scratch, f"mode=700,{ROOM}"), mounted(media, ROOM):
        site.keep_workers()
        workers = site.workers
        for disk, options, failure in zip((scratch, media), ill, failures, strict=True):
            site.tried += 1
            with_options(disk, options)
            task_id = site.submit({"import_from": server.url()}, "import")
            site.failures[task_id] = f"{failure}: {words} (in the last of 3 attempts)"
            site.expect_success(60)
            with_options(disk, well)
            site.submit({"import_from": server.url()}, "import")
            site.expect_success(60)
        site.expect("the same workers", site.workers == workers)
        site.project.kill_all()


def with_options(disk: object, options: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{options}", str(disk)], check=True)


def storage_fails(site: Site) -> None:
    """The storage fails when it saves, when it deletes, and while it saves."""
    directory = site.project.directory
    with source(0.1) as server:
        site.keep_workers()
        for fault in ("save fails", "delete fails"):
            site.tried += 1
            (directory / fault).touch()
            task_id = site.submit({"import_from": server.url()}, "import")
            failed = "The storage failed: Input/output error (in the last of 3 attempts)"
            site.failures[task_id] = failed
            site.expect_success(60)
            (directory / fault).unlink()
        site.tried += 1
        failed_before = site.project.logs().count("discard_failed")
        (directory / "breaks").touch()
        site.submit({"import_from": server.url()}, "import")
        until(lambda: site.project.logs().count("discard_failed") > failed_before)
        site.expect("a part is left for now", files(site, "media"))
        (directory / "delete fails").unlink()
        site.expect_success(60)
