"""Two hundred slow clients of three kinds: what is left for everybody else."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

from bench.beside import Clients
from bench.measure import Load, latency

CLIENTS, BYTES, PAUSE = 200, 10_240, 0.1
LONG_BODY = 1_000_000


@dataclass(frozen=True)
class Beside:
    """Small metadata alone and beside the crowd: requests per second, and the 95th percentile in milliseconds."""

    free_rate: float
    free_p95: float
    rate: float
    p95: float
    connected: int


class Crowd(Clients):
    """A third sends its headers slowly, a third its body, a third reads 10 MB slowly; a context manager.

    `put` is a path that takes a body. Who is cut off by the server does not come back.
    """

    def __init__(self, heavy: Load, put: str) -> None:
        kinds = (self._slow_headers, self._slow_body, self._slow_reader)
        super().__init__([kinds[number % 3] for number in range(CLIENTS)], settled=3)
        self._heavy, self._put = heavy, put
        self.connected = 0

    async def _slow_headers(self) -> None:
        await self._drip(b"GET / HTTP/1.1\r\nHost: slow\r\n", b"x")

    async def _slow_body(self) -> None:
        await self._drip(self._head("PUT", self._put, f"Content-Length: {LONG_BODY}", "Content-Type: application/json") + b"{", b" ")

    async def _drip(self, first: bytes, then: bytes) -> None:
        with suppress(OSError):
            _, writer = await self._open()
            writer.write(first)
            while not writer.is_closing():
                await writer.drain()
                await asyncio.sleep(1)
                writer.write(then)

    async def _slow_reader(self) -> None:
        with suppress(OSError):
            reader, writer = await self._open()
            writer.write(self._head("GET", self._heavy.paths[0]))
            while await reader.read(BYTES):  # noqa: ASYNC110 - a pace, no waiting for a condition
                await asyncio.sleep(PAUSE)
            writer.close()

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        at = urlsplit(self._heavy.url)
        found = await asyncio.open_connection(at.hostname, at.port, limit=BYTES)
        self.connected += 1
        return found

    def _head(self, method: str, path: str, *more: str) -> bytes:
        lines = [f"{method} {path} HTTP/1.1", f"Host: {urlsplit(self._heavy.url).netloc}"]
        lines += [f"{key}: {value}" for key, value in self._heavy.headers.items()]
        return "\r\n".join([*lines, *more, "", ""]).encode()


def beside_crowd(small: Load, heavy: Load, put: str, *, seconds: float) -> Beside:
    """Small metadata alone, and while the two hundred are there."""
    free_rate, free_p95 = latency(small, seconds=seconds)
    with Crowd(heavy, put) as crowd:
        rate, p95 = latency(small, seconds=seconds)
    if crowd.connected < CLIENTS:
        raise RuntimeError(f"{heavy.url} let only {crowd.connected} of {CLIENTS} slow clients connect")
    return Beside(free_rate, free_p95, rate, p95, crowd.connected)
