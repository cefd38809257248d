"""`make bench`: Gatehouse on SQLite and on PostgreSQL, Verdaccio, and nginx with the same bytes, interleaved in one run."""

import argparse
import json
import os
import shutil
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from urllib3.exceptions import HTTPError

from bench import TOOLS, cases, packages
from bench.chosen import Chosen, made_up, real
from bench.clients import COMMANDS, Failed
from bench.closure import FOLDER, Closure, keep, kept_closure
from bench.cold import measure_cold
from bench.cpu import memory
from bench.crowd import Beside, beside_crowd
from bench.growth import measure_growth
from bench.installs import measure_installs, warm
from bench.kept import Kept
from bench.measure import Figure, measure
from bench.mirroring import measure_mirrors
from bench.pages import measure_pages
from bench.peers import GatehousePostgreSQL, GatehouseSQLite, Nginx, Peer, Verdaccio
from bench.publish import PUBLISHING, publish, send
from bench.reading import prepared
from bench.slow import beside_slow_readers
from bench.table import Outcome, as_json, markdown
from bench.tools import Missing, install
from bench.upstream import Upstream
from tests.parts.pack import pack, publish_document

# sections that are no line of their own
SLOW, INSTALLS, GROWTH, COLD, MIRROR, PAGES = "slow clients", "installs", "growth", "cold", "mirror", "pages"
INSTALL_LINES = [f"{INSTALLS}: {command.title}" for command in COMMANDS]
SETTLED = 10  # seconds until a server that was just started is at rest


def main() -> int:
    """Set up, measure, write the table; 1 with a sentence when something is missing."""
    wanted = _arguments()
    try:
        install()
    except Missing as error:
        sys.stderr.write(f"bench: {error}\n")
        return 1
    closure, why = _closure()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # as Ctrl-C: everything that was started is ended
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    folder.chmod(0o755)  # PostgreSQL started by root runs as nobody
    begun, load = time.monotonic(), os.getloadavg()[0]
    try:
        outcome = Run(folder, wanted, closure, why).all()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    cores, seconds = len(os.sched_getaffinity(0)), time.monotonic() - begun
    told = f"{wanted.rounds} rounds of {wanted.seconds:g} s, {wanted.installs} of installs"
    outcome.notes.append(f"{cores} cores, load {load:.1f} before the run, {time.strftime('%Y-%m-%d')}, {seconds:.0f} s, {told}")
    text = markdown(outcome)
    (TOOLS / "results.md").write_text(text, encoding="utf-8")
    (TOOLS / "results.json").write_text(json.dumps(as_json(outcome), indent=1), encoding="utf-8")
    print("\n" + text)
    return 0


