"""Forty readers who take 10 MB at 100 KB/s each: what is left for everybody else."""

import asyncio
from contextlib import suppress
from urllib.parse import urlsplit

from bench.beside import Clients
from bench.measure import Figure, Load, measure

READERS, BYTES, PAUSE = 40, 10_240, 0.1


class SlowReaders(Clients):
    """Forty downloads that have begun and will not end soon; a context manager."""

    def __init__(self, load: Load) -> None:
        super().__init__([self._read] * READERS, settled=2)
        self._load = load
        self.answered = 0  # readers that were answered 200

    async def _read(self) -> None:
        at = urlsplit(self._load.url)
        stream, writer = await asyncio.open_connection(at.hostname, at.port, limit=BYTES)
        lines = [
            f"GET {self._load.paths[0]} HTTP/1.1",
            f"Host: {at.netloc}",
            *(f"{key}: {value}" for key, value in self._load.headers.items()),
        ]
        writer.write("\r\n".join([*lines, "", ""]).encode())
        with suppress(OSError):
            if b" 200 " in await stream.readline():
                self.answered += 1
            while await stream.read(BYTES):  # noqa: ASYNC110 - a pace, no waiting for a condition
                await asyncio.sleep(PAUSE)
        writer.close()


def beside_slow_readers(small: Load, heavy: Load, *, seconds: float) -> tuple[Figure, Figure]:
    """The rate of small metadata alone, and while the forty read."""
    free = measure(small, seconds=seconds)
    with SlowReaders(heavy) as readers:
        beside = measure(small, seconds=seconds)
    if readers.answered < READERS:  # the figure would say nothing
        raise RuntimeError(f"{heavy.url} began only {readers.answered} of {READERS} slow downloads")
    return free, beside
