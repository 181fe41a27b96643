"""The policy for ``import_from``, by its exact messages."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from django_image_tasks.exceptions import InvalidInput
from django_image_tasks.handlers.image_import.source import (
    NO_HOST,
    is_public,
    parse,
    trusted_host,
)

CREDENTIALS = "The given uri must not contain credentials."
FILE = "File based imports are not allowed. Please use a non-local source of image data."
SCHEME = (
    "The given uri is not valid. Please specify a valid uri from the following list of "
    "supported uri ['http', 'https']"
)
SPACES = "The given uri must not contain spaces or invisible characters."
FILTER = "URI for legacy import task does not pass filtering: "


def refusal(uri: str) -> str:
    with pytest.raises(InvalidInput) as caught:
        parse(uri)
    return str(caught.value)


@pytest.mark.parametrize(
    ("uri", "url"),
    [
        ("http://images.example.org", "http://images.example.org:80/"),
        ("https://images.example.org/a.qcow2", "https://images.example.org:443/a.qcow2"),
        ("HTTPS://Images.Example.ORG.:443/A?b=C#d", "https://images.example.org:443/A?b=C"),
        ("http://images.example.org:443/", "http://images.example.org:443/"),
        ("http://images.example.org:/", "http://images.example.org:80/"),
        ("http://images.example.org?a=%2F&b=/", "http://images.example.org:80/?a=%2F&b=/"),
        ("http://images.example.org/ü", "http://images.example.org:80/%C3%BC"),
        ("http://images.example.org/a@b", "http://images.example.org:80/a@b"),
        ("http://bücher.example/", "http://xn--bcher-kva.example:80/"),
        ("http://xn--bcher-kva.example/", "http://xn--bcher-kva.example:80/"),
        ("http://8.8.8.8/", "http://8.8.8.8:80/"),
        ("http://0x08.010.2056/", "http://8.8.8.8:80/"),
        ("http://[2606:4700:0::1111]/", "http://[2606:4700::1111]:80/"),
        ("http://[::ffff:8.8.8.8]/", "http://8.8.8.8:80/"),
        ("http://localhost.example.org/", "http://localhost.example.org:80/"),
        ("http://example\u3002org/", "http://example.org:80/"),
    ],
)
def test_allowed_uri_is_fetched_in_its_usual_form(uri: str, url: str) -> None:
    assert parse(uri).url == url


@pytest.mark.parametrize(
    "uri",
    [
        "http://ada:secret@images.example.org/",
        "http://ada@images.example.org/",
        "http://@images.example.org/",
        "http://ada\N{FULLWIDTH COMMERCIAL AT}images.example.org/",
        "http://images.example.org\\@169.254.169.254/",
        "ftp://ada@images.example.org/",
        "file://ada@localhost/etc/passwd",
        "http://ada:secret@127.0.0.1/",
        "http://ada:secret%40images.example.org/",
    ],
)
def test_credentials(uri: str) -> None:
    assert refusal(uri) == CREDENTIALS


@pytest.mark.parametrize(
    "uri",
    ["file:///etc/passwd", "FILE:///etc/passwd", "file:etc", "filesystem:///a", "filesystem:a"],
)
def test_local_file(uri: str) -> None:
    assert refusal(uri) == FILE


@pytest.mark.parametrize(
    "uri",
    [
        " ",
        " http://images.example.org/",
        "http://images.example.org/ ",
        "http://images.example.org/a b",
        "http://images.example.org/\n",
        "http://images.example.org/\r\nX: y",
        "ht\ntp://images.example.org/",
        "http://images.example.org/\x00",
        "http://images.example.org/\u2028",
        "http://images.example.org/\ud800",
        "\tfile:///etc/passwd",
        "http://images.example.org/\ufeff",
        "http://images.example.org/\u00a0",
        " http://ada:secret@images.example.org/",
    ],
)
def test_spaces_and_what_cannot_be_seen(uri: str) -> None:
    assert refusal(uri) == SPACES


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "images.example.org",
        "//images.example.org/",
        "http:",
        "http://",
        "http:///image",
        "http:/images.example.org",
        "http:images.example.org",
        "http:\\\\images.example.org\\",
        "ftp://images.example.org/",
        "swift+http://images.example.org/",
        "data:,image",
    ],
)
def test_other_scheme_or_no_uri_at_all(uri: str) -> None:
    assert refusal(uri) == SCHEME


def test_list_of_schemes_is_the_settings(configure: Callable[..., None]) -> None:
    configure(IMPORT_ALLOWED_SCHEMES=["https"])
    assert refusal("http://images.example.org/").endswith("supported uri ['https']")


LOOPBACK = [
    "127.0.0.1",
    "127.1",
    "127.0.1",
    "2130706433",
    "0x7f000001",
    "0X7F.1",
    "017700000001",
    "0177.0.0.01",
    "127.0.0.1.",
    "\uff11\uff12\uff17.\uff10.\uff10.\uff11",
    "127\u30020\u30020\u30021",
    "127\uff610\uff0e0.1",
    "\u2460\u2461\u2466.0.0.1",
    "127.0.0.1\N{VARIATION SELECTOR-16}",
    "127.0.0.1%20",
    "%31%32%37.0.0.1",
    "127.0.0.1%00.example.org",
    "localhost",
    "LOCALHOST",
    "localhost.",
    "\u24dbocalhost",
    "local\N{COMBINING GRAPHEME JOINER}host",
    "a.localhost",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[::]",
    "[::127.0.0.1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b:1::7f00:1]",
    "[2002:7f00:1::]",
    "[2001:0:7f00:1::]",
    "[::1%25lo]",
    "[::1%lo]",
]
OTHERS = [
    "0",
    "0.0.0.0",
    "10.0.0.1",
    "100.64.0.1",
    "169.254.169.254",
    "172.16.0.1",
    "192.0.0.9",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "198.18.0.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "[fe80::1]",
    "[fec0::1]",
    "[fc00::1]",
    "[ff02::1]",
    "[100::1]",
    "[2001:20::1]",
    "[2001:db8::1]",
    "[3fff::1]",
    "[5f00::1]",
]
NO_HOSTS = [
    "256.1.1.1",
    "1.2.3.4.5",
    "09.8.8.8",
    "0x",
    "example..org",
    ".example.org",
    "example.org..",
    "example%20.org",
    "example.org\\a",
    "faß.example",
    "[::1",
    "::1",
    "[v1.a]",
    "[127.0.0.1]",
    "a" * 64 + ".example.org",
]


@pytest.mark.parametrize("host", LOOPBACK + OTHERS + NO_HOSTS)
def test_host_that_is_not_public(host: str) -> None:
    uri = f"http://{host}/image?x=1"
    assert refusal(uri) == FILTER + uri


@pytest.mark.parametrize(
    "port", ["22", "8080", "0", "65616", "99999", "000080000", "\uff18\uff10\uff18\uff10"]
)
def test_port_that_is_not_allowed(port: str) -> None:
    uri = f"http://images.example.org:{port}/image"
    assert refusal(uri) == FILTER + uri


def test_ports_are_the_settings(configure: Callable[..., None]) -> None:
    configure(IMPORT_ALLOWED_PORTS=[8080])
    assert parse("http://images.example.org:8080/").port == 8080
    assert refusal("http://images.example.org/") == FILTER + "http://images.example.org/"


@pytest.mark.parametrize(
    ("entry", "uri"),
    [
        ("localhost", "http://localhost/"),
        ("localhost", "http://LOCALHOST.:8080/"),
        ("LOCALHOST:8080", "http://localhost:8080/"),
        ("127.0.0.1:8080", "http://127.1:8080/"),
        ("mirror.internal:8080", "https://mirror.internal:8080/"),
        ("::1", "http://[::1]:8080/"),
        ("[::1]", "http://[::1]:8080/"),
        ("[::1]:8080", "http://[0:0::1]:8080/"),
        ("mirror.internal.", "http://mirror.internal:8080/"),
        ("Mirror.Internal.:8080", "http://mirror.internal:8080/"),
        ("mirror.internal:", "http://mirror.internal:8080/"),
        ("mirror.internal:08080", "http://mirror.internal:8080/"),
        ("[fd00:0db8::0007]:8080", "http://[fd00:db8::7]:8080/"),
        ("FD00:0DB8:0::7", "http://[fd00:db8::7]:8080/"),
        ("::ffff:10.0.0.7", "http://10.0.0.7:8080/"),
        ("10.0.0.7", "http://[::ffff:10.0.0.7]:8080/"),
        ("127.1", "http://127.0.0.1:8080/"),
        ("0x7f.1:8080", "http://2130706433:8080/"),
        ("bücher.internal", "http://xn--bcher-kva.internal:8080/"),
        ("xn--bcher-kva.internal", "http://BÜCHER.internal:8080/"),
        ("bücher\u3002internal", "http://bücher.internal/"),
    ],
)
def test_trusted_host(configure: Callable[..., None], entry: str, uri: str) -> None:
    configure(IMPORT_TRUSTED_HOSTS=[entry])
    assert parse(uri).url


@pytest.mark.parametrize(
    ("entry", "uri"),
    [
        ("localhost:8080", "http://localhost:8081/"),
        ("localhost:8080", "http://localhost/"),
        ("localhost", "http://a.localhost/"),
        ("mirror.internal", "http://mirror.internal.example.org:8080/"),
        ("", "http://[x/"),
        ("::1:8080", "http://[::1]:8080/"),
        ("127.1:80", "http://127.0.0.1:81/"),
        ("10.0.0.0/8", "http://10.0.0.0/"),
        ("*.internal", "http://mirror.internal:8080/"),
    ],
)
def test_trust_reaches_no_further(configure: Callable[..., None], entry: str, uri: str) -> None:
    configure(IMPORT_TRUSTED_HOSTS=[entry])
    assert refusal(uri) == FILTER + uri


def test_credentials_are_refused_for_a_trusted_host_too(configure: Callable[..., None]) -> None:
    configure(IMPORT_TRUSTED_HOSTS=["localhost"])
    assert refusal("http://ada@localhost/") == CREDENTIALS


@pytest.mark.parametrize(
    "entry",
    [
        "",
        " ",
        " mirror.internal",
        "http://mirror.internal",
        "http://mirror.internal:8080/",
        "mirror.internal/images",
        "ada@mirror.internal",
        "10.0.0.0/8",
        "fd00::/8",
        "[fd00::]/8",
        "*",
        "*.internal",
        ".internal",
        "mirror.internal:0",
        "mirror.internal:65536",
        "mirror.internal:http",
        "256.0.0.1",
        "[::1",
        "::1]:8080",
        "faß.internal",
        "a,b",
    ],
)
def test_entry_that_means_no_host(entry: str) -> None:
    assert trusted_host(entry) == NO_HOST


METADATA = {
    "Alibaba": ["100.100.100.200", "100.100.2.136"],
    "AWS": ["169.254.169.254", "169.254.170.2", "[fd00:ec2::254]", "[fd00:ec2::23]"],
    "Azure": ["169.254.169.254", "168.63.129.16", "[::ffff:168.63.129.16]", "0xa83f8110"],
    "DigitalOcean, Hetzner, OpenStack": ["169.254.169.254", "[fe80::a9fe:a9fe]"],
    "Equinix Metal": ["192.80.8.124"],
    "Google": ["169.254.169.254", "[fd20:ce::254]"],
    "IBM": ["169.254.169.254", "161.26.0.10", "166.8.0.1", "166.11.255.255"],
    "Linode": ["169.254.169.254", "[fd00:a9fe:a9fe::1]"],
    "Oracle": ["169.254.169.254", "192.0.0.192", "[fd00:c1::a9fe:a9fe]"],
    "Scaleway": ["169.254.42.42", "[fd00:42::42]"],
    "Tencent": ["169.254.0.23", "100.88.222.5"],
}


@pytest.mark.parametrize(
    ("cloud", "host"), [(cloud, host) for cloud, hosts in METADATA.items() for host in hosts]
)
def test_address_at_which_a_cloud_serves_its_machines(cloud: str, host: str) -> None:
    uri = f"http://{host}/"
    assert refusal(uri) == FILTER + uri


NETWORKS = ["192.0.0.0/24", "192.88.99.0/24", "161.26.0.0/16", "166.8.0.0/14"]
NETWORKS += ["2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"]


@pytest.mark.parametrize("network", NETWORKS)
def test_a_network_is_not_public_from_its_first_address_to_its_last(network: str) -> None:
    assert not is_public(ip_network(network)[0])
    assert not is_public(ip_network(network)[-1])


NEIGHBOURS = ["168.63.129.15", "168.63.129.17", "192.80.8.123", "192.80.8.125", "192.0.1.0"]
NEIGHBOURS += ["192.88.98.255", "192.88.100.0", "161.25.255.255", "161.27.0.0"]
NEIGHBOURS += ["166.7.255.255", "166.12.0.0", "2001:200::", "2001:db7:ffff::", "2001:db9::"]
NEIGHBOURS += ["2003::", "3ffe:ffff::", "3fff:1000::"]


@pytest.mark.parametrize("address", NEIGHBOURS)
def test_their_neighbours_are_public(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2606:4700::1111", "::ffff:8.8.8.8"])
def test_public_address(address: str) -> None:
    assert is_public(ip_address(address))


@given(st.text(max_size=40))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    for uri in (text, f"http://{text}", f"http://[{text}]/", f"http://{text}.example.org/"):
        try:
            assert parse(uri).url.isascii()
        except InvalidInput:
            continue


def test_query_is_not_in_the_representation() -> None:
    assert "secret" not in repr(parse("http://images.example.org/a?sig=secret"))


@given(st.integers(0, 2**32 - 1))
def test_every_spelling_of_an_address_is_judged_alike(number: int) -> None:
    address = ip_address(number)
    for host in (str(address), str(number), hex(number), f"0{number:o}"):
        try:
            assert parse(f"http://{host}/").host == str(address)
            assert is_public(address)
        except InvalidInput:
            assert not is_public(address)


def test_an_address_in_a_zone_of_this_machine_is_not_public() -> None:
    assert not is_public(ip_address("2606:4700::1111%1"))
