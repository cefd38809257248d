"""The embedded queue: kombu's messages as files, each there as a whole or not at all.

kombu's own writes into a file that readers see already. Who reads it in between, or after the writer was killed, gets no
message but an error that ends the worker; and it moves messages to the system's folder for temporary files to read them.
"""

import logging
import os
import time
import uuid
from pathlib import Path
from queue import Empty
from typing import Any

from django.conf import settings
from kombu.transport import TRANSPORT_ALIASES, filesystem
from kombu.utils.json import dumps, loads

log = logging.getLogger(__name__)


class Channel(filesystem.Channel):
    """Messages come into being, and are taken, by renaming."""

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

    def _queue_bind(self, exchange: str, *args: Any) -> None:
        """Which queues there are is written down anew when somebody was killed while writing it."""
        try:
            super()._queue_bind(exchange, *args)
        except ValueError:
            Path(self.control_folder, f"{exchange}.exchange").unlink(missing_ok=True)
            super()._queue_bind(exchange, *args)


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
