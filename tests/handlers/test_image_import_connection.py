"""Where a connection may lead, whatever a name resolves to."""

from __future__ import annotations

import socket
import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from django_image_tasks.exceptions import AttemptFailed, TaskFailed
from django_image_tasks.handlers.image_import import source
from tests.handlers.fakes import FakeContext, SourceServer, answer, redirect, running
from tests.requirements import needs, needs_program

needs("requests_hardened")

from django_image_tasks.handlers.image_import import connection  # noqa: E402
from django_image_tasks.handlers.image_import.connection import resolve  # noqa: E402
from django_image_tasks.handlers.image_import.download import download  # noqa: E402

Configure = Callable[..., None]


@pytest.fixture
def name_server(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """Name → addresses, for names that no test may ask a real name server for."""
    addresses: dict[str, list[str]] = {}
    real = socket.getaddrinfo

    def getaddrinfo(host: str, *args: Any, **kwargs: Any) -> list[Any]:
        return [
            each for name in addresses.get(host, [host]) for each in real(name, *args, **kwargs)
        ]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return addresses


def test_public_addresses(name_server: dict[str, list[str]]) -> None:
    name_server["images.example.org"] = ["2606:4700::1111", "1.1.1.1"]
    assert resolve("images.example.org", 443) == ["2606:4700::1111", "1.1.1.1"]


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["1.1.1.1", "127.0.0.1"],
        ["2606:4700::1111", "::1"],
        ["1.1.1.1", "::ffff:10.0.0.1"],
        ["100.64.0.1"],
        ["64:ff9b::7f00:1"],
        ["224.0.0.1"],
        ["0.0.0.0"],
        ["168.63.129.16"],  # Azure's own service, at an address that is public elsewhere
    ],
)
def test_one_address_that_is_not_public_is_enough(
    name_server: dict[str, list[str]], addresses: list[str]
) -> None:
    name_server["images.example.org"] = addresses
    with pytest.raises(TaskFailed) as caught:
        resolve("images.example.org", 443)
    assert str(caught.value) == "images.example.org:443 leads to an address that is not public"


def test_name_that_turns_to_loopback_is_not_connected_to(
    server: SourceServer,
    context: FakeContext,
    configure: Configure,
    name_server: dict[str, list[str]],
) -> None:
    configure(IMPORT_ALLOWED_PORTS=[server.server_port])
    name_server["rebinding.example.org"] = ["127.0.0.1"]
    uri = f"http://rebinding.example.org:{server.server_port}/"
    with pytest.raises(TaskFailed, match="leads to an address that is not public"):
        download(source.parse(uri), context, ["md5"])
    assert server.requests == []


