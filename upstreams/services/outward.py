"""Pushing versions to an upstream outside: what may leave, then a publish there with that upstream's credentials.

Whether a name may leave is decided before anything is asked (RULE.md, "What never changes"): an internal one, or one of
which nobody can tell, goes to an upstream that is not internal only when an admin says so, as one event.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import orjson
from django.conf import settings

from packages import blobs
from packages.errors import FileDamaged, VersionExists
from packages.formats.npm.names import Name, parse_known
from packages.formats.npm.packument import promise
from packages.formats.npm.ranges import parking_tag, tags_that_follow
from packages.models import File, Version
from registries.models import Registry
from upstreams.clients.http import Target
from upstreams.clients.npm import Known, fetch_packument
from upstreams.clients.npm_publish import Parcel, publish_version
from upstreams.errors import (
    CredentialsNotLent,
    InternalVersion,
    RuleChanged,
    SourceNotAllowed,
    UpstreamDisabled,
    UpstreamError,
    UpstreamNotFound,
    UpstreamUnauthorized,
    UpstreamUnsuitable,
)
from upstreams.memory import parsed
from upstreams.models import Upstream
from upstreams.selectors.facts import current_epochs
from upstreams.services.credentials import may_publish_at
from upstreams.services.parcels import Holding, Order, Parcels, parcels_of
from upstreams.services.push import PRESENT, PUSHED, Moved, Outcome
from upstreams.targets import target_of
from workspaces.access import Action, Actor, matches
from workspaces.errors import Denied
from workspaces.room import release_connection
from workspaces.services.audit import record

ANSWERED_WITHIN = 60.0  # seconds a registry has to take a version in, at least
SHOWN = 50  # versions named in one sentence or event


@dataclass(frozen=True)
class There:
    """What the upstream has of a name: version -> its `dist`, and its tags."""

    dists: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)


def push_out(*, actor: Actor, registry: Registry, upstream: str, order: Order, disclose: bool = False) -> Outcome:
    """Publish versions of `registry` at one of its upstreams. For admins; not atomic, and safe to repeat.

    Raises Denied, CredentialsNotLent, UpstreamNotFound, UpstreamDisabled, UpstreamUnsuitable, SourceNotAllowed (outside its
    patterns), InternalVersion (without `disclose`), VersionExists (other bytes there), UpstreamError, and what `parcels_of` raises.
    """
    if not actor.may(Action.MANAGE, registry):
        raise Denied("Only admins and owners send versions to an upstream outside the workspace.")
    rule = current_epochs(registry, "npm", order.name.folded).rule  # read before the goal: a change of it is noticed
    goal = goal_for(actor, registry, upstream)
    parcels = parcels_of(actor, registry, order)
    for holding, _ in parcels.in_order():
        if holding.epochs.rule != rule:
            raise RuleChanged("The rules of this workspace changed just now; try again.", retry_after=1)
    check_patterns(goal, parcels)
    _leave(actor, registry, goal, order, parcels, disclose=disclose)
    errand = Errand(actor, registry, goal, replace_patience(target_of(goal)))
    plans = [errand.plan(holding, rows) for holding, rows in parcels.in_order()]
    for plan in plans:
        errand.carry_out(plan)
    return Outcome(origin=str(registry), goal=goal.name, moved=errand.moved, left_out=parcels.left_out)


def needs_disclosure(upstream: Upstream, parcels: Parcels) -> list[str]:
    """The versions, as `name@1.0.0`, that may leave for this upstream only when an admin says so."""
    if upstream.is_internal:
        return []
    found = []
    for holding, rows in parcels.in_order():
        flags = Version.objects.filter(pk__in=rows).order_by("pk").values_list("version", "is_internal")
        found += [f"{holding.name.full}@{version}" for version, is_internal in flags if is_internal or holding.may_be_internal]
    return found


def replace_patience(target: Target) -> Target:
    """A registry that takes a version in may think longer than one that answers a question."""
    return replace(target, read_timeout=max(target.read_timeout, ANSWERED_WITHIN))


def _is_same(dist: object, version: Version) -> bool:
    """Whether a `dist` is of the version's bytes, by the strongest hash both have; without one it is not."""
    promised = promise(dist).split()
    if any(part.startswith("sha512-") for part in promised):
        return version.integrity in promised
    return isinstance(dist, dict) and dist.get("shasum") == version.shasum


