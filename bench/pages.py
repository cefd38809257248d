"""How long pages and lists take in a large installation: 1,000 registries, 100,000 packages, 1,000,000 versions.

Each address is asked one at a time, as a person or a script would, of a Gatehouse on each database.
"""

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable
from http.cookiejar import CookieJar
from pathlib import Path
from statistics import median
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, OpenerDirector, Request, build_opener

from bench import ROOT
from bench.fill import ONE
from bench.peers import GatehousePostgreSQL, GatehouseSQLite
from bench.publish import send
from tests.parts.gatehouse import ADMIN, PASSWORD
from tests.parts.pack import pack, publish_document

REGISTRIES, PACKAGES, VERSIONS = 1_000, 100_000, 1_000_000
MAIN, REST = "/team/registries/main/", "/api/v1/workspaces/team/"
PACKAGE = f"{MAIN}npm/pack-77/"
ADDRESSES = (
    "/", "/account/", "/team/", "/team/?page=20", "/team/?q=lib-77", "/team/people/", "/team/tokens/",
    "/team/claims/", "/team/alerts/", "/team/settings/", "/account/sessions/", "/team/tombstones/",
    "/team/activity/", "/team/activity/?q=lib-4711", "/team/activity/?kind=all", "/team/activity/?kind=people&since=2026-01-01",
    MAIN, f"{MAIN}?page=1000", f"{MAIN}?q=pack-7", f"{MAIN}?q=nothing-like-it", f"{MAIN}?kind=internal", f"{MAIN}?kind=other",
    f"{MAIN}?source=own", f"{MAIN}?source=npm", f"{MAIN}?sort=updated", f"{MAIN}?sort=updated&page=500", f"{MAIN}?format=npm&q=99",
    f"{MAIN}settings/", f"{MAIN}upstreams/", f"{MAIN}mirrors/",
    PACKAGE, f"{PACKAGE}versions/", f"{PACKAGE}dependents/", f"{PACKAGE}resolution/",
    f"{PACKAGE}v/1.3.0/", f"{PACKAGE}v/1.3.0/dependencies/",
    "/api/v1/workspaces/", f"{REST}registries/", f"{REST}registries/?page=10", f"{REST}events/", f"{REST}members/", f"{REST}usage/",
    f"{REST}registries/main/packages/", f"{REST}registries/main/packages/?page=1000", f"{REST}registries/main/packages/?search=pack-7",
    f"{REST}registries/main/packages/?internal=true", f"{REST}registries/main/packages/?ordering=-updated_at",
    f"{REST}registries/main/packages/npm/pack-77/", f"{REST}registries/main/packages/npm/pack-77/versions/",
    f"{REST}registries/main/upstreams/",
)  # fmt: skip
NOWHERE = "http://127.0.0.1:9"  # an upstream that no page may ask
Paged = dict[str, dict[str, float]]  # address -> server -> p50 in milliseconds


class Wrong(Exception):
    """A page did not answer as it should."""


def measure_pages(folder: Path, *, rounds: int, say: Callable[[str], None]) -> tuple[Paged, list[str]]:
    """Both databases, one after the other; the second of the answer says how long seeding took. Raises Wrong."""
    found: Paged = {address: {} for address in ADDRESSES}
    notes = []
    for kind in (GatehousePostgreSQL, GatehouseSQLite):
        peer = kind(folder / f"pages-{kind.__name__}", NOWHERE)
        peer.start()
        try:
            seconds = _seeded(peer)
            notes.append(f"pages, {peer.name}: {REGISTRIES:,} registries, {PACKAGES:,} packages, {VERSIONS:,} versions in {seconds:.0f} s")
            say(notes[-1])
            for address, times in _times(peer, rounds).items():
                found[address][peer.name] = times
                say(f"{address}: {times:.0f} ms")
        finally:
            peer.stop()
    return found, notes


def _seeded(peer: GatehouseSQLite) -> float:
    if send(peer, ONE, json.dumps(publish_document(pack(ONE))).encode()) not in {200, 201}:
        raise Wrong("the first publish was refused")
    begun = time.monotonic()
    words = [sys.executable, "-m", "bench.seed", *map(str, (REGISTRIES, PACKAGES, VERSIONS))]
    done = subprocess.run(words, cwd=ROOT, env=peer.env, capture_output=True, text=True, timeout=900, check=False)
    if done.returncode != 0:
        raise Wrong(f"seeding failed: {done.stderr[-2000:]}")
    return time.monotonic() - begun


def _times(peer: GatehouseSQLite, rounds: int) -> dict[str, float]:
    person = build_opener(HTTPCookieProcessor(CookieJar()))
    page = _read(person, Request(f"{peer.url}/login"))[0]
    token = re.search(rb'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    form = {"username": ADMIN, "password": PASSWORD, "csrfmiddlewaretoken": token[1].decode() if token else ""}
    _read(person, Request(f"{peer.url}/login", urlencode(form).encode()))
    seen: dict[str, list[float]] = {address: [] for address in ADDRESSES}
    for _ in range(rounds + 1):  # the first fills what the operating system and the database remember
        for address in ADDRESSES:
            headers = {"Authorization": f"Bearer {peer.token}"} if address.startswith("/api/") else {"Accept": "text/html"}
            seen[address].append(_read(person, Request(peer.url + address, headers=headers))[1])
    return {address: median(times[1:]) * 1000 for address, times in seen.items()}


def _read(person: OpenerDirector, request: Request) -> tuple[bytes, float]:
    begun = time.monotonic()
    try:
        with person.open(request, timeout=120) as answer:
            if answer.url.endswith("/login") and not request.full_url.endswith("/login"):
                raise Wrong(f"{request.full_url} asks to sign in")
            return answer.read(), time.monotonic() - begun
    except HTTPError as error:
        raise Wrong(f"{request.full_url} answers {error.code}: {error.read()[:300]!r}") from None
