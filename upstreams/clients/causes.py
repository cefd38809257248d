"""Why a line to an upstream did not come about or broke: a word for programs, a few for people. Nothing the upstream sent."""

import ssl
from collections.abc import Iterator

import urllib3
from urllib3.exceptions import NameResolutionError, NewConnectionError

# OpenSSL's X509_V_ERR_…: the few that happen to upstreams.
NOT_TRUSTED = ("tls_trust", "its TLS certificate is of an authority this machine does not trust")
OTHER_NAME = ("tls_name", "its TLS certificate is for another name")
CERTIFICATES = {
    9: ("tls_expired", "its TLS certificate is not valid yet"),
    10: ("tls_expired", "its TLS certificate has expired"),
    18: ("tls_trust", "its TLS certificate is self-signed"),
    19: NOT_TRUSTED,
    20: NOT_TRUSTED,
    21: NOT_TRUSTED,
    23: ("tls_revoked", "its TLS certificate was revoked"),
    62: OTHER_NAME,
    64: OTHER_NAME,
}
WRONG_PROTOCOL = frozenset({"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNKNOWN_PROTOCOL", "PACKET_LENGTH_TOO_LONG", "RECORD_LAYER_FAILURE"})


def cause_of(error: Exception) -> tuple[str, str]:
    """The kind of trouble (dns, refused, no_way, tls_…, broken), and the same in a few words an operator can act on."""
    if isinstance(error, NameResolutionError):
        return "dns", "its name does not resolve"
    if isinstance(error, NewConnectionError):
        is_refusal = isinstance(error.__cause__, ConnectionRefusedError)
        return ("refused", "connection refused") if is_refusal else ("no_way", "there is no way to its address")
    if isinstance(error, urllib3.exceptions.SSLError | ssl.SSLError):
        return _tls(error)
    return "broken", "the connection broke"


def _tls(error: Exception) -> tuple[str, str]:
    """However deep the libraries have wrapped it."""
    for one in _chain(error):
        if isinstance(one, ssl.SSLCertVerificationError):
            return CERTIFICATES.get(one.verify_code, ("tls", "TLS failed"))
        if isinstance(one, ssl.SSLError) and one.reason in WRONG_PROTOCOL:
            return "tls_none", "it does not speak TLS at that port"
    return "tls", "TLS failed"


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error with those it came from, and those it was made of."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        one = waiting.pop()
        if one is not None and id(one) not in seen:
            seen.add(id(one))
            yield one
            waiting += [one.__cause__, one.__context__, *(arg for arg in one.args if isinstance(arg, BaseException))]
