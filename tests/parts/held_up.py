"""The settings of a server whose storage lies elsewhere and, like its reading of long bodies, waits while a file says so."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.core.files.base import File
from django.core.files.storage import FileSystemStorage, Storage
from django.http.multipartparser import MultiPartParser

from packages.formats.npm import scan
from tests.parts.short_limits import *  # noqa: F403 - a settings module
from tests.parts.short_limits import DATA_DIR, DATABASES, STORAGES

PATIENCE = 30.0  # seconds, in case nobody lets go
UPSTREAM_CONNECT_TIMEOUT = 5.0
_options: Any = DATABASES["default"]["OPTIONS"]
if "pool" in _options:
    _options["pool"]["timeout"] = 5  # else who is kept out hears of it in 20 s


def held_up(what: str) -> None:
    """Wait as long as the file of that name is there; beside it one is left for each who waits."""
    until, told = time.monotonic() + PATIENCE, False
    while Path(DATA_DIR, what).exists() and time.monotonic() < until:
        if not told:
            Path(DATA_DIR, f"{what}.{time.monotonic_ns()}").touch()
            told = True
        time.sleep(0.02)


class Elsewhere(Storage):
    """Blobs that are no files of this machine."""

    def __init__(self) -> None:
        self._files = FileSystemStorage(location=str(Path(DATA_DIR, "elsewhere")))

    def _open(self, name: str, mode: str = "rb") -> "File[Any]":
        held_up("loading")
        return self._files.open(name, mode)

    def _save(self, name: str, content: "File[Any]") -> str:
        held_up("storing")
        return self._files.save(name, content)

    def exists(self, name: str) -> bool:
        """Whether it is there."""
        return self._files.exists(name)

    def size(self, name: str) -> int:
        """In bytes."""
        return self._files.size(name)

    def delete(self, name: str) -> None:
        """Remove it."""
        self._files.delete(name)


def _held(read: Callable[..., Any]) -> Callable[..., Any]:
    def wrapped(*args: Any) -> Any:
        held_up("reading")
        return read(*args)

    return wrapped


scan.scan = _held(scan.scan)
MultiPartParser.parse = _held(MultiPartParser.parse)  # type: ignore[method-assign]
STORAGES["blobs"] = {"BACKEND": "tests.parts.held_up.Elsewhere"}
