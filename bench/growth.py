"""Whether a request costs more where there is more: the same questions to a Gatehouse with 10 and with 100,000 of everything."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from bench import ROOT
from bench.cases import ABBREVIATED
from bench.fill import MANY, ONE
from bench.measure import Figure, Load, fetch, measure
from bench.peers import GatehousePostgreSQL, GatehouseSQLite
from bench.publish import Publishing, publish, send
from tests.parts.pack import pack, publish_document

FEW, LOTS = 10, 100_000
OK = 200
Grown = dict[str, dict[str, Figure]]  # line -> "server, size" -> figure


class Sized:
    """A Gatehouse that holds `size` tokens, registries, packages, and versions of one package."""

    def __init__(self, kind: type[GatehouseSQLite], folder: Path, upstream: str, size: int) -> None:
        self.size, self.is_many_served = size, True
        self.peer = kind(folder, upstream)
        self.name = f"{kind.name.partition(', ')[2]}, {size:,}"

    def start(self) -> str:
        """Start, publish two packages, fill; a sentence saying how long that and the first serving of all the versions took."""
        self.peer.start()
        for name in (ONE, MANY):
            status = send(self.peer, name, json.dumps(publish_document(pack(name))).encode())
            if status not in {200, 201}:
                raise RuntimeError(f"{self.name} answers {status} to the first publish")
            self._served(name)
        filled = self._fill()
        begun = time.monotonic()
        self._served(ONE)
        try:
            self._served(MANY)
        except RuntimeError as error:  # a figure that is missing, not a reason to end the run
            self.is_many_served = False
            return f"filled in {filled:.0f} s; the package with all the versions is not served: {error}"
        return f"filled in {filled:.0f} s; the package with all the versions was first served after {time.monotonic() - begun:.1f} s"

    def _fill(self) -> float:
        begun = time.monotonic()
        words = [sys.executable, "-m", "bench.fill", str(self.size)]
        done = subprocess.run(words, cwd=ROOT, env=self.peer.env, capture_output=True, text=True, timeout=300, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{self.name} cannot be filled: {done.stderr[-2000:]}")
        return time.monotonic() - begun

    def of_many(self, path: str, *, seconds: float, is_conditional: bool = False) -> Figure:
        """A measurement at the package with all the versions; nothing and an error where it is not served."""
        return measure(self.load(path, is_conditional=is_conditional), seconds=seconds) if self.is_many_served else Figure(0, 0, 1)

    def load(self, path: str, *, is_conditional: bool = False, is_new: bool = False) -> Load:
        """A question at this server; the hot path answers it."""
        headers = {"Accept": ABBREVIATED, "Accept-Encoding": "gzip", "Authorization": f"Bearer {self.peer.token}"}
        spelt = self.peer.prefix + path
        load = Load(self.peer.url, (spelt,), headers, self.peer.processes, self.peer.folder, is_new)
        if is_conditional:
            headers["If-None-Match"] = str(fetch(load, spelt)[1]["ETag"])
        return load

    def _served(self, name: str) -> None:
        for path in (name.replace("/", "%2f"), tarball(name)):
            status, _, body = fetch(self.load(path), self.peer.prefix + path)
            if status != OK:
                raise RuntimeError(f"{self.name} answers {status} to {path}: {body[:300]!r}")


def tarball(name: str) -> str:
    """The address of version 1.0.0's tarball."""
    return f"{name}/-/{name.rpartition('/')[2]}-1.0.0.tgz"


def measure_growth(
    folder: Path, upstream: str, *, seconds: float, rounds: int, publishes: int, say: Callable[[str], None]
) -> tuple[Grown, list[str]]:
    """Four servers, each line asked of each in turn. Raises RuntimeError."""
    kinds = (GatehousePostgreSQL, GatehouseSQLite)
    servers = [Sized(kind, folder / f"{kind.__name__}-{size}", upstream, size) for kind in kinds for size in (FEW, LOTS)]
    notes = []
    try:
        for one in servers:
            notes.append(f"{one.name}: {one.start()}")
            say(notes[-1])
        return _lines(servers, seconds, rounds, publishes, say), notes
    finally:
        for one in servers:
            one.peer.stop()


def _lines(servers: list[Sized], seconds: float, rounds: int, publishes: int, say: Callable[[str], None]) -> Grown:
    short, many = ONE.replace("/", "%2f"), MANY.replace("/", "%2f")
    how = Publishing("publish 4 KB, 1 client", 1)
    lines: dict[str, Callable[[Sized], Figure]] = {
        "metadata": lambda one: measure(one.load(short), seconds=seconds),
        "metadata, never asked before": lambda one: measure(one.load(short, is_new=True), seconds=seconds),
        "tarball": lambda one: measure(one.load(tarball(ONE)), seconds=seconds),
        "tarball of the package with all the versions": lambda one: one.of_many(tarball(MANY), seconds=seconds),
        "304 of the package with all the versions": lambda one: one.of_many(many, seconds=seconds, is_conditional=True),
        "publish 4 KB, new packages, 1 client": lambda one: publish(one.peer, how, count=publishes // 3),
    }
    grown: Grown = {}
    for title, ask in lines.items():
        seen: dict[str, list[Figure]] = {one.name: [] for one in servers}
        for _ in range(rounds):
            for one in servers:
                seen[one.name].append(ask(one))
        grown[title] = {
            name: Figure(median(each.rate for each in figures), median(each.cpu for each in figures), sum(each.errors for each in figures))
            for name, figures in seen.items()
        }
        say(f"{title}: " + ", ".join(f"{name} {figure.rate:,.0f}/s {figure.cpu:,.0f} µs" for name, figure in grown[title].items()))
    return grown
