import signal
import socket

from django.conf import settings
from django.core.management import BaseCommand, CommandError, call_command

from example_project.seed import seed

HOST = "127.0.0.1"

WELCOME = """
The API     {root}/v2/tasks
The admin   {root}/admin/

  user   password  token
  demo   demo      {demo}
  admin  admin     {admin}

Try it:

  curl -s -H 'X-Auth-Token: {demo}' {root}/v2/tasks

Ctrl-C ends it.
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
        self.stdout.write(WELCOME.format(root=f"http://{HOST}:{port}", **seed()))
        self.stdout.flush()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.default_int_handler)
        call_command("runserver", f"{HOST}:{port}", use_reloader=False)


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