class Run:
    """One run: the servers, and the sections in order."""

    def __init__(self, folder: Path, wanted: argparse.Namespace, closure: Closure | None, why: str) -> None:
        self.folder, self.given, self.closure, self.why = folder, wanted, closure, why
        self.outcome = Outcome()
        self.kept = Kept(FOLDER)
        self.peers: list[Peer] = []

    def all(self) -> Outcome:
        """Measure what is wanted. Raises Wrong when an answer is not right."""
        with Upstream(self.kept) as upstream:
            chosen = real(self.closure, self.kept) if self.closure else made_up(self.why)
            self.outcome.notes.append(chosen.told)
            titles = [case.title for case in cases.cases(chosen)] + [how.title for how in PUBLISHING] + [SLOW, *INSTALL_LINES, "memory"]
            if any(map(self._wants, titles)):
                self._with_peers(upstream, chosen)
            if self._wants(GROWTH):
                self._growth(upstream)
        if self.closure and self._wants(COLD):
            self.outcome.cold = measure_cold(self.closure, self.folder, rounds=self.given.installs, say=say)
        if self._wants(MIRROR):
            self.outcome.mirrored = measure_mirrors(self.folder, count=self.given.mirrored, say=say)
        if self._wants(PAGES):
            self.outcome.pages, notes = measure_pages(self.folder, rounds=self.given.pages, say=say)
            self.outcome.notes += notes
        return self.outcome

    def _with_peers(self, upstream: Upstream, chosen: Chosen) -> None:
        folder = self.folder
        with ExitStack() as servers:
            self.peers = [
                Verdaccio(folder / "verdaccio", upstream.url),
                GatehousePostgreSQL(folder / "postgres", upstream.url),
                GatehouseSQLite(folder / "sqlite", upstream.url),
                Nginx(folder / "nginx"),
            ]
            for peer in self.peers:
                servers.callback(peer.stop)
                peer.start()
                say(f"{peer.name} is up")
            time.sleep(SETTLED)
            self._remember_memory("rest")
            self._sections(upstream, chosen)

    def _sections(self, upstream: Upstream, chosen: Chosen) -> None:
        for peer in self.registries:
            _publish_private(peer)
        for case in cases.cases(chosen):
            if self._wants(case.title):
                loads = prepared(self.peers, case, upstream, say)
                self._rounds(case.title, self.peers, lambda peer, loads=loads: measure(loads[peer], seconds=self.given.seconds))  # type: ignore[misc]
        for how in PUBLISHING:
            if self._wants(how.title):
                self._rounds(how.title, self.registries, lambda peer, how=how: publish(peer, how, count=self.given.publishes))  # type: ignore[misc]
        if self._wants(SLOW):
            self._slow(upstream, chosen)
        if self.closure and any(map(self._wants, INSTALL_LINES)):
            self._installs(self.closure, upstream)

    def _slow(self, upstream: Upstream, chosen: Chosen) -> None:
        by_title = {case.title: case for case in cases.cases(chosen)}
        small, heavy = (prepared(self.peers, by_title[title], upstream, say) for title in (cases.SMALL, cases.HEAVY))
        pairs: dict[str, list[tuple[Figure, Figure]]] = {peer.name: [] for peer in self.peers}
        crowds: dict[str, list[Beside]] = {peer.name: [] for peer in self.peers}
        for _ in range(self.given.rounds):
            for peer in self.peers:
                pairs[peer.name].append(beside_slow_readers(small[peer], heavy[peer], seconds=self.given.seconds))
                put = peer.prefix + cases.spelt(packages.PRIVATE)
                crowds[peer.name].append(beside_crowd(small[peer], heavy[peer], put, seconds=self.given.seconds))
        for name, seen in pairs.items():
            free, beside = (statistics.median(pair[place].rate for pair in seen) for place in (0, 1))
            self.outcome.readers[name] = (beside, free)
            self.outcome.crowds[name] = sorted(crowds[name], key=lambda one: one.p95 / (one.free_p95 or 1))[len(crowds[name]) // 2]
            say(f"{name}: beside 40 slow readers {beside:,.0f}/s of {free:,.0f}/s; beside 200 slow clients {self.outcome.crowds[name]}")
        self._remember_memory("load")

    def _installs(self, closure: Closure, upstream: Upstream) -> None:
        warm(self.peers, closure, upstream, say)
        self._remember_memory("load")
        self.outcome.installs = measure_installs(
            self.peers, closure, self.folder, rounds=self.given.installs, wanted=lambda title: self._wants(f"{INSTALLS}: {title}"), say=say
        )
        self._remember_memory("load")

    def _growth(self, upstream: Upstream) -> None:
        given = self.given
        grown, notes = measure_growth(
            self.folder, upstream.url, seconds=given.seconds, rounds=given.rounds, publishes=given.publishes, say=say
        )
        self.outcome.growth = grown
        self.outcome.notes += notes

    def _rounds(self, title: str, peers: list[Peer], once: Callable[[Peer], Figure]) -> None:
        """Every peer in turn, so often; the medians. A peer slower than one request a second is asked once."""
        seen: dict[str, list[Figure]] = {peer.name: [] for peer in peers}
        for _ in range(self.given.rounds):
            for peer in peers:
                if not seen[peer.name] or seen[peer.name][0].rate > 1:
                    seen[peer.name].append(once(peer))
        median = statistics.median
        line = {
            name: Figure(median(one.rate for one in figures), median(one.cpu for one in figures), sum(one.errors for one in figures))
            for name, figures in seen.items()
        }
        self.outcome.rates[title] = line
        say(f"{title}: " + ", ".join(f"{name} {figure.rate:,.1f}/s {figure.cpu:,.0f} µs" for name, figure in line.items()))
        self._remember_memory("load")

    def _remember_memory(self, when: str) -> None:
        """At rest: now. Under load: the most seen so far, by process."""
        for peer in self.peers:
            processes = memory(peer.processes)
            total = sum(size for _, size in processes) / 1e6
            known = self.outcome.memory.setdefault(peer.name, {})
            if total > known.get(when, 0):
                known[when] = total
                known[f"processes at {when}"] = [[name, round(size / 1e6, 1)] for name, size in sorted(processes, key=lambda one: -one[1])]

    @property
    def registries(self) -> list[Peer]:
        """The peers that take what is published."""
        return [peer for peer in self.peers if not isinstance(peer, Nginx)]

    def _wants(self, title: str) -> bool:
        """Whether --only lets a line or section through; one of its words is enough."""
        return any(word in title for word in self.given.only) if self.given.only else True


def _closure() -> tuple[Closure | None, str]:
    """The real application, kept on the first run; else None and why."""
    if (found := kept_closure()) is not None:
        return found, ""
    say("keeping the packages of the application, once")
    try:
        return keep(), ""
    except (Failed, HTTPError, OSError) as error:
        say(f"the application's packages cannot be kept: {error}")
        return None, f"the configured public registry gave none: {type(error).__name__}"


def _publish_private(peer: Peer) -> None:
    for minor in range(5):
        body = json.dumps(publish_document(pack(packages.PRIVATE, f"1.{minor}.0"))).encode()
        status = send(peer, packages.PRIVATE, body)
        if status not in {200, 201}:
            raise RuntimeError(f"{peer.name} answers {status} to the first publish")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--seconds", type=float, default=2, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=3, help="the median counts")
    parser.add_argument("--installs", type=int, default=3, help="rounds of installs")
    parser.add_argument("--publishes", type=int, default=300, help="versions published in each measurement")
    parser.add_argument("--mirrored", type=int, default=10_000, help="packages of the mirror job")
    parser.add_argument("--pages", type=int, default=7, help="times each page is asked for, at 1,000,000 versions")
    parser.add_argument(
        "--only",
        nargs="*",
        default=[],
        help=f"only lines whose title has one of these words; sections are {SLOW}, {INSTALLS}, {GROWTH}, {COLD}, {MIRROR}, {PAGES}",
    )
    return parser.parse_args()


def say(line: str) -> None:
    """A line of progress."""
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {line}\n")


if __name__ == "__main__":
    sys.exit(main())
