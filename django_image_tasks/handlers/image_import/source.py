"""Where an image may come from. Asked when a task is created, when it runs, and per redirect."""

from __future__ import annotations

import re
import socket
import unicodedata
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_network
from urllib.parse import quote, unquote

from django_image_tasks.conf import conf
from django_image_tasks.exceptions import InvalidInput

URI = re.compile(r"(?:([A-Za-z][A-Za-z0-9+.-]*):)?(?://([^/?#]*))?([^#]*)")
HOST_AND_PORT = re.compile(r"(\[[^\[\]]*\]|[^:\[\]]*)(?::([0-9]{0,5}))?")
HOST_NAME = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*")
NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")

DEFAULT_PORTS = {"http": 80, "https": 443}
EVERY_PORT = -1
NO_HOST = ("", 0)
GLOBAL_UNICAST = IPv6Network("2000::/3")
# ipaddress calls these global, or some release of it did. They may lead to what is not public.
NOT_PUBLIC = [
    ip_network(network)
    for network in (
        "192.0.0.0/24",  # protocol assignments
        "192.88.99.0/24",  # 6to4 relays
        "2001::/23",  # protocol assignments, Teredo and ORCHID among them
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4
        "3fff::/20",  # documentation
        # At these public addresses a cloud serves secrets or services to its own machines.
        "161.26.0.0/16",  # IBM, infrastructure
        "166.8.0.0/14",  # IBM, service endpoints
        "168.63.129.16/32",  # Azure
        "192.80.8.124/32",  # Equinix Metal
    )
]


@dataclass(frozen=True)
class Source:
    """The parts of a URI that the settings allow. What is fetched is put together from them."""

    scheme: str
    host: str
    """In ASCII and lower case, without brackets or a final dot; an address in its usual form."""
    port: int
    target: str = field(repr=False)
    """Path and query, which may be signed."""

    @property
    def origin(self) -> str:
        """Host and port, which messages and logs may show."""
        return netloc(self.host, self.port)

    @property
    def url(self) -> str:
        """The URL to fetch. Keep it out of messages and logs: its query may be signed."""
        return f"{self.scheme}://{self.origin}{self.target}"


def parse(uri: str) -> Source:
    """Take a URI apart; raises InvalidInput if the settings do not allow it. Looks nothing up."""
    if " " in uri or not uri.isprintable():
        raise InvalidInput("The given uri must not contain spaces or invisible characters.")
    scheme, authority, target = _split(uri)
    if "@" in unquote(authority):
        raise InvalidInput("The given uri must not contain credentials.")
    if scheme in ("file", "filesystem"):
        raise InvalidInput(
            "File based imports are not allowed. Please use a non-local source of image data."
        )
    if not (authority and scheme in DEFAULT_PORTS and scheme in conf.IMPORT_ALLOWED_SCHEMES):
        raise InvalidInput(
            "The given uri is not valid. Please specify a valid uri from the following list of "
            f"supported uri {list(conf.IMPORT_ALLOWED_SCHEMES)}"
        )
    host, port = _host_and_port(authority, DEFAULT_PORTS[scheme])
    if not (is_trusted(host, port) or (_may_be_public(host) and port in conf.IMPORT_ALLOWED_PORTS)):
        raise InvalidInput(f"URI for legacy import task does not pass filtering: {uri}")
    path = target if target.startswith("/") else f"/{target}"
    return Source(scheme, host, port, quote(path, safe="/?%:@!$&'()*+,;=-._~[]"))


def netloc(host: str, port: int) -> str:
    """``host:port``, with an IPv6 address in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def is_trusted(host: str, port: int) -> bool:
    """Whether ``IMPORT_TRUSTED_HOSTS`` has this host, whose address then does not matter."""
    meant = {(host, EVERY_PORT), (host, port)}
    return bool(host) and any(trusted_host(entry) in meant for entry in conf.IMPORT_TRUSTED_HOSTS)


@lru_cache
def trusted_host(entry: str) -> tuple[str, int]:
    """Host and port of an entry of ``IMPORT_TRUSTED_HOSTS``, or ``NO_HOST`` if it is malformed."""
    authority = unicodedata.normalize("NFKC", entry)
    if authority.count(":") > 1 and not authority.startswith("["):
        authority = f"[{authority}]"
    return _host_and_port(authority, EVERY_PORT)


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether an address is in the public Internet, and stands for no other that may not be."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:
            return is_public(address.ipv4_mapped)
        if address.scope_id or address not in GLOBAL_UNICAST:
            return False
    if any(address in network for network in NOT_PUBLIC):
        return False
    return address.is_global and not address.is_multicast


def _split(uri: str) -> tuple[str, str, str]:
    match = URI.match(uri)
    scheme, authority, target = match.groups("") if match else ("", "", "")
    return scheme.lower(), unicodedata.normalize("NFKC", authority), target


def _host_and_port(authority: str, default: int) -> tuple[str, int]:
    """The host as it will be looked up, and the port, or ``NO_HOST`` if one is malformed."""
    match = HOST_AND_PORT.fullmatch(authority)
    host = _canonical(match[1]) if match else ""
    if not (match and host):
        return NO_HOST
    if not match[2]:
        return host, default
    port = int(match[2])
    return (host, port) if 0 < port < 65536 else NO_HOST


def _canonical(host: str) -> str:
    """The one spelling of a host that all libraries read alike, or an empty string."""
    host = host.replace("\N{IDEOGRAPHIC FULL STOP}", ".").lower()
    try:
        if host.startswith("["):
            address = IPv6Address(host[1:-1])
            return str(address.ipv4_mapped or address)
        host = host.removesuffix(".")
        name = host.encode("idna").decode("ascii")
        # This is IDNA 2003, which makes strasse of straße. IDNA 2008 takes them for two hosts.
        if not HOST_NAME.fullmatch(name) or host not in (name, name.encode().decode("idna")):
            return ""
        if not NUMBER.fullmatch(name.rpartition(".")[2]):
            return name
        # A host that ends in a number is an address to some resolvers: 127.1, 0x7f000001.
        return str(IPv4Address(socket.inet_aton(name)))
    except (ValueError, OSError):
        return ""


def _may_be_public(host: str) -> bool:
    """Whether a host may be public, as far as can be told without a look-up."""
    if ":" in host:
        return is_public(IPv6Address(host))
    if NUMBER.fullmatch(host.rpartition(".")[2]):
        return is_public(IPv4Address(host))
    return bool(host) and host != "localhost" and not host.endswith(".localhost")
