"""The directories that hold the benchmarks' databases and files, all of which can be deleted."""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path
from tempfile import gettempdir

ROOT = Path(__file__).resolve().parent
PROJECT = ROOT.parent


def home() -> Path:
    """Return the directory that outlives a run, so that the next one finds its million rows."""
    path = Path(os.environ.get("BENCHMARK_HOME", Path(gettempdir()) / "image-tasks-benchmarks"))
    path.mkdir(mode=0o755, parents=True, exist_ok=True)
    return path


def directory(database: str) -> Path:
    """Return the directory that belongs to one kind of database."""
    path = home() / database
    path.mkdir(mode=0o700, exist_ok=True)
    return path


def fingerprint() -> str:
    """Return a digest of every file that decides what the tables hold."""
    migrations = sorted((PROJECT / "django_image_tasks" / "migrations").glob("*.py"))
    sources = [*migrations, ROOT / "rows.py", ROOT / "loading.py"]
    return sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()
