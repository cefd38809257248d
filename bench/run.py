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

from bench import TOOLS, packages
from bench.cases import CASES, HEAVY, SMALL_METADATA, Case
from bench.cpu import memory_bytes
from bench.measure import Figure, Load, fetch, measure
from bench.peers import GatehousePostgreSQL, GatehouseSQLite, Nginx, Peer, Verdaccio
from bench.publish import PUBLISHING, publish, send
from bench.slow import beside_slow_readers
from bench.table import Results, as_json, markdown
from bench.tools import Missing, install
from bench.upstream import Upstream
from tests.parts.pack import pack, publish_document

OK, NOT_MODIFIED = 200, 304
NAMES = [Verdaccio.name, GatehousePostgreSQL.name, GatehouseSQLite.name, Nginx.name]


def main() -> int:
    """Set up, measure, write the table; 1 with a sentence when something is missing."""
    wanted = _arguments()
    try:
        install()
    except Missing as error:
        sys.stderr.write(f"bench: {error}\n")
        return 1
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # as Ctrl-C: everything that was started is ended
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    folder.chmod(0o755)  # PostgreSQL started by root runs as nobody
    begun, load = time.monotonic(), os.getloadavg()[0]
    try:
        results, notes = _measure_all(folder, wanted)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    cores, seconds = len(os.sched_getaffinity(0)), time.monotonic() - begun
    notes.append(f"{cores} cores, load {load:.1f} before the run, {time.strftime('%Y-%m-%d')}, {seconds:.0f} s")
    text = "\n".join([markdown(results, NAMES), "", *(f"- {note}" for note in notes), ""])
    (TOOLS / "results.md").write_text(text, encoding="utf-8")
    (TOOLS / "results.json").write_text(json.dumps({"table": as_json(results), "notes": notes}, indent=1), encoding="utf-8")
    print("\n" + text)
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--seconds", type=float, default=3, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=3, help="the median counts")
    parser.add_argument("--only", default="", help="only the lines whose title contains this")
    parser.add_argument("--publishes", type=int, default=300, help="versions published in each measurement")
    return parser.parse_args()


def _measure_all(folder: Path, wanted: argparse.Namespace) -> tuple[Results, list[str]]:
    with ExitStack() as stack:
        upstream = stack.enter_context(Upstream())
        nginx = Nginx(folder / "nginx")
        verdaccio = Verdaccio(folder / "verdaccio", upstream.url)
        sqlite, postgres = GatehouseSQLite(folder / "sqlite", upstream.url), GatehousePostgreSQL(folder / "postgres", upstream.url)
        peers: list[Peer] = [verdaccio, postgres, sqlite, nginx]
        for peer in peers:
            stack.callback(peer.stop)
            peer.start()
            _say(f"{peer.name} is up")
        for peer in (verdaccio, postgres, sqlite):
            _publish_private(peer)
        registries: list[Peer] = [verdaccio, postgres, sqlite]
        notes = ["at rest: " + _memory(registries)]
        results = _reading(peers, wanted) | _publishing(registries, wanted)
        notes.append("after the load: " + _memory(registries))
        return results, notes + (_slowly(peers, wanted) if wanted.only in "slow" else [])


def _reading(peers: list[Peer], wanted: argparse.Namespace) -> Results:
    results: Results = {}
    for case in (case for case in CASES if wanted.only in case.title):
        loads = _prepared(peers, case)
        if case.is_conditional:
            loads = {peer: _conditional(load) for peer, load in loads.items()}
        results[case.title] = _rounds(peers, wanted.rounds, lambda peer, loads=loads: measure(loads[peer], seconds=wanted.seconds))  # type: ignore[misc]
        _report(case.title, results)
    return results


def _prepared(peers: list[Peer], case: Case) -> dict[Peer, Load]:
    """Every peer has the answers at hand; nginx, the last, gets those of the peer before it as files."""
    bodies: list[bytes] = []
    for peer in peers:
        if isinstance(peer, Nginx):
            peer.fill(case, bodies)
        bodies = _warm(peer, _load(peer, case))
    return {peer: _load(peer, case) for peer in peers}


