"""Cold installations: the application through an empty registry, and from its upstream directly.

The upstream is nginx with the kept packages as files, so that it takes next to nothing of the processor that the client and
the registry under test share; every registry is started anew for each installation.
"""

import gzip
import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median

from bench.clients import COMMANDS
from bench.closure import FOLDER, Closure
from bench.installs import Install, install_once
from bench.kept import HERE, Kept
from bench.peers import GatehousePostgreSQL, GatehouseSQLite, Nginx, Peer, Verdaccio
from packages.formats.npm.packument import SHORT_FIELDS

COLD = next(command for command in COMMANDS if command.lock == "full")
DIRECT = "directly"
EMPTY: Mapping[str, type[Verdaccio | GatehousePostgreSQL | GatehouseSQLite]] = {
    kind.name: kind for kind in (Verdaccio, GatehousePostgreSQL, GatehouseSQLite)
}


def measure_cold(closure: Closure, folder: Path, *, rounds: int, say: Callable[[str], None]) -> dict[str, Install]:
    """Server ("directly" for the upstream itself) -> medians."""
    upstream = Nginx(folder / "upstream")
    upstream.start()
    try:
        _stock(upstream, closure)
        seen: dict[str, list[Install]] = {name: [] for name in (DIRECT, *EMPTY)}
        for number in range(rounds):
            seen[DIRECT].append(install_once(upstream, COLD, closure, folder / "client"))
            for name, kind in EMPTY.items():
                seen[name].append(_through(kind(folder / f"empty-{number}", upstream.url + "/site"), closure, folder))
            say("cold: " + ", ".join(f"{name} {runs[-1].wall:.1f} s, CPU {runs[-1].cpu:.2f} s" for name, runs in seen.items()))
    finally:
        upstream.stop()
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
        shutil.rmtree(peer.folder, ignore_errors=True)


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
