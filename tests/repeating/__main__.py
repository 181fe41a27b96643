"""Equal POSTs at once, to gunicorn whose workers are killed meanwhile: each makes one task.

    DATABASE_URL=postgres://… python -m tests.repeating

Needs gunicorn, and an empty database. Prints a line for each round.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Event, Thread

import django

from tests.caches.servers import free_port

REQUESTS, WORKERS, ROUNDS = 200, 4, 5
BODY = json.dumps({"type": "import", "input": {"import_from": "https://example.com/a.img"}})


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "example_project.settings"
    django.setup()
    token = prepare()
    port = free_port()
    with serving(port) as server:
        print(*(f"{name:>10}" for name in ("sent", "killed", "answers", "tasks")))
        for number in range(ROUNDS):
            print(*(f"{count:>10}" for count in run(port, server.pid, token, f"round {number}")))


def prepare() -> str:
    from django.contrib.auth.models import User
    from django.core.management import call_command
    from rest_framework.authtoken.models import Token

    call_command("migrate", verbosity=0)
    user, _ = User.objects.get_or_create(username="repeating")
    return str(Token.objects.get_or_create(user=user)[0].key)


@contextmanager
def serving(port: int) -> Iterator[subprocess.Popen[bytes]]:
    options = [f"--workers={WORKERS}", "--worker-class=gthread", "--threads=8"]
    command = ["gunicorn", *options, f"--bind=127.0.0.1:{port}", "example_project.wsgi"]
    process = subprocess.Popen([sys.executable, "-m", *command], stderr=subprocess.DEVNULL)
    try:
        time.sleep(3)
        yield process
    finally:
        process.terminate()
        process.wait()


def run(port: int, server: int, token: str, key: str) -> tuple[int, int, int, int]:
    from django_image_tasks.models import Task

    before = Task.objects.count()
    sent: Counter[int] = Counter()
    killed: list[int] = []
    done = Event()
    killer = Thread(target=kill_workers, args=(server, killed, done))
    killer.start()
    with ThreadPoolExecutor(REQUESTS) as pool:
        ids = list(pool.map(lambda number: post(port, token, key, sent, number), range(REQUESTS)))
    done.set()
    killer.join()
    assert len({*ids}) == 1, ids
    assert Task.objects.count() == before + 1
    return sent.total(), len(killed), len({*ids}), Task.objects.count() - before


def post(port: int, token: str, key: str, sent: Counter[int], number: int) -> str:
    """The id in the answer, for which the request is sent again as long as the server fails."""
    headers = {
        "X-Auth-Token": token,
        "Idempotency-Key": key,
        "Content-Type": "application/json",
        "X-Openstack-Request-ID": key.replace(" ", "-"),
    }
    while True:
        sent[number] += 1
        try:
            with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
                connection.request("POST", "/v2/tasks", BODY, headers)
                answer = connection.getresponse()
                content = answer.read()
        except (OSError, http.client.HTTPException):
            time.sleep(0.1)
            continue
        if answer.status == 503:
            time.sleep(0.1)
            continue
        assert answer.status == 201, content
        return str(json.loads(content)["id"])


def kill_workers(server: int, killed: list[int], done: Event) -> None:
    children = Path(f"/proc/{server}/task/{server}/children")
    while not done.wait(random.uniform(0.05, 0.3)):
        if workers := children.read_text().split():
            worker = int(random.choice(workers))
            os.kill(worker, signal.SIGKILL)
            killed.append(worker)


if __name__ == "__main__":
    main()
