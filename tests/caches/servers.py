"""The example project behind a shared cache, each on a port of its own on this machine."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CACHES = ("varnish", "nginx", "squid")

NGINX = """
daemon off;
pid {directory}/pid;
events {{}}
http {{
  access_log off;
  proxy_temp_path {directory}/temp;
  client_body_temp_path {directory}/body;
  proxy_cache_path {directory}/cache keys_zone=one:10m;
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://127.0.0.1:{backend};
      proxy_set_header Host $http_host;
      proxy_cache one;
      proxy_cache_valid 200 302 10m;
      proxy_cache_valid any 1m;
      add_header X-Cache $upstream_cache_status always;
    }}
  }}
}}
"""

# Of its defaults, only that what has no date is fresh for ten minutes.
SQUID = """
http_port 127.0.0.1:{port} accel defaultsite=127.0.0.1:{port}
cache_peer 127.0.0.1 parent {backend} 0 no-query originserver
http_access allow all
refresh_pattern . 10 20% 4320
cache_log {directory}/log
access_log none
pid_filename {directory}/pid
coredump_dir {directory}
"""


@contextmanager
def application() -> Iterator[int]:
    """The example project, on the database that ``DATABASE_URL`` names."""
    port = free_port()
    command = [sys.executable, "manage.py", "runserver", "--noreload", f"127.0.0.1:{port}"]
    with _running(command, port, log=subprocess.DEVNULL):
        yield port


@contextmanager
def cache(name: str, backend: int, directory: Path) -> Iterator[int]:
    """The cache in front of the port ``backend``."""
    port = free_port()
    directory.mkdir()
    directory.chmod(0o777)
    where = {"directory": directory, "port": port, "backend": backend}
    match name:
        case "varnish":
            options = ["-F", "-j", "none", "-n", str(directory)]
            addresses = ["-a", f"127.0.0.1:{port}", "-b", f"127.0.0.1:{backend}"]
            command = [program("varnishd"), *options, *addresses]
        case "nginx":
            (directory / "nginx.conf").write_text(NGINX.format(**where))
            command = [program("nginx"), "-c", str(directory / "nginx.conf")]
        case _:
            (directory / "squid.conf").write_text(SQUID.format(**where))
            command = [program("squid"), "-N", "-f", str(directory / "squid.conf")]
    with (directory / "output").open("wb") as log, _running(command, port, log):
        yield port


def version(name: str) -> str:
    command = {"varnish": ["varnishd", "-V"], "nginx": ["nginx", "-v"], "squid": ["squid", "-v"]}
    path, option = command[name]
    done = subprocess.run([program(path), option], capture_output=True, text=True)
    found = re.search(r"\d+(\.\d+)+", done.stdout + done.stderr)
    return found[0] if found else "?"


def program(name: str) -> str:
    path = shutil.which(name, path=os.pathsep.join([os.environ["PATH"], "/usr/sbin"]))
    if path is None:
        raise SystemExit(f"There is no {name}: apt-get install varnish nginx squid")
    return path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _running(command: list[str], port: int, log: object) -> Iterator[None]:
    process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)  # type: ignore[call-overload]
    try:
        for _ in range(150):
            if process.poll() is not None:
                break
            with socket.socket() as probe:
                if not probe.connect_ex(("127.0.0.1", port)):
                    yield
                    return
            time.sleep(0.2)
        raise SystemExit(f"{command[0]} did not start.")
    finally:
        process.terminate()
        process.wait()