@pytest.mark.parametrize("addresses", [["127.0.0.1"], ["127.0.0.1", "127.0.0.2"]])
def test_name_is_looked_up_once(
    server: SourceServer,
    context: FakeContext,
    configure: Configure,
    name_server: dict[str, list[str]],
    monkeypatch: pytest.MonkeyPatch,
    addresses: list[str],
) -> None:
    """A second look-up may find what was never checked."""
    configure(IMPORT_TRUSTED_HOSTS=["mirror.internal"])
    name_server["mirror.internal"] = addresses
    asked, look_up = [], socket.getaddrinfo

    def getaddrinfo(host: str, *args: Any, **kwargs: Any) -> Any:
        asked.append(host)
        return look_up(host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    server.answers = [answer(b"image")]
    download(source.parse(f"http://mirror.internal:{server.server_port}/"), context, ["md5"])
    assert asked.count("mirror.internal") == 1


def test_redirect_to_a_name_that_is_loopback(
    server: SourceServer,
    context: FakeContext,
    configure: Configure,
    name_server: dict[str, list[str]],
) -> None:
    name_server["rebinding.example.org"] = ["127.0.0.1"]
    server.answers = [redirect("http://rebinding.example.org/"), answer(b"secret")]
    with pytest.raises(TaskFailed) as caught:
        download(source.parse(server.url()), context, ["md5"])
    assert str(caught.value) == "rebinding.example.org:80 leads to an address that is not public"
    assert len(server.requests) == 1


def test_next_address_is_tried(
    server: SourceServer,
    context: FakeContext,
    configure: Configure,
    name_server: dict[str, list[str]],
) -> None:
    configure(IMPORT_TRUSTED_HOSTS=["mirror.internal"])
    name_server["mirror.internal"] = ["127.0.0.2", "127.0.0.1"]  # nobody listens at the first
    server.answers = [answer(b"image")]
    uri = f"http://mirror.internal:{server.server_port}/"
    assert download(source.parse(uri), context, ["md5"]).size == 5
    assert server.requests[0][1]["Host"] == f"mirror.internal:{server.server_port}"


def test_so_many_addresses_are_tried_and_no_more(
    name_server: dict[str, list[str]],
    configure: Configure,
    context: FakeContext,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    configure(IMPORT_TRUSTED_HOSTS=["mirror.internal"], IMPORT_CONNECT_TIMEOUT=8)
    name_server["mirror.internal"] = [f"127.0.0.{number}" for number in range(1, 10)]
    tried: list[tuple[str, float]] = []

    def refuse(address: tuple[str, int], timeout: float, **options: object) -> None:
        tried.append((address[0], timeout))
        raise ConnectionRefusedError

    monkeypatch.setattr(connection, "create_connection", refuse)

    with pytest.raises(AttemptFailed):
        download(source.parse("http://mirror.internal/"), context, ["md5"])

    assert tried == [(f"127.0.0.{number}", 2) for number in range(1, 5)]


@pytest.mark.parametrize(
    ("most", "is_bounded"), [("32768\n", True), ("32767\n", False), (None, False)]
)
def test_receive_buffer_is_bounded_unless_the_bound_would_be_cut(
    server: SourceServer,
    context: FakeContext,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    most: str | None,
    is_bounded: bool,
) -> None:
    """What has come and was not read is fetched again when the worker is killed."""
    if most:
        (tmp_path / "rmem_max").write_text(most)
    monkeypatch.setattr(connection, "LARGEST_BUFFER", tmp_path / "rmem_max")
    monkeypatch.setattr(connection, "RECEIVE_BUFFER", 2**15)
    sizes, watch = set(), connection.Guard.watch

    def watched(guard: connection.Guard, sock: socket.socket) -> None:
        sizes.add(sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF))
        watch(guard, sock)

    monkeypatch.setattr(connection.Guard, "watch", watched)
    server.answers = [answer(b"image")]
    download(source.parse(server.url()), context, ["md5"])

    assert (sizes == {2**16}) is is_bounded  # Linux doubles it


def test_ipv6(context: FakeContext, configure: Configure) -> None:
    class IPv6Server(SourceServer):
        address_family = socket.AF_INET6

        def server_bind(self) -> None:
            self.server_address = ("::1", 0)
            super().server_bind()

    try:
        server = IPv6Server()
    except OSError:
        pytest.skip("Needs IPv6 on the loopback interface.")
    configure(IMPORT_TRUSTED_HOSTS=["::1"])
    server.answers = [answer(b"image")]
    with running(server):
        uri = f"http://[::1]:{server.server_port}/"
        assert download(source.parse(uri), context, ["md5"]).size == 5
    assert server.requests[0][1]["Host"] == f"[::1]:{server.server_port}"


def test_refused_connection(context: FakeContext, configure: Configure) -> None:
    with socket.socket() as bound:  # and never listening
        bound.bind(("127.0.0.1", 0))
        origin = f"127.0.0.1:{bound.getsockname()[1]}"
        configure(IMPORT_TRUSTED_HOSTS=[origin])
        with pytest.raises(AttemptFailed) as caught:
            download(source.parse(f"http://{origin}/?signature=secret"), context, ["md5"])
    assert str(caught.value) == f"Connection refused by {origin}"


def test_connection_that_nobody_accepts(context: FakeContext, configure: Configure) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        origin = f"127.0.0.1:{full.getsockname()[1]}"
        waiting = [socket.socket() for _ in range(4)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(full.getsockname())
        configure(IMPORT_TRUSTED_HOSTS=[origin], IMPORT_CONNECT_TIMEOUT=0.1)
        with pytest.raises(AttemptFailed) as caught:
            download(source.parse(f"http://{origin}/"), context, ["md5"])
        for each in waiting:
            each.close()
    assert str(caught.value) == f"No connection to {origin} within 0.1 s"


def test_name_that_does_not_resolve(monkeypatch: pytest.MonkeyPatch) -> None:
    def getaddrinfo(*args: object, **kwargs: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    with pytest.raises(AttemptFailed) as caught:
        resolve("images.example.org", 443)
    assert str(caught.value) == "images.example.org could not be resolved"


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A key and the certificate for 127.0.0.1 that it signed itself."""
    path = tmp_path / "key-and-certificate.pem"
    command = (
        f"req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=127.0.0.1 "
        f"-addext subjectAltName=IP:127.0.0.1 -keyout {path} -out {tmp_path / 'certificate.pem'}"
    )
    subprocess.run([needs_program("openssl"), *command.split()], check=True, capture_output=True)
    with path.open("ab") as file:
        file.write((tmp_path / "certificate.pem").read_bytes())
    return path


@pytest.fixture
def tls_server(server: SourceServer, certificate: Path) -> SourceServer:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.answers = [answer(b"image")]
    return server


def test_tls(
    tls_server: SourceServer,
    context: FakeContext,
    certificate: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("requests.adapters.DEFAULT_CA_BUNDLE_PATH", str(certificate))
    assert download(source.parse(f"https://{tls_server.origin}/"), context, ["md5"]).size == 5


def test_certificate_for_another_name(
    tls_server: SourceServer,
    context: FakeContext,
    certificate: Path,
    configure: Configure,
    name_server: dict[str, list[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name_server["mirror.internal"] = ["127.0.0.1"]
    configure(IMPORT_TRUSTED_HOSTS=["mirror.internal"])
    monkeypatch.setattr("requests.adapters.DEFAULT_CA_BUNDLE_PATH", str(certificate))
    uri = f"https://mirror.internal:{tls_server.server_port}/"
    with pytest.raises(TaskFailed, match=r"not accepted: Hostname mismatch"):
        download(source.parse(uri), context, ["md5"])


def test_certificate_that_nobody_vouches_for(
    tls_server: SourceServer, context: FakeContext
) -> None:
    with pytest.raises(TaskFailed) as caught:
        download(source.parse(f"https://{tls_server.origin}/"), context, ["md5"])
    assert str(caught.value) == (
        f"Certificate of {tls_server.origin} not accepted: self-signed certificate"
    )
    assert tls_server.requests == []


def test_no_tls_where_tls_is_asked_for(server: SourceServer, context: FakeContext) -> None:
    server.answers = [answer(b"image")]
    with pytest.raises(AttemptFailed, match=rf"^No TLS connection to {server.origin}: [A-Z_]+$"):
        download(source.parse(f"https://{server.origin}/"), context, ["md5"])