def goal_of(registry: Registry, name: str) -> Upstream:
    """The upstream, if something can be published there. Raises UpstreamNotFound, UpstreamDisabled, UpstreamUnsuitable."""
    found = Upstream.objects.select_related("registry__workspace", "source").filter(registry=registry, name=name).first()
    if found is None:
        raise UpstreamNotFound(f"{registry} has no upstream “{name[:40]}”.")
    if found.source is not None:
        raise UpstreamUnsuitable(f"Upstream {name} is a registry of this workspace: push to “{found.source.slug}” instead.")
    if found.kind != Upstream.Kind.URL or found.format != "npm":
        raise UpstreamUnsuitable(f"Upstream {name} is no npm registry, so nothing can be published there.")
    if not found.is_enabled:
        raise UpstreamDisabled(f"Upstream {name} is disabled, so nothing is sent there.")
    return found


def goal_for(actor: Actor, registry: Registry, name: str) -> Upstream:
    """The same, if its credentials are the caller's to publish with. Raises CredentialsNotLent too."""
    found = goal_of(registry, name)
    if not may_publish_at(actor, found):
        sentence = (
            f"Upstream {name} signs in with a variable of the server's environment, which an operator of the installation set for"
            " reading. An operator can publish there, or let admins do it: “allow_push” of the upstream."
        )
        raise CredentialsNotLent(sentence)
    return found


def npm_name(holding: Holding) -> Name:
    """As npm's own code takes it."""
    return parse_known(holding.name.full)


def check_patterns(goal: Upstream, parcels: Parcels) -> None:
    """Raises SourceNotAllowed when the upstream is not for one of these names."""
    for holding, _ in parcels.in_order():
        if goal.patterns and not any(matches(pattern, holding.name.folded) for pattern in goal.patterns):
            raise SourceNotAllowed(f"Upstream {goal.name} is not for {holding.name.full}: its patterns do not fit.")


def _leave(actor: Actor, registry: Registry, goal: Upstream, order: Order, parcels: Parcels, *, disclose: bool) -> None:
    """Nothing internal leaves unsaid. Raises InternalVersion."""
    secret = needs_disclosure(goal, parcels)
    if not secret:
        return
    named = ", ".join(secret[:SHOWN])
    if not disclose:
        raise InternalVersion(
            f"{named}: internal, and upstream {goal.name} is not. An admin can let it leave with “disclose”; nothing was asked there.",
            fields={"disclose": "needed"},
        )
    new = {"to": goal.name, "url": goal.url, "versions": secret[:SHOWN], "number": len(secret)}
    subject = f"{registry} npm {secret[0] if len(secret) == 1 else order.name.full}"
    record(actor, "version.disclosed", subject, workspace=registry.workspace_id, new=new)


@dataclass(frozen=True)
class Plan:
    """What is to be published of one name: rows with the tags they get; `present` are there already."""

    holding: Holding
    missing: list[tuple[Version, tuple[str, ...]]]
    present: list[Version]


