"""What the sources of a decision have, nearest first, in the words of the format."""

from collections.abc import Collection, Mapping

import orjson
from django.db.models import QuerySet

from packages.formats.npm.names import Name
from packages.formats.npm.packument import Held, HeldVersion, Manifest, Offered
from packages.models import File, Tag, Version
from registries.models import Registry
from upstreams.models import UpstreamDocument
from upstreams.services.consult import load, sent_by
from upstreams.services.pinning import has_seen_others, pins_of
from upstreams.services.renderings import versions_shown
from upstreams.services.resolve import Resolution


def layers(resolution: Resolution, only: Collection[str] | None = None) -> list[Held | Offered]:
    """One for each source that answers: a registry that holds versions, or the document of an upstream.

    `only`: of these versions alone, which spares reading all the others of a large document.
    """
    found: list[Held | Offered] = []
    own = pins_of(resolution.registry.pk, resolution.name)  # what the asked registry saw first counts, whoever offers it now
    for path in resolution.decision.answering:
        registry = resolution.registry_at(path)
        if registry is not None:
            visible = versions_shown(registry, resolution.name, shows_pulled=resolution.decision.shows_pulled)
            shown = visible if only is None else visible.filter(version__in=only)
            found.append(_held(registry, resolution.name, own if path else {}, shown))
            continue
        if (document := resolution.offered_at(path)) is not None:
            owner = resolution.situation.upstreams[path[-1]].registry_id
            theirs = pins_of(owner, resolution.name) if owner != resolution.registry.pk else {}
            found.append(Offered(document=load(document) if only is None else _some(document, only), pins={**theirs, **own}))
    return found


def _some(document: UpstreamDocument, only: Collection[str]) -> Manifest:
    """As much of a packument as says something of these versions."""
    sent = sent_by(document)
    versions = {version: manifest for one in only for version, manifest in sent.only(one)["versions"].items()}
    return {"name": sent.name, "dist-tags": sent.tags, "versions": versions}


def _held(registry: Registry, name: Name, pins: Mapping[str, str], visible: QuerySet[Version]) -> Held:
    """The versions a registry holds and the rule lets be seen, with its tags; not those of which the asked one saw other bytes first."""
    # By a subquery: a list of ids ends at 65,535 on PostgreSQL. The first file of a version counts.
    files = dict(File.objects.filter(version__in=visible).order_by("-pk").values_list("version_id", "name"))
    tags = Tag.objects.filter(package__registry=registry, package__format="npm", package__name=name.full)
    versions = [
        _version(version, files.get(version.pk) or name.tarball(version.version))
        for version in visible
        if not has_seen_others(pins, version)
    ]
    return Held(versions=versions, tags=dict(tags.values_list("name", "version__version")))


def _version(version: Version, filename: str) -> HeldVersion:
    return HeldVersion(
        version=version.version,
        manifest=orjson.loads(bytes(version.manifest)),
        integrity=version.integrity,
        shasum=version.shasum,
        filename=filename,
        deprecated=version.deprecated,
        created_at=version.created_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        publisher=version.published_by_name,
        is_pulled=version.origin == version.Origin.PULLED,
        is_corrected=bool(version.differences),
        signatures=[{"keyid": version.signed_by, "sig": version.signature}] if version.signed_by else [],
    )