def _publishing(peers: list[Peer], wanted: argparse.Namespace) -> Results:
    results: Results = {}
    for how in (how for how in PUBLISHING if wanted.only in how.title):
        results[how.title] = _rounds(peers, wanted.rounds, lambda peer, how=how: publish(peer, how, count=wanted.publishes))  # type: ignore[misc]
        _report(how.title, results)
    return results


def _slowly(peers: list[Peer], wanted: argparse.Namespace) -> list[str]:
    lines = []
    small, heavy = _prepared(peers, SMALL_METADATA), _prepared(peers, HEAVY)
    for peer in peers:
        seen = [beside_slow_readers(small[peer], heavy[peer], seconds=wanted.seconds) for _ in range(wanted.rounds)]
        free, beside = (statistics.median(pair[place].rate for pair in seen) for place in (0, 1))
        ratio = beside / free if free else 0
        lines.append(f"beside 40 slow readers, {peer.name}: small metadata {beside:,.0f}/s, without them {free:,.0f}/s ({ratio:.2f})")
        _say(lines[-1])
    return lines


def _rounds(peers: list[Peer], rounds: int, once: Callable[[Peer], Figure]) -> dict[str, Figure]:
    """Every peer in turn, so often; the medians. A peer slower than one request a second is asked once."""
    seen: dict[str, list[Figure]] = {peer.name: [] for peer in peers}
    for _ in range(rounds):
        for peer in peers:
            if not seen[peer.name] or seen[peer.name][0].rate > 1:
                seen[peer.name].append(once(peer))
    median = statistics.median
    return {
        name: Figure(median(one.rate for one in figures), median(one.cpu for one in figures), sum(one.errors for one in figures))
        for name, figures in seen.items()
    }


def _load(peer: Peer, case: Case) -> Load:
    headers = {"Accept": case.accept, "Accept-Encoding": "gzip", "Authorization": f"Bearer {peer.token}", "User-Agent": "npm/11 bench"}
    return Load(peer.url, peer.paths(case), headers, peer.processes, peer.folder)


def _conditional(load: Load) -> Load:
    """The same by somebody who has the answer already."""
    known = {**load.headers, "If-None-Match": str(fetch(load, load.paths[0])[1]["ETag"])}
    asked = Load(load.url, load.paths, known, load.processes, load.folder)
    status = fetch(asked, asked.paths[0])[0]
    if status != NOT_MODIFIED:
        _say(f"{load.url} answers {status} to If-None-Match")
    return asked


def _warm(peer: Peer, load: Load) -> list[bytes]:
    """Every answer once for the filling of caches, once to look at; says when Gatehouse's thin path does not answer."""
    bodies = []
    for path in load.paths:
        fetch(load, path)
        status, headers, body = fetch(load, path)
        if status != OK:
            raise RuntimeError(f"{peer.name} answers {status} to {path}: {body[:300]!r}")
        if isinstance(peer, GatehouseSQLite) and headers["X-Gatehouse-Path"] != "hot":
            _say(f"{peer.name}: {path} is not answered by the thin path")
        bodies.append(body)
    return bodies


def _publish_private(peer: Peer) -> None:
    for minor in range(5):
        body = json.dumps(publish_document(pack(packages.PRIVATE, f"1.{minor}.0"))).encode()
        status = send(peer, packages.PRIVATE, body)
        if status not in {200, 201}:
            raise RuntimeError(f"{peer.name} answers {status} to the first publish")


def _memory(peers: list[Peer]) -> str:
    return "memory in MB, " + ", ".join(f"{peer.name} {memory_bytes(peer.processes) / 1e6:,.0f}" for peer in peers)


def _report(title: str, results: Results) -> None:
    _say(f"{title}: " + ", ".join(f"{name} {figure.rate:,.1f}/s {figure.cpu:,.0f} µs" for name, figure in results[title].items()))


def _say(line: str) -> None:
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {line}\n")


if __name__ == "__main__":
    sys.exit(main())
