"""Scratch directories, one for each attempt that runs.

Beside each is a file with ``.lock`` behind the same name, locked while its process lives. It says
that we made the directory; one without it may be anybody's, and is never removed.
"""

from __future__ import annotations

import logging
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from errno import EACCES, EPERM
from pathlib import Path

from django_image_tasks.conf import conf
from django_image_tasks.exceptions import ScratchFailed
from django_image_tasks.log_lines import line

try:
    import fcntl
except ImportError:  # Windows, where the directories of killed workers stay
    fcntl = None  # type: ignore[assignment]

logger = logging.getLogger(__name__)

LOCK = ".lock"


@contextmanager
def scratch(name: str) -> Iterator[Path]:
    """A new directory for the block, removed behind it, or by the sweep if the process is killed.

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


def remove_abandoned() -> int:
    """Remove the directories of dead processes on this machine, and return their number."""
    if not fcntl:
        return 0
    try:
        with _opened(conf.SCRATCH_DIR, os.O_DIRECTORY) as root:
            check_private(os.fstat(root))
            return sum(_remove_abandoned(name, root) for name in _names(root))
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
    """Hold the lock of a directory that the block makes, and remove both behind it."""
    with Path(f"{path}{LOCK}").open("xb", buffering=0) as lock:
        try:
            if _lock(lock.fileno()):
                lock.write(_claim(path.name))
            yield
        finally:
            with suppress(OSError):
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


def _remove_abandoned(name: str, root: int) -> bool:
    claim = _claim(name)
    try:
        with _opened(f"{name}{LOCK}", os.O_RDWR, root) as lock:
            if os.read(lock, len(claim) + 1) != claim or not _lock(lock):
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
