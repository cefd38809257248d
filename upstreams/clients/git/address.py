"""Addresses of Git repositories: https, http, ssh in both spellings, and a path on the server's own disk. Pure."""

import posixpath
import re
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

LENGTH = 500
HOST = r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]{2,45}\])"
USER = r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}"
SHORT = re.compile(rf"(?:(?P<user>{USER})@)?(?P<host>{HOST}):(?P<path>(?!/[/-])[^:-].*)")  # git@host:x.git
PORTS = {"https": 443, "http": 80, "ssh": 22}


class AddressInvalid(ValueError):
    """Not an address of a Git repository that may be used; says why."""


class Way(StrEnum):
    """How a repository is reached."""

    HTTPS = "https"
    HTTP = "http"
    SSH = "ssh"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class Address:
    """A repository's address. `url` is what git is given; host and port are empty for a path."""

    way: Way
    url: str
    host: str = ""
    port: int = 0

    @property
    def origin(self) -> tuple[str, str, int]:
        """Where credentials may go."""
        return self.way.value, self.host.lower(), self.port


def parse(text: str) -> Address:
    """Read an address. Raises AddressInvalid."""
    if not text or len(text) > LENGTH or not text.isprintable() or " " in text or text.startswith("-"):
        raise AddressInvalid("it has blanks or control characters, or is too long")
    if text.startswith("/") or text.lower().startswith("file:"):
        return _on_disk(text)
    if "://" in text:
        return _with_scheme(text)
    if (found := SHORT.fullmatch(text)) is not None:
        return Address(Way.SSH, text, found["host"].strip("[]"), PORTS["ssh"])
    raise AddressInvalid("it has no scheme that is known")


def _on_disk(text: str) -> Address:
    path = text[len("file://") :] if text.lower().startswith("file://") else text
    if not path.startswith("/") or posixpath.normpath(path) != (path.rstrip("/") or "/") or path.startswith("//"):
        raise AddressInvalid("a path is absolute, without “.” and “..”")
    return Address(Way.FILE, f"file://{path}")


def _with_scheme(text: str) -> Address:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise AddressInvalid("it cannot be read, or has no valid port") from None
    if parts.scheme not in PORTS:
        raise AddressInvalid("its scheme is none of https, http, ssh and file")
    host = parts.netloc.rpartition("@")[2].removesuffix(f":{port}")
    if not re.fullmatch(HOST, host) or parts.query or parts.fragment or not parts.path.strip("/"):
        raise AddressInvalid("it needs a host and a path, and has no query or fragment")
    user = parts.netloc.rpartition("@")[0]
    if user and (parts.scheme != "ssh" or not re.fullmatch(USER, user)):
        raise AddressInvalid("it has no credentials in it; a user name is for ssh alone")
    if port == 0 or parts.path.startswith("/-"):
        raise AddressInvalid("its port or path cannot be used")
    return Address(Way(parts.scheme), text, host.strip("[]").lower(), port or PORTS[parts.scheme])
