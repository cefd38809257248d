"""Cold installations: the application through an empty registry, and from its upstream directly.

Two upstreams: nginx with the kept packages as files, which answers at once and takes next to nothing of the processor that the
client and the registry under test share; and the public registry this machine is configured for, as anybody would use it.
Every registry is started anew for each installation.
"""

import gzip
import itertools
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median

from bench.clients import COMMANDS, Failed
from bench.closure import FOLDER, Closure
from bench.installs import Install, install_once
from bench.kept import HERE, Kept, outside
from bench.peers import GatehousePostgreSQL, GatehouseSQLite, Nginx, Peer, Verdaccio
from bench.tools import NODE, NPM
from packages.formats.npm.packument import SHORT_FIELDS

COLD = next(command for command in COMMANDS if command.lock == "full")
DIRECT = "directly"
_numbers = itertools.count(1)  # of empty registries, which stay until the run is over (installs.install_once)
LOOPBACK, PUBLIC = "nginx on loopback", "the configured public registry"
EMPTY: Mapping[str, type[Verdaccio | GatehousePostgreSQL | GatehouseSQLite]] = {
    kind.name: kind for kind in (Verdaccio, GatehousePostgreSQL, GatehouseSQLite)
}


class Outside:
    """The public registry this machine is configured for, asked by the client itself."""

    prefix, token = "/", ""
    processes: tuple[int, ...] = ()

    def __init__(self, url: str) -> None:
        self.name, self.url = DIRECT, url


Colds = dict[str, dict[str, Install]]  # upstream -> server ("directly" for the upstream itself) -> medians


def measure_cold(closure: Closure, folder: Path, *, rounds: int, say: Callable[[str], None]) -> Colds:
    """From nginx on loopback, and from the configured public registry, if it can be reached now."""
    upstream = Nginx(folder / "upstream")
    upstream.start()
    try:
        _stock(upstream, closure)
        found = {LOOPBACK: _measured(upstream, upstream.url + "/site", closure, folder, rounds, say)}
    finally:
        upstream.stop()
    try:
        url = outside([str(NODE), str(NPM)])
        found[PUBLIC] = _measured(Outside(url), url, closure, folder, rounds, say)
    except (Failed, OSError) as error:
        say(f"cold: the configured public registry is left out: {type(error).__name__}")
    return found


def _measured(
    direct: Peer | Outside, url: str, closure: Closure, folder: Path, rounds: int, say: Callable[[str], None]
) -> dict[str, Install]:
    seen: dict[str, list[Install]] = {name: [] for name in (DIRECT, *EMPTY)}
    for _ in range(rounds):
        seen[DIRECT].append(install_once(direct, COLD, closure, folder / "client"))
        for name, kind in EMPTY.items():
            seen[name].append(_through(kind(folder / f"empty-{next(_numbers)}", url), closure, folder))
        say("cold: " + ", ".join(f"{name} {runs[-1].wall:.1f} s, CPU {runs[-1].cpu:.2f} s" for name, runs in seen.items()))
    return {
        name: Install(median(one.wall for one in runs), median(one.cpu for one in runs), median(one.client for one in runs))
        for name, runs in seen.items()
    }


def _through(peer: Peer, closure: Closure, folder: Path) -> Install:
    """One installation through a registry that has nothing yet."""
    try:
        peer.start()
        return install_once(peer, COLD, closure, folder / "client")
    finally:
        peer.stop()


def _stock(upstream: Nginx, closure: Closure) -> None:
    """Everything the application asks for, as a registry would say it."""
    kept = Kept(FOLDER)
    address = f"{upstream.url}{upstream.prefix}".rstrip("/")
    for path in dict.fromkeys(path for path, _ in closure.asked):
        if "/-/" in path:
            upstream.offer(path, kept.file(path) or b"", is_short=False)
            continue
        document = json.loads(gzip.decompress(kept.document(path) or b"").replace(HERE.encode(), address.encode()))
        upstream.offer(path, gzip.compress(json.dumps(document).encode(), 6), is_short=False)
        upstream.offer(path, gzip.compress(json.dumps(_short(document)).encode(), 6), is_short=True)


def _short(document: dict[str, object]) -> dict[str, object]:
    """The abbreviated form (npm registry, package-metadata.md)."""
    versions = document["versions"]
    assert isinstance(versions, dict)
    brief = {number: {key: value for key, value in one.items() if key in SHORT_FIELDS} for number, one in versions.items()}
    return {"name": document["name"], "dist-tags": document["dist-tags"], "versions": brief}
