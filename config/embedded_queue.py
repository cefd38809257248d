"""The embedded queue: kombu's messages as files, each there as a whole or not at all.

kombu's own writes into a file that readers see already. Who reads it in between, or after the writer was killed, gets no
message but an error that ends the worker; and it moves messages to the system's folder for temporary files to read them.
The lists of queues it writes in place as well.
"""

import fcntl
import logging
import os
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty
from typing import Any

from django.conf import settings
from kombu.transport import TRANSPORT_ALIASES, filesystem
from kombu.utils.json import dumps, loads

log = logging.getLogger(__name__)
_one_thread = threading.RLock()


class Channel(filesystem.Channel):
    """Messages come into being, and are taken, by renaming; so do the lists of queues behind a name."""

    def _put(self, queue: str, payload: dict[str, Any], **_: Any) -> None:  # type: ignore[override]  # its two parents differ
        name = f"{time.time_ns():020}_{uuid.uuid4()}.{queue}.msg"
        beside = _beside(name)
        beside.write_text(dumps(payload), encoding="utf-8")
        beside.replace(Path(self.data_folder_out, name))

    def _get(self, queue: str, timeout: float | None = None) -> Any:  # noqa: ARG002 - kombu's own, which does not wait either
        for path in sorted(Path(self.data_folder_in).iterdir()):
            if path.name.partition(".")[2] != f"{queue}.msg":
                continue
            taken = _beside(path.name)
            try:
                path.rename(taken)
            except FileNotFoundError:  # another worker was quicker
                continue
            data = taken.read_bytes()
            taken.unlink()
            try:
                return loads(data.decode("utf-8"))
            except ValueError:
                log.warning("a message of the embedded queue was cut off; what it asked for is looked for each minute")
        raise Empty

    def queue_bind(self, queue: str, exchange: str | None = None, *args: Any, **options: Any) -> None:
        """Of two threads that begin with a queue, the second waits until it is listed.

        kombu notes first that it is, then lists it: the other's messages went to the queues of a list without it, none.
        """
        with _one_thread:
            super().queue_bind(queue, exchange, *args, **options)

    def get_table(self, exchange: str) -> list[Any]:
        """The queues behind this name. Raises ValueError when the list cannot be read: a message must not go nowhere."""
        try:
            rows = loads(self._file(exchange).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return []
        return [filesystem.exchange_queue_t(*row) for row in rows]

    def _queue_bind(self, exchange: str, routing_key: str, pattern: str | None, queue: str) -> None:
        row = filesystem.exchange_queue_t(routing_key or "", pattern or "", queue or "")
        with self._one_writer(exchange):
            try:
                rows = self.get_table(exchange)
            except ValueError:  # from a release that wrote in place, killed while it did: everybody lists his queues anew
                rows = []
            if row not in rows:
                self._list(exchange, [row, *rows])

    def _delete(self, queue: str, exchange: str, routing_key: str, pattern: str | None, *_: Any, **__: Any) -> None:
        self._purge(queue)
        row = filesystem.exchange_queue_t(routing_key or "", pattern or "", queue or "")
        with self._one_writer(exchange):
            self._list(exchange, [other for other in self.get_table(exchange) if other != row])

    def _list(self, exchange: str, rows: list[Any]) -> None:
        beside = _beside(f"{exchange}.{uuid.uuid4()}.exchange")
        beside.write_text(dumps(rows), encoding="utf-8")
        beside.replace(self._file(exchange))

    def _file(self, exchange: str) -> Path:
        """Where the list is. Raises ChannelError for a name that leads elsewhere."""
        return Path(self._exchange_file(exchange))  # type: ignore[attr-defined]  # newer than its types

    @contextmanager
    def _one_writer(self, exchange: str) -> Iterator[None]:
        """One process at a time changes a list; who reads it needs no lock, it is replaced as a whole."""
        self.control_folder.mkdir(exist_ok=True)
        with self._file(exchange).with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


class Transport(filesystem.Transport):
    """kombu's, with that channel."""

    Channel = Channel


def use() -> None:
    """Let `filesystem://` mean this one."""
    TRANSPORT_ALIASES["filesystem"] = f"{__name__}:Transport"


def _beside(name: str) -> Path:
    """Where nobody looks for messages, on the same file system; what a crash leaves there is swept."""
    folder = Path(settings.DATA_DIR, "staging")
    folder.mkdir(exist_ok=True)
    return folder / f"{name}.{os.getpid()}.part"
