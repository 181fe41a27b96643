"""Where an image may come from: asked when a task is created, and again at each redirect."""

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

Address = IPv4Address | IPv6Address

URI = re.compile(r"(?:([A-Za-z][A-Za-z0-9+.-]*):)?(?://([^/?#]*))?([^#]*)")
HOST_AND_PORT = re.compile(r"(\[[^\[\]]*\]|[^:\[\]]*)(?::([0-9]{0,5}))?")
HOST_NAME = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*")
NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")

DEFAULT_PORTS = {"http": 80, "https": 443}
EVERY_PORT = -1
NO_HOST = ("", 0)
GLOBAL_UNICAST = IPv6Network("2000::/3")
# Global by their registry, and yet a way to an address that need not be.
NOT_PUBLIC = [
    ip_network(network)
    for network in (
        "192.0.0.0/24",  # protocol assignments
        "192.88.99.0/24",  # 6to4 relays
        "2001::/23",  # protocol assignments, Teredo and ORCHID among them
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4
        "3fff::/20",  # documentation
        # Public addresses at which a cloud serves its own machines.
        "161.26.0.0/16",  # IBM, infrastructure
        "166.8.0.0/14",  # IBM, service endpoints
        "168.63.129.16/32",  # Azure
        "192.80.8.124/32",  # Equinix Metal
    )
]


@dataclass(frozen=True)
class Source:
    """A URI that the policy allows, taken apart once: what was checked is what is fetched."""

    scheme: str
    host: str
    """In ASCII and lower case, without brackets or a final dot; an address in its usual form."""
    port: int
    target: str = field(repr=False)
    """Path and query, which may be signed."""

    @property
    def origin(self) -> str:
        return netloc(self.host, self.port)

    @property
    def url(self) -> str:
        """What to fetch. Its query may be signed: not for messages and logs."""
        return f"{self.scheme}://{self.origin}{self.target}"


def parse(uri: str) -> Source:
    """The source that ``uri`` names. Looks nothing up.

    Raises :exc:`~django_image_tasks.exceptions.InvalidInput` if the policy does not allow it.
    """
    scheme, authority, target = _split(uri)
    if "@" in unquote(authority):
        raise InvalidInput("The given uri must not contain credentials.")
    if scheme in ("file", "filesystem"):
        raise InvalidInput(
            "File based imports are not allowed. Please use a non-local source of image data."
        )
    if not _well_formed(uri, scheme, authority):
        raise InvalidInput(
            "The given uri is not valid. Please specify a valid uri from the following list of "
            f"supported uri {list(conf.IMPORT_ALLOWED_SCHEMES)}"
        )
    host, port = _host_and_port(authority, DEFAULT_PORTS[scheme])
    if not (is_trusted(host, port) or (_may_be_public(host) and port in conf.IMPORT_ALLOWED_PORTS)):
        raise InvalidInput(f"URI for legacy import task does not pass filtering: {uri}")
    return Source(scheme, host, port, _target(target))


def netloc(host: str, port: int) -> str:
    """``host:port``, for URLs, messages and logs."""
    return f"{_bracketed(host)}:{port}"


def is_trusted(host: str, port: int) -> bool:
    """Whether ``IMPORT_TRUSTED_HOSTS`` lets this host be fetched from, whatever its address."""
    meant = {(host, EVERY_PORT), (host, port)}
    return bool(host) and any(trusted_host(entry) in meant for entry in conf.IMPORT_TRUSTED_HOSTS)


@lru_cache
def trusted_host(entry: str) -> tuple[str, int]:
    """Host and port that an entry of ``IMPORT_TRUSTED_HOSTS`` means, or ``NO_HOST``."""
    authority = unicodedata.normalize("NFKC", entry)
    if authority.count(":") > 1 and not authority.startswith("["):
        authority = f"[{authority}]"
    return _host_and_port(authority, EVERY_PORT)


def is_public(address: Address) -> bool:
    """Whether the address is one of the public Internet, and leads nowhere else."""
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


def _well_formed(uri: str, scheme: str, authority: str) -> bool:
    known = scheme in conf.IMPORT_ALLOWED_SCHEMES and scheme in DEFAULT_PORTS
    return known and bool(authority) and uri.isprintable() and " " not in uri


def _host_and_port(authority: str, default: int) -> tuple[str, int]:
    """The host as it will be looked up, and the port; ``NO_HOST`` for what can be neither."""
    match = HOST_AND_PORT.fullmatch(authority)
    host = _canonical(match[1]) if match else ""
    if not (match and host):
        return NO_HOST
    if not match[2]:
        return host, default
    port = int(match[2])
    return (host, port) if 0 < port < 65536 else NO_HOST


def _canonical(host: str) -> str:
    host = host.replace("\N{IDEOGRAPHIC FULL STOP}", ".").lower()
    try:
        if host.startswith("["):
            address = IPv6Address(host[1:-1])
            return str(address.ipv4_mapped or address)
        host = host.removesuffix(".")
        name = host.encode("idna").decode("ascii")
        # A name that does not come back as it went in is read differently by other libraries.
        if not HOST_NAME.fullmatch(name) or host not in (name, name.encode().decode("idna")):
            return ""
        if not NUMBER.fullmatch(name.rpartition(".")[2]):
            return name
        return str(IPv4Address(socket.inet_aton(name)))
    except (ValueError, OSError):
        return ""


def _may_be_public(host: str) -> bool:
    """False for what needs no look-up to be known as local."""
    if ":" in host:
        return is_public(IPv6Address(host))
    if NUMBER.fullmatch(host.rpartition(".")[2]):
        return is_public(IPv4Address(host))
    return bool(host) and host != "localhost" and not host.endswith(".localhost")


def _target(target: str) -> str:
    return quote(target if target.startswith("/") else f"/{target}", safe="/?%:@!$&'()*+,;=-._~[]")


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
