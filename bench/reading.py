"""Getting ready to read: every server has the answers at hand, and they are right, before anything is timed."""

from collections.abc import Callable

from bench.cases import Case
from bench.measure import Load, fetch
from bench.peers import GatehouseSQLite, Nginx, Peer
from bench.truth import Wrong, check
from bench.upstream import Upstream

OK, NOT_MODIFIED = 200, 304
Say = Callable[[str], None]


def prepared(peers: list[Peer], case: Case, upstream: Upstream, say: Say) -> dict[Peer, Load]:
    """The loads of a case. nginx, the last, gets the answers of the server before it as files. Raises Wrong."""
    bodies: list[bytes] = []
    for peer in peers:
        if isinstance(peer, Nginx):
            peer.fill(case, bodies)
        bodies = _warmed(peer, case, upstream, say)
    loads = {peer: _load(peer, case) for peer in peers}
    return {peer: _conditional(load) for peer, load in loads.items()} if case.is_conditional else loads


def _load(peer: Peer, case: Case) -> Load:
    headers = {"Accept": case.accept, "Accept-Encoding": "gzip", "Authorization": f"Bearer {peer.token}", "User-Agent": "npm/11 bench"}
    return Load(peer.url, peer.paths(case), headers, peer.processes, peer.folder)


def _conditional(load: Load) -> Load:
    """The same by somebody who has the answer already."""
    known = {**load.headers, "If-None-Match": str(fetch(load, load.paths[0])[1]["ETag"])}
    asked = Load(load.url, load.paths, known, load.processes, load.folder)
    status = fetch(asked, asked.paths[0])[0]
    if status != NOT_MODIFIED:
        raise Wrong(f"{load.url} answers {status} to If-None-Match")
    return asked


def _warmed(peer: Peer, case: Case, upstream: Upstream, say: Say) -> list[bytes]:
    """Every answer once for the filling of caches, once to look at; says when Gatehouse's thin path does not answer."""
    load, bodies, slow = _load(peer, case), [], 0
    for path, meant in zip(load.paths, case.paths, strict=True):
        fetch(load, path)
        status, headers, body = fetch(load, path)
        if status != OK:
            raise Wrong(f"{peer.name} answers {status} to {path}: {body[:300]!r}")
        is_packed = headers["Content-Encoding"] == "gzip"
        if case.is_metadata and not is_packed and len(body) > 2000:  # noqa: PLR2004 - below that nobody need compress
            say(f"{peer.name}: {path} is not compressed")
        check(peer.name, meant, body, upstream, is_packed=is_packed)
        slow += isinstance(peer, GatehouseSQLite) and headers["X-Gatehouse-Path"] != "hot"
        bodies.append(body)
    if slow:
        say(f"{peer.name}: {slow} of {len(bodies)} answers of “{case.title}” are not the thin path's")
    return bodies