@dataclass
class Errand:
    """One push outside: who goes, from where, whither."""

    actor: Actor
    registry: Registry
    goal: Upstream
    target: Target
    moved: list[Moved] = field(default_factory=list)

    def plan(self, holding: Holding, rows: list[int]) -> Plan:
        """Compare with what is there, before anything is sent. Raises VersionExists, UpstreamError."""
        there = self._ask(holding)
        by_id = Version.objects.defer("manifest").in_bulk(rows)
        versions = [by_id[row] for row in rows if row in by_id]
        present = [version for version in versions if self._is_there(holding, version, there)]
        missing = [version for version in versions if version not in present]
        following = tags_that_follow([one.version for one in missing], holding.tags, there.tags.get("latest"))
        tagged, taken = [], dict(there.tags)
        for version in missing:
            tags = tuple(sorted(tag for tag, number in following.items() if number == version.version))
            tags = tags or (parking_tag(version.version, taken),)
            taken.update(dict.fromkeys(tags, version.version))
            tagged.append((version, tags))
        return Plan(holding, tagged, present)

    def carry_out(self, plan: Plan) -> None:
        """Publish one version after the other. An error tells how far it came."""
        self.moved += [self._moved(plan.holding, version, PRESENT) for version in plan.present]
        for version, tags in plan.missing:
            try:
                was_new = self._publish(plan.holding, version, tags)
            except (UpstreamError, VersionExists) as error:
                done = sum(one.result == PUSHED for one in self.moved)
                error.message += f" {done} versions were published there before." if done else ""
                raise
            self.moved.append(self._moved(plan.holding, version, PUSHED if was_new else PRESENT))

    def _publish(self, holding: Holding, version: Version, tags: tuple[str, ...]) -> bool:
        """False when somebody else published the same bytes meanwhile."""
        parcel = self._parcel(npm_name(holding), version, tags)
        if not publish_version(self.target, parcel, before_send=self._still_holds(holding)):
            if self._is_there(holding, version, self._ask(holding)):
                return False
            what = f"{holding.name.full}@{version.version}"
            sentence = f"Upstream {self.goal.name} does not take {what}: we may not publish there, or the number was used before."
            raise UpstreamUnauthorized(sentence, upstream=self.goal.name)
        new = {
            "from": str(self.registry),
            "to": self.goal.name,
            "url": self.goal.url,
            "integrity": version.integrity,
            "internal": version.is_internal,
            "tags": list(tags),
        }
        subject = f"{self.registry} npm {holding.name.full}@{version.version}"
        record(self.actor, "version.pushed", subject, workspace=self.registry.workspace_id, new=new)
        return True

    def _ask(self, holding: Holding) -> There:
        """What the upstream has of the name; kept nowhere, for it is no answer to an install."""
        fetched = fetch_packument(
            self.target, npm_name(holding), Known(), limit=settings.METADATA_LIMIT, before_send=self._still_holds(holding)
        )
        if fetched.body is None:
            return There()
        document = parsed(fetched.body)
        tags = document.get("dist-tags")
        dists = {version: manifest.get("dist") for version, manifest in document["versions"].items() if isinstance(manifest, dict)}
        return There(dists, {tag: number for tag, number in tags.items() if isinstance(number, str)} if isinstance(tags, dict) else {})

    def _is_there(self, holding: Holding, version: Version, there: There) -> bool:
        """Raises VersionExists when it is there with other bytes."""
        if version.version not in there.dists:
            return False
        if _is_same(there.dists[version.version], version):
            return True
        raise VersionExists(f"Upstream {self.goal.name} has other bytes under {holding.name.full}@{version.version} and keeps them.")

    def _still_holds(self, holding: Holding) -> Callable[[], None]:
        """Asked when the connection stands: what was decided about the name holds; and whoever waits holds no database connection."""

        def check() -> None:
            if current_epochs(self.registry, "npm", holding.name.folded) != holding.epochs:
                raise RuleChanged("The rules for this package changed just now; try again.", retry_after=1)
            release_connection()

        return check

    def _parcel(self, name: Name, version: Version, tags: tuple[str, ...]) -> Parcel:
        """Raises FileDamaged when the storage has lost the bytes."""
        blob = File.objects.select_related("blob").filter(version=version).earliest("pk").blob
        path, size = None, -1
        with suppress(FileNotFoundError):
            path = blobs.local_path(blob.sha256)
            size = path.stat().st_size
        if path is None or size != blob.size:
            raise FileDamaged(f"The storage has lost the file of {name.full}@{version.version}; an operator has to look.")
        return Parcel(
            name=name,
            version=version.version,
            manifest=orjson.loads(bytes(version.manifest)),
            tags=tags,
            path=path,
            size=blob.size,
            integrity=version.integrity,
            shasum=version.shasum,
            deprecated=version.deprecated,
        )

    def _moved(self, holding: Holding, version: Version, result: str) -> Moved:
        return Moved(holding.name.full, version.version, result, version.is_internal, version.integrity)
