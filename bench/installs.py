"""Installing a real application from each server: wall time of the client, processor time of the server."""

import concurrent.futures
import gzip
import itertools
import json
import os
import resource
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Protocol
from urllib.parse import quote

from bench.cases import ABBREVIATED, ANY, FULL
from bench.clients import COMMANDS, Command, Project
from bench.closure import Closure
from bench.cpu import cpu_seconds, wait_until_idle
from bench.measure import Load, fetch
from bench.peers import Nginx, Peer
from bench.truth import Wrong, check, integrity_of
from bench.upstream import Upstream

AT_ONCE = 8
_numbers = itertools.count(1)  # of installations
OK = 200


class Registry(Protocol):
    """What a client installs from: its address, the token for it, and whose processor time counts."""

    name: str
    prefix: str
    token: str

    @property
    def url(self) -> str:
        """Scheme, host and port."""

    @property
    def processes(self) -> tuple[int, ...]:
        """The roots of its process trees on this machine."""


@dataclass(frozen=True)
class Install:
    """Seconds: of the client by the wall clock, of the server's processors, of the client's own."""

    wall: float
    cpu: float
    client: float


def warm(peers: Iterable[Peer], closure: Closure, upstream: Upstream, say: Callable[[str], None]) -> None:
    """Every server has everything the application asks for, and it is right. nginx, the last, gets the answers of the one before it."""
    answers: dict[tuple[str, bool], bytes] = {}
    before: Peer | None = None
    for peer in peers:
        if isinstance(peer, Nginx):
            _hand_over(peer, before, answers)
        _all_asked(peer, closure, upstream)
        answers = _all_asked(peer, closure, upstream)  # what the first round fetched may have changed what is known of a name
        before = peer
        say(f"{peer.name} has the application's {len(answers)} documents and tarballs")


def measure_installs(
    peers: list[Peer], closure: Closure, folder: Path, *, rounds: int, wanted: Callable[[str], bool], say: Callable[[str], None]
) -> dict[str, dict[str, Install]]:
    """Line -> server -> medians. In each round every server in turn, with an empty cache and a disk at rest each time.

    Two installs more come first and count for nobody: after a rest the disk is nearly twice as fast for one or two of them.
    """
    seen: dict[str, dict[str, list[Install]]] = {}
    commands = [command for command in COMMANDS if wanted(command.title)]
    for peer in peers[-2:]:
        install_once(peer, commands[0], closure, folder / "client")
    for number in range(rounds):
        for command in commands:
            line = seen.setdefault(command.title, {peer.name: [] for peer in peers})
            for peer in (*peers[number % len(peers) :], *peers[: number % len(peers)]):  # nobody is always the first
                line[peer.name].append(install_once(peer, command, closure, folder / "client"))
            say(f"{command.title}: " + ", ".join(f"{name} {_spoken(runs[-1])}" for name, runs in line.items()))
    return {
        title: {
            name: Install(median(one.wall for one in runs), median(one.cpu for one in runs), median(one.client for one in runs))
            for name, runs in line.items()
        }
        for title, line in seen.items()
    }


def _spoken(one: Install) -> str:
    return f"{one.wall:.1f} s, CPU {one.cpu:.2f} s, the client's {one.client:.1f} s"


def install_once(peer: Registry, command: Command, closure: Closure, folder: Path) -> Install:
    """One installation in a new folder below `folder`, with an empty cache and a disk at rest.

    It stays there until the run is over: for minutes after many files were deleted, each file that is created on ext4 looks past
    all of them, and whoever installs next pays for it (npm needed 14 s of processor instead of 8). Raises Wrong when too little
    was installed.
    """
    registry = peer.url + peer.prefix
    project = Project(folder / str(next(_numbers)), registry, peer.token)
    project.put("package.json", closure.manifest)
    if command.lock:
        project.put("package-lock.json", closure.lock_for(registry, command.lock))
    os.sync()  # what the one before left to be written would slow this one down
    wait_until_idle(peer.processes)
    before, own = cpu_seconds(peer.processes), _ended()
    wall = project.run(command.tool, *command.words)
    own = _ended() - own
    wait_until_idle(peer.processes, seconds=5)  # what it does afterwards for the request is its cost too
    used = cpu_seconds(peer.processes) - before
    if project.installed() < len(closure.versions) // 2:
        raise Wrong(f"{command.title} at {peer.name} installed only {project.installed()} packages")
    return Install(wall, used, own)


def _ended() -> float:
    """Processor seconds of all children that have ended; a server has not."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _all_asked(peer: Peer, closure: Closure, upstream: Upstream) -> dict[tuple[str, bool], bytes]:
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        return dict(pool.map(lambda one: (one, _asked(peer, one[0], one[1], closure, upstream)), closure.asked))


def _asked(peer: Peer, path: str, is_short: bool, closure: Closure, upstream: Upstream) -> bytes:  # noqa: FBT001 - of a pair
    is_file = "/-/" in path
    accept = ANY if is_file else ABBREVIATED if is_short else FULL
    headers = {"Accept": accept, "Accept-Encoding": "gzip", "Authorization": f"Bearer {peer.token}", "User-Agent": "npm/11 bench"}
    spelt = peer.prefix + (path if is_file else quote(path, safe="@"))
    status, answered, body = fetch(Load(peer.url, (spelt,), headers, (), Path()), spelt)
    if status != OK:
        raise Wrong(f"{peer.name} answers {status} to {spelt}: {body[:300]!r}")
    if is_file and closure.integrity(path) not in {"", integrity_of(body)}:
        raise Wrong(f"{peer.name}: {path} has not the bytes of the lock file")
    check(peer.name, path, body, upstream, is_packed=answered["Content-Encoding"] == "gzip")
    return body


def _hand_over(nginx: Nginx, before: Peer | None, answers: dict[tuple[str, bool], bytes]) -> None:
    """Gatehouse's own answers as files; the addresses in documents become nginx's."""
    if before is None:
        raise RuntimeError("nginx serves another server's answers: it cannot be the first")
    old, new = (json.dumps(peer.url + peer.prefix)[1:-1].encode() for peer in (before, nginx))
    for (path, is_short), body in answers.items():
        own = body if "/-/" in path else gzip.compress(gzip.decompress(body).replace(old, new), 6)
        nginx.offer(path, own, is_short=is_short)
