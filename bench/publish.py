"""Publishing as clients do: one PUT each, new packages or one package for all; counts what was refused and what was lost."""

import http.client
import itertools
import json
import random
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from bench.cpu import cpu_seconds, wait_until_idle
from bench.measure import Figure
from bench.peers import Peer
from bench.wire import Broken, Wire
from tests.parts.pack import pack, publish_document

TEXT = 4096  # bytes that cannot be compressed
runs = itertools.count()


@dataclass(frozen=True)
class Publishing:
    """One line of the table."""

    title: str
    clients: int
    is_one_package: bool = False


PUBLISHING = (
    Publishing("publish 4 KB, 1 client", 1),
    Publishing("publish 4 KB, 8 clients", 8),
    Publishing("publish, 8 clients on one package", 8, is_one_package=True),
)


@dataclass(frozen=True)
class _Put:
    name: str
    version: str
    body: bytes


def publish(peer: Peer, how: Publishing, *, count: int) -> Figure:
    """Publish `count` versions with so many clients at once. Errors are refusals and acknowledged versions that are not listed."""
    puts = _puts(how, f"@bench/run{next(runs)}", count)
    acknowledged: list[_Put] = []
    shares = [threading.Thread(target=_client, args=(peer, puts[number :: how.clients], acknowledged)) for number in range(how.clients)]
    wait_until_idle(peer.processes)
    before, begun = cpu_seconds(peer.processes), time.monotonic()
    for one in shares:
        one.start()
    for one in shares:
        one.join()
    seconds, used = time.monotonic() - begun, cpu_seconds(peer.processes) - before
    lost = _lost(peer, acknowledged)
    done = len(acknowledged)
    return Figure(done / seconds, used / done * 1e6 if done else 0, count - done + lost)


def send(peer: Peer, name: str, body: bytes) -> int:
    """One PUT; the status. Raises OSError, Broken."""
    with Wire(peer) as wire:
        return wire.put(_path(peer, name), body)


def _client(peer: Peer, puts: list[_Put], acknowledged: list[_Put]) -> None:
    """One after the other; behind a broken connection goes a new one."""
    left = iter(puts)
    while (put := next(left, None)) is not None:
        with suppress(OSError, Broken), Wire(peer) as wire:
            while put is not None:
                if wire.put(_path(peer, put.name), put.body) in {200, 201}:
                    acknowledged.append(put)
                put = next(left, None)


def _path(peer: Peer, name: str) -> str:
    return peer.prefix + quote(name, safe="@")


def _puts(how: Publishing, stem: str, count: int) -> list[_Put]:
    made = []
    for number in range(count):
        name, version = (stem, f"1.0.{number}") if how.is_one_package else (f"{stem}-{number}", "1.0.0")
        packed = pack(name, version, files={"data.bin": random.Random(number).randbytes(TEXT)})
        made.append(_Put(name, version, json.dumps(publish_document(packed)).encode()))
    return made


def _lost(peer: Peer, acknowledged: list[_Put]) -> int:
    """How many acknowledged versions a reader does not find (of many packages: the last fifty)."""
    listed: dict[str, set[str]] = {}
    looked = acknowledged[-50:] if len({put.name for put in acknowledged}) > 1 else acknowledged
    connection = http.client.HTTPConnection(urlsplit(peer.url).netloc, timeout=60)
    for name in {put.name for put in looked}:
        connection.request("GET", peer.prefix + quote(name, safe="@"), headers={"Authorization": f"Bearer {peer.token}"})
        answer = connection.getresponse()
        listed[name] = set(json.loads(answer.read()).get("versions", {}))
    connection.close()
    return sum(put.version not in listed[put.name] for put in looked)
