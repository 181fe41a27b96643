"""What is asked of a project's server over HTTP, by a program and by a person."""

from __future__ import annotations

import json
import socket
import time
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

JSON = {"Accept": "application/json", "Content-Type": "application/json"}
PATIENCE = 60


class Server:
    def __init__(self, port: int, root: str, script_name: str) -> None:
        self.port = port
        self.root = root
        self.script_name = script_name

    def wait_until_it_listens(self) -> None:
        ends = time.monotonic() + PATIENCE
        while True:
            try:
                return socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                assert time.monotonic() < ends, "The server does not listen."
                time.sleep(0.1)

    def log_in(self, token: str, session: str) -> None:
        self.program = JSON | {"X-Auth-Token": token}
        self.browser = {"Accept": "text/html", "Cookie": f"sessionid={session}"}

    def create_and_follow(self, image: str) -> list[str]:
        """The ids of all tasks: of one that is made here, and of those before."""
        task = {"type": "import", "input": {"import_from": image}}
        made = self.ask("POST", f"{self.root}/v2/tasks", 201, json.dumps(task))
        location = urlsplit(made["Location"])
        assert location.netloc == f"127.0.0.1:{self.port}"
        assert location.path.startswith(f"{self.script_name}{self.root}/v2/tasks/")
        self.follow(location.path.removeprefix(self.script_name))
        listed = self.ask("GET", f"{self.root}/v2/tasks?status=success", 200)["tasks"]
        assert made["id"] == listed[0]["id"]
        return [task["id"] for task in listed]

    def follow(self, path: str) -> None:
        ends = time.monotonic() + PATIENCE
        while (task := self.ask("GET", path, 200))["status"] in ("pending", "processing"):
            assert time.monotonic() < ends, task
            time.sleep(0.2)
        assert task["status"] == "success", task

    def look_at_pages(self, ids: list[str], admin: str) -> None:
        pages = [f"{self.root}/v2/tasks", f"{admin}django_image_tasks/task/"]
        for page in pages:
            text = self.read(page)
            assert all(pk in text for pk in ids), page
        for pk in ids:
            assert pk in self.read(f"{self.root}/v2/tasks/{pk}")
            assert pk in self.read(f"{admin}django_image_tasks/task/{pk}/change/")

    def ask(self, method: str, path: str, status: int, body: str | None = None) -> Any:
        answer, text = self._send(method, path, self.program, body)
        assert answer.status == status, f"{method} {path}: {answer.status} {text[:500]}"
        return json.loads(text) | dict(answer.getheaders())

    def read(self, path: str) -> str:
        answer, text = self._send("GET", path, self.browser, None)
        assert answer.status == 200, f"GET {path}: {answer.status} {answer.getheader('Location')}"
        return text

    def _send(self, method: str, path: str, headers: Any, body: str | None) -> Any:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer, answer.read().decode()
