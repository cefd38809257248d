"""Which addresses an upstream may be reached at, decided when the socket is opened (threats.md U1 to U7).

Pure but for name resolution: no Django, no ORM.
"""

import ipaddress
import socket
from collections.abc import Sequence
from dataclasses import dataclass

IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network
IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
NAT64_LOCAL = ipaddress.IPv6Network("64:ff9b:1::/48")
SITE_LOCAL = ipaddress.IPv6Network("fec0::/10")
SIX_TO_FOUR = ipaddress.IPv6Network("2002::/16")


class NetworkInvalid(ValueError):
    """Not a CIDR, or not a port behind it."""


class AddressForbidden(Exception):
    """A name resolves to an address that is not public and not allowed; no connection was made.

    No OSError: urllib3 would take it for a connection that broke, and hide it.
    """


@dataclass(frozen=True)
class AllowedNetwork:
    """A private network that may be reached, at one port or (None) at any."""

    network: IPNetwork
    port: int | None = None

    def admits(self, address: IPAddress, port: int) -> bool:
        """Whether `address:port` lies in it."""
        return self.port in {None, port} and address.version == self.network.version and address in self.network


def parse_network(text: str) -> AllowedNetwork:
    """Read `10.0.0.0/8`, `127.0.0.0/8:4873`, `fd00::/8` or `[fd00::/8]:443`. Raises NetworkInvalid."""
    cidr, port = text.strip(), ""
    if cidr.startswith("["):
        cidr, _, tail = cidr[1:].partition("]")
        port = tail.removeprefix(":")
    elif cidr.count(":") == 1:
        cidr, _, port = cidr.partition(":")
    if port and not (port.isdigit() and 0 < int(port) <= 65535):  # noqa: PLR2004 - the highest TCP port
        raise NetworkInvalid(f"{text!r} has no port from 1 to 65535 behind its network")
    try:
        return AllowedNetwork(ipaddress.ip_network(cidr, strict=False), int(port) if port else None)
    except ValueError:
        raise NetworkInvalid(f"{text!r} is not a network like 10.0.0.0/8 or 127.0.0.0/8:4873") from None


def embedded(address: IPAddress) -> IPAddress | None:
    """The address that decides: the IPv4 inside a mapped, NAT64 or 6to4 one; None where none may be reached."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in NAT64_LOCAL or address in SITE_LOCAL:
        return None
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    if address in SIX_TO_FOUR:
        return ipaddress.IPv4Address((int(address) >> 80) & 0xFFFFFFFF)
    return address


def is_reachable(address: IPAddress, port: int, allowed: Sequence[AllowedNetwork]) -> bool:
    """Whether `address:port` may be connected to: public, or in an allowed network."""
    inside = embedded(address)
    if inside is None:
        return False
    if any(network.admits(inside, port) for network in allowed):
        return True
    return inside.is_global and not inside.is_multicast and not inside.is_reserved and not inside.is_unspecified


def resolve(host: str, port: int, allowed: Sequence[AllowedNetwork], *, trusted: bool) -> list[tuple[int, tuple[object, ...]]]:
    """One resolution of `host`: the (family, socket address) pairs that may be connected to.

    All must be permitted, or none is used: a name with a public and a private address is refused.
    `trusted` skips the judgement (the operator's own NPM_UPSTREAM_URL). Raises AddressForbidden, OSError.
    """
    found = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    for *_, address in found:
        ip = ipaddress.ip_address(str(address[0]).partition("%")[0])
        if not trusted and not is_reachable(ip, port, allowed):
            raise AddressForbidden(f"{host} resolves to an address that is not public")
    return [(family, address) for family, _, _, _, address in found]


def how_to_allow(address: IPAddress) -> str:
    """What an operator does so that an address may be reached, for whoever has to ask one."""
    return (
        f"An operator of the installation can allow it: ALLOWED_PRIVATE_NETWORKS={address}/{address.max_prefixlen} in the environment of"
        " the web server and of every worker, then a restart."
    )


def literal(host: str) -> IPAddress | None:
    """The address a host name spells without DNS: dotted, decimal, hex or octal forms, and localhost."""
    if host.lower().rstrip(".") == "localhost" or host.lower().rstrip(".").endswith(".localhost"):
        return ipaddress.ip_address("127.0.0.1")
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        pass
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host))
    except OSError:
        return None
