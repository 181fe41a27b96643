"""What some tests need and a machine may lack: they are skipped there, and fail in CI."""

from __future__ import annotations

import os
import shutil
import socket
import sys
import warnings
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import NoReturn
from urllib.parse import urlsplit

import pytest


def needs(module: str) -> ModuleType:
    """The module. To be called where a test module would import it, or in a test or fixture."""
    package = module.partition(".")[0]
    if find_spec(package) is None:
        _lacking(f"the Python package that holds '{package}'")
    with warnings.catch_warnings():
        # What other people's code warns of while it is imported is theirs to mend.
        warnings.simplefilter("ignore", DeprecationWarning)
        return import_module(module)


def needs_program(name: str) -> str:
    """The program's path: from beside this interpreter, where pip installs it, or from PATH."""
    beside = str(Path(sys.executable).parent)
    path = shutil.which(name, path=os.pathsep.join([beside, os.environ.get("PATH", "")]))
    return path or _lacking(f"the program '{name}'")


def needs_service(host: str, port: int) -> None:
    try:
        socket.create_connection((host, port), timeout=1).close()
    except OSError:
        _lacking(f"a service at {host}:{port}")


def needs_database(url: str) -> None:
    """The driver and the server of a database's URL; SQLite's are always there."""
    address = urlsplit(url)
    if address.hostname and address.port:
        needs({"postgres": "psycopg", "mysql": "MySQLdb"}[address.scheme])
        needs_service(address.hostname, address.port)


def _lacking(what: str) -> NoReturn:
    if os.environ.get("CI") == "true":
        pytest.fail(f"CI must have {what}.", pytrace=False)
    pytest.skip(f"Needs {what}.", allow_module_level=True)
