"""Scratch directories, one for each attempt that runs.

Beside each is a file with ``.lock`` behind the same name, locked while its process lives. It says
that we made the directory; one without it may be anybody's, and is never removed. It also says
whether the directory is kept, which another attempt may then take over.
"""

from __future__ import annotations

import logging
import os
import secrets
import shutil
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from errno import EACCES, EPERM
from pathlib import Path
from threading import Event

from django_image_tasks.conf import conf
from django_image_tasks.exceptions import ScratchFailed
from django_image_tasks.log_lines import line

try:
    import fcntl
except ImportError:  # Windows, where the directories of killed workers stay
    fcntl = None  # type: ignore[assignment]

logger = logging.getLogger(__name__)

LOCK = ".lock"
KEPT = b"kept\n"
"""Ends the lock file of a directory that is kept."""
PATIENCE = 5.0
"""Seconds in which a process that was told to stop should have left its directory."""


@contextmanager
def scratch(name: str) -> Iterator[Path]:
    """A new directory for the block, removed behind it, or by the sweep if the process is killed.

    One that is kept stays until :func:`remove_abandoned` is told that nobody wants it.
    Raises :exc:`~django_image_tasks.exceptions.ScratchFailed` if it cannot be made.
    """
    path = conf.SCRATCH_DIR / f"{name}-{secrets.token_hex(4)}"
    with ExitStack() as stack:
        try:
            _make_root(path.parent)
            stack.enter_context(_locked(path))
            _make_private(path)
        except OSError as error:
            raise ScratchFailed(error) from error
        yield path


def keep(path: Path) -> None:
    """Keep a directory, unless it has no lock by which others could tell when it is free."""
    with Path(f"{path}{LOCK}").open("rb+", buffering=0) as lock:
        if lock.read() == _claim(path.name):
            lock.write(KEPT)


@contextmanager
def taken_over(name: str, stopped: Event) -> Iterator[Path | None]:
    """The directory that was kept under this name, if there is one; locked for the block.

    If a process that should have stopped still has it, this waits a while, or until ``stopped``.
    """
    with ExitStack() as stack:
        locks = conf.SCRATCH_DIR.glob(f"{name}-*{LOCK}") if fcntl else ()
        yield next((path for lock in locks if (path := _taken(lock, stopped, stack))), None)


def remove_abandoned(wanted: Callable[[set[str]], set[str]] = lambda names: set()) -> int:
    """Remove the directories of dead processes on this machine, and return their number.

    ``wanted`` is asked which of the kept ones must stay.
    """
    if not fcntl:
        return 0
    try:
        with _opened(conf.SCRATCH_DIR, os.O_DIRECTORY) as root:
            check_private(os.fstat(root))
            kept: set[str] = set()
            removed = sum(_remove_abandoned(name, root, kept) for name in _names(root))
            unwanted = kept - wanted(kept) if kept else kept
            return removed + sum(_remove_abandoned(name, root) for name in unwanted)
    except FileNotFoundError:
        return 0
    except OSError as error:
        logger.warning(line("scratch_not_swept", error=error.strerror))
        return 0


def check_private(root: os.stat_result) -> None:
    """Raise PermissionError, with the reason, unless this is a private directory of this user.

    Its errno is EACCES for a directory of another user, EPERM for one that nobody should use.
    """
    if not stat.S_ISDIR(root.st_mode):
        raise PermissionError(EPERM, "It is not a directory")
    if fcntl and root.st_mode & 0o077:
        raise PermissionError(EPERM, "It is open to other users")
    if fcntl and root.st_uid != os.geteuid():
        raise PermissionError(EACCES, "It belongs to another user")


def _names(root: int) -> list[str]:
    with os.scandir(root) as entries:
        locks = [each.name for each in entries if each.is_file(follow_symlinks=False)]
    return [name.removesuffix(LOCK) for name in locks if name.endswith(LOCK)]


def _make_root(root: Path) -> None:
    with suppress(FileExistsError):
        _make_private(root, parents=True)
    check_private(root.lstat())


def _make_private(path: Path, *, parents: bool = False) -> None:
    path.mkdir(mode=0o700, parents=parents)
    path.chmod(0o700)  # mkdir leaves out what the umask forbids


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the lock of a directory that the block makes, and remove both unless it is kept."""
    with Path(f"{path}{LOCK}").open("xb+", buffering=0) as lock:
        try:
            if _lock(lock.fileno()):
                lock.write(_claim(path.name))
            yield
        finally:
            with suppress(OSError):
                if not _is_kept(path.name, lock.fileno()):
                    _remove(path)


def _lock(descriptor: int) -> bool:
    """Lock a file now, and return whether that worked. Some file systems know no locks."""
    with suppress(OSError):
        if fcntl:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
    return False


def _claim(name: str) -> bytes:
    """What is written to a lock file once it is locked."""
    return f"django_image_tasks made {name}\n".encode()


def _is_ours(name: str, lock: int) -> bool:
    return _is_kept(name, lock) or _content(lock) == _claim(name)


def _is_kept(name: str, lock: int) -> bool:
    return _content(lock) == _claim(name) + KEPT


def _content(lock: int) -> bytes:
    return os.pread(lock, 1000, 0)


def _taken(lock: Path, stopped: Event, stack: ExitStack) -> Path | None:
    """Take over the directory of this lock."""
    path, until = lock.with_suffix(""), time.monotonic() + PATIENCE
    with suppress(OSError):  # it has just been removed
        descriptor = stack.enter_context(_opened(lock, os.O_RDWR))
        if not _is_kept(path.name, descriptor):
            return None
        while not _lock(descriptor):
            if time.monotonic() >= until or stopped.wait(0.1):
                return None
        return path if _is_directory(path, None) else None
    return None


def _remove_abandoned(name: str, root: int, kept: set[str] | None = None) -> bool:
    """Remove a directory if its process is dead, or add it to ``kept`` if it is a kept one."""
    try:
        with _opened(f"{name}{LOCK}", os.O_RDWR, root) as lock:
            if not _is_ours(name, lock) or not _lock(lock):
                return False
            if kept is not None and _is_kept(name, lock):
                kept.add(name)
                return False
            _remove(name, root)
            return True
    except FileNotFoundError:  # its process has just removed it
        return False
    except OSError as error:
        logger.warning(line("scratch_not_removed", name=name, error=error.strerror))
        return False


def _remove(path: Path | str, dir_fd: int | None = None) -> None:
    """Remove a directory, then its lock: where that fails, the lock still says that it is ours."""
    if _is_directory(path, dir_fd):
        shutil.rmtree(path, dir_fd=dir_fd)
    os.unlink(f"{path}{LOCK}", dir_fd=dir_fd)


def _is_directory(path: Path | str, dir_fd: int | None) -> bool:
    try:
        return stat.S_ISDIR(os.stat(path, dir_fd=dir_fd, follow_symlinks=False).st_mode)
    except FileNotFoundError:
        return False


@contextmanager
def _opened(path: Path | str, flags: int, dir_fd: int | None = None) -> Iterator[int]:
    descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=dir_fd)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
