import json
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager

from django.conf import settings
from django.core.management import BaseCommand, CommandError, call_command

from example_project.seed import seed

HOST = "127.0.0.1"

WELCOME = """
The API     {root}/v2/tasks
Swagger UI  {root}/api/schema/swagger-ui/
The admin   {root}/admin/
Thumbnails  {root}/thumbnails (a type of task of this project's own)

  user   password  token
  demo   demo      {demo}
  admin  admin     {admin}

List the tasks:

  curl -s -H 'X-Auth-Token: {demo}' {root}/v2/tasks

Import an image, and list them again to see it run:

  curl -s -H 'X-Auth-Token: {demo}' -H 'Content-Type: application/json' -d '{body}' {root}/v2/tasks

A worker runs beside the server. Ctrl-C ends both.
"""


class Command(BaseCommand):
    help = "Fills in a demonstration and serves it, to this machine only."

    def add_arguments(self, parser):
        parser.add_argument("--port", type=int, default=8000, help="0: any that is free")

    def handle(self, *args, port, **options):
        if not settings.DEBUG:
            raise CommandError("The demonstration has well-known passwords: it needs DEBUG = True.")
        port = free_port(port)
        call_command("migrate", verbosity=0)
        root = f"http://{HOST}:{port}"
        body = json.dumps({"type": "import", "input": {"import_from": f"{root}/demo.qcow2"}})
        self.stdout.write(WELCOME.format(root=root, body=body, **seed()))
        self.stdout.flush()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.default_int_handler)
        with worker():
            call_command("runserver", f"{HOST}:{port}", use_reloader=False)


@contextmanager
def worker():
    """A worker in a process of its own, as in earnest."""
    command = [sys.executable, "-m", "django", "image_tasks", "work", "db_worker", "--no-reload"]
    process = subprocess.Popen(command, cwd=settings.BASE_DIR)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def free_port(port):
    """``port``, or one that is free in the place of 0."""
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            server.bind((HOST, port))
        except OSError as error:
            raise CommandError(
                f"Port {port}: {error.strerror}. Choose another one with --port."
            ) from None
        return server.getsockname()[1]
