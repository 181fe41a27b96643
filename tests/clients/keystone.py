"""A Keystone of a few lines: just what keystonemiddleware asks it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SERVICE_TOKEN = "image-service"

TOKENS: Mapping[str, Mapping[str, Any]] = {
    "member-of-p1": {"user": "u1", "project": "p1", "roles": ["member"]},
    "member-of-p2": {"user": "u1", "project": "p2", "roles": ["member"]},
    "admin-of-p9": {"user": "u9", "project": "p9", "roles": ["admin", "member"]},
    "admin-of-none": {"user": "u9", "project": None, "roles": ["admin"]},
    SERVICE_TOKEN: {"user": "image", "project": "service", "roles": ["service"]},
}
"""Every token it knows, and whose it is."""


class Handler(BaseHTTPRequestHandler):
    server: Keystone

    def do_GET(self) -> None:
        if self.path.rstrip("/") == "/v3":
            self.answer(200, {"version": self.server.version})
        elif self.path.startswith("/v3/auth/tokens") and self.is_service:
            subject = self.headers["X-Subject-Token"]
            if subject in TOKENS:
                self.answer(200, {"token": self.server.describe(subject)})
            else:
                self.answer(404, {"error": {"code": 404, "message": "Not found."}})
        else:
            self.answer(401, {"error": {"code": 401, "message": "Who asks?"}})

    def do_POST(self) -> None:
        login = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if login["auth"]["identity"]["password"]["user"]["password"] == "secret":
            token = {"token": self.server.describe(SERVICE_TOKEN)}
            self.answer(201, token, {"X-Subject-Token": SERVICE_TOKEN})
        else:
            self.answer(401, {"error": {"code": 401, "message": "Who asks?"}})

    @property
    def is_service(self) -> bool:
        return bool(self.headers["X-Auth-Token"] == SERVICE_TOKEN)

    def answer(self, status: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        pass


class Keystone(ThreadingHTTPServer):
    def __init__(self) -> None:
        super().__init__(("localhost", 0), Handler)
        self.url = f"http://localhost:{self.server_port}/v3"
        link = {"rel": "self", "href": f"{self.url}/"}
        self.version = {"id": "v3.14", "status": "stable", "links": [link]}
        self.endpoints = [
            {"interface": interface, "url": self.url, "region": "here", "region_id": "here"}
            for interface in ("public", "internal", "admin")
        ]

    def describe(self, token: str) -> dict[str, Any]:
        """A token's body, as the Identity API gives it."""
        domain = {"id": "default", "name": "Default"}
        whose = TOKENS[token]
        body: dict[str, Any] = {
            "methods": ["password"],
            "user": {"id": whose["user"], "name": whose["user"].upper(), "domain": domain},
            "roles": [{"id": role, "name": role} for role in whose["roles"]],
            "issued_at": "2026-01-01T00:00:00.000000Z",
            "expires_at": "2999-01-01T00:00:00.000000Z",
            "audit_ids": ["an id"],
            "catalog": [{"type": "identity", "name": "keystone", "endpoints": self.endpoints}],
        }
        if project := whose["project"]:
            body["project"] = {"id": project, "name": project.upper(), "domain": domain}
        return body


@contextmanager
def running() -> Iterator[Keystone]:
    with Keystone() as keystone:
        thread = threading.Thread(target=keystone.serve_forever, daemon=True)
        thread.start()
        try:
            yield keystone
        finally:
            keystone.shutdown()
            thread.join()
