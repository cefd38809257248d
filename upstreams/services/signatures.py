"""The keys that versions in a registry are checked with, and the attestations upstreams have of theirs."""

import base64
import hashlib
import logging
import time
from collections.abc import Mapping
from typing import Any

from django.core.cache import cache

from packages.errors import VersionNotFound
from packages.formats.npm.names import Name
from packages.models import SigningKey, Version
from registries.models import Registry
from upstreams.clients.signatures import fetch_attestations, fetch_keys
from upstreams.errors import RuleChanged, UpstreamError
from upstreams.flight import single_flight
from upstreams.models import Upstream
from upstreams.selectors.facts import current_epochs
from upstreams.services.consult import load
from upstreams.services.renderings import visible_versions
from upstreams.services.resolve import Resolution, resolve
from upstreams.services.troubles import tell_of_trouble, telling
from upstreams.targets import target_of
from workspaces.room import release_connection

LOG = logging.getLogger(__name__)
SCHEME = "ecdsa-sha2-nistp256"  # npm's word for ECDSA over P-256 with SHA-256, as type of key and as scheme
FRESH = 600  # seconds an upstream's keys are believed without asking
FRESH_FAILURE = 30  # seconds before an upstream in trouble is asked again
KEPT = 30 * 86400  # seconds its last keys stand in for it while it is down
PATIENCE = 20.0  # seconds to wait for somebody else who asks the same

Key = dict[str, str | None]


def keys(registry: Registry) -> tuple[list[Key], list[str]]:
    """Every key that versions served here may be signed with, and the upstreams whose keys are missing.

    The workspace's own first: no upstream can put another key in the place of ours. Registries in a chain belong to
    the same workspace and sign with its keys; the npm upstreams behind them count too. Asking for keys names no package.
    """
    found: dict[str | None, Key] = {key["keyid"]: key for key in own_keys(registry.workspace_id)}
    missing = []
    for upstream in npm_upstreams(registry):
        try:
            theirs = _keys_of(upstream)
        except UpstreamError as error:
            LOG.warning("the keys of upstream %s are missing: %s", upstream.name, error.message)
            missing.append(upstream.name)
            continue
        for key in theirs:
            found.setdefault(key["keyid"], key)
    return list(found.values()), missing


def own_keys(workspace_id: int) -> list[Key]:
    """The workspace's own public keys, those that have an end included."""
    return [_own(row) for row in SigningKey.objects.filter(workspace_id=workspace_id).order_by("-id")]


def npm_upstreams(registry: Registry) -> list[Upstream]:
    """The enabled npm upstreams of a registry and of those it is chained to, nearest first."""
    rows = Upstream.objects.filter(registry__workspace_id=registry.workspace_id, format="npm", is_enabled=True).order_by("priority", "id")
    of: dict[int, list[Upstream]] = {}
    for row in rows:
        of.setdefault(row.registry_id, []).append(row)
    found: list[Upstream] = []
    seen, queue = {registry.pk}, [registry.pk]
    while queue:
        for row in of.get(queue.pop(0), []):
            if row.kind == Upstream.Kind.URL:
                found.append(row)
            elif row.source_id is not None and row.source_id not in seen:
                seen.add(row.source_id)
                queue.append(row.source_id)
    return found


def attestations(registry: Registry, name: Name, version: str) -> Mapping[str, Any]:
    """What the source of this very version attests of it, by the same rule as its metadata.

    Raises VersionNotFound when nobody who may answer attests anything, SourceAbsent, UpstreamError subclasses.
    """
    resolution = resolve(registry, name)
    upstream = _attesting(resolution, version)
    if upstream is not None:

        def still_holds() -> None:
            if current_epochs(registry, "npm", name.folded) != resolution.epochs:
                raise RuleChanged("The rules for this package changed just now; try again.", retry_after=1)
            release_connection()  # whoever waits for an upstream holds no database connection

        with telling(upstream, f"{name.full}@{version}"):
            said = fetch_attestations(target_of(upstream), name, version, before_send=still_holds)
        if said is not None:
            return said
    raise VersionNotFound(f"There are no attestations of {name.full}@{version[:80]}.")


def _attesting(resolution: Resolution, version: str) -> Upstream | None:
    """The nearest source of the version, if its document speaks of attestations; none for versions of our own."""
    if visible_versions(resolution).filter(version=version).exclude(origin=Version.Origin.PULLED).exists():
        return None
    for upstream, said in resolution.answered():
        versions = load(said.document).get("versions") if said.document is not None else None
        manifest = versions.get(version) if isinstance(versions, dict) else None
        if isinstance(manifest, dict):
            dist = manifest.get("dist")
            return upstream if isinstance(dist, dict) and dist.get("attestations") else None
    return None


def _own(key: SigningKey) -> Key:
    return {
        "expires": key.expires_at.isoformat(timespec="milliseconds").replace("+00:00", "Z") if key.expires_at else None,
        "keyid": key.keyid,
        "keytype": SCHEME,
        "scheme": SCHEME,
        "key": base64.b64encode(bytes(key.public_key)).decode("ascii"),
    }


def _keys_of(upstream: Upstream) -> list[Key]:
    """What the upstream said lately, else what it says now; while it is in trouble, what it said last. Raises UpstreamError."""
    place = f"npm-keys-{upstream.pk}-{hashlib.sha256(upstream.url.encode()).hexdigest()[:16]}"
    known = cache.get(place)
    if known is not None and known["until"] > time.time():
        return _known(known)
    release_connection()
    with single_flight("keys", place, patience=PATIENCE):
        known = cache.get(place)
        if known is not None and known["until"] > time.time():
            return _known(known)
        try:
            fetched = {"keys": fetch_keys(target_of(upstream)), "until": time.time() + FRESH, "error": ""}
        except UpstreamError as error:
            tell_of_trouble(upstream, error, "keys")
            fetched = {"keys": known["keys"] if known else None, "until": time.time() + FRESH_FAILURE, "error": error.message}
        cache.set(place, fetched, KEPT)
        return _known(fetched)


def _known(said: Mapping[str, Any]) -> list[Key]:
    if said["keys"] is None:
        raise UpstreamError(said["error"])
    found: list[Key] = said["keys"]
    return found
