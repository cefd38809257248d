"""What a decision allows, written down: which files may be served, until when, under which epochs.

The hot path serves by these rows alone. They are made from a Resolution and nothing else.
"""

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import Q, QuerySet
from django.utils import timezone

from packages.formats.npm.names import Name
from packages.models import Version
from registries.models import Registry
from registries.selectors import is_restricted
from upstreams.durability import remembered
from upstreams.models import DocumentFile, Rendering
from upstreams.services.resolve import Resolution
from upstreams.terms import Kind, Reply
from workspaces import reading, statements
from workspaces.access import Target
from workspaces.insertion import upsert, upsert_last
from workspaces.prepared import Statement

CURRENT = (
    "JOIN registries_registry r ON r.id = t.registry_id JOIN workspaces_workspace w ON w.id = r.workspace_id"
    " LEFT JOIN packages_nameepoch e ON e.workspace_id = w.id AND e.format = t.format AND e.name = %s"
    " WHERE t.registry_id = %s AND t.format = 'npm' AND t.name = %s"
    " AND t.rule_epoch = w.rule_epoch AND t.name_epoch = COALESCE(e.epoch, 0)"
)
OLD = "WHERE t.registry_id = %s AND t.format = 'npm' AND t.name = %s"
FILES = (
    "SELECT f.name, b.sha256, b.size FROM packages_file f JOIN packages_blob b ON b.id = f.blob_id"
    " JOIN packages_version v ON v.id = f.version_id JOIN packages_package p ON p.id = v.package_id"
    " WHERE p.registry_id = %s AND p.format = 'npm' AND p.name = %s AND (%s OR v.is_internal OR v.origin <> 'pulled')"
)
SAME = "SELECT id FROM upstreams_rendering WHERE id = %s AND name_epoch = %s AND rule_epoch = %s AND source_digest = %s"
EMPTIED = ("DELETE FROM upstreams_document WHERE rendering_id = %s", "DELETE FROM upstreams_documentfile WHERE rendering_id = %s")
FOREVER = datetime(2200, 1, 1, tzinfo=UTC)  # by the clock; the epochs end it before
LISTED_AT_ONCE = 5000  # files in one statement: PostgreSQL takes 65,535 parameters
WHILE_TROUBLED = timedelta(seconds=15)  # how long an answer given in spite of an upstream's trouble counts


class HeldFile(NamedTuple):
    """A file whose bytes are here: what we call it, its SHA-256 in hex, its size in bytes."""

    name: str
    sha256: str
    size: int


def visible_versions(resolution: Resolution) -> QuerySet[Version]:
    """The versions the registry itself may show: shadowed ones are not among them."""
    found = unshadowed_versions(resolution)
    return found if () in resolution.decision.answering else found.none()


def unshadowed_versions(resolution: Resolution) -> QuerySet[Version]:
    """The same, also of what came in after the decision was made (then the registry was not yet among the answering)."""
    return versions_shown(resolution.registry, resolution.name, shows_pulled=resolution.decision.shows_pulled)


def versions_shown(registry: Registry, name: Name, *, shows_pulled: bool) -> QuerySet[Version]:
    """What a registry holds of a name, without what is shadowed when pulled versions may not be seen."""
    found = Version.objects.filter(package__registry=registry, package__format="npm", package__name=name.full)
    return found if shows_pulled else found.filter(Q(is_internal=True) | ~Q(origin=Version.Origin.PULLED))


@remembered()
def keep_rendering(resolution: Resolution) -> Rendering:
    """The row for this decision; renewed when nothing changed, else replaced with its documents and files."""
    kept = _kept(resolution)
    if kept.is_new:
        statements.several(kept.emptying)
        _list_files(kept.rendering, held_files(resolution))
    return kept.rendering


def list_newcomer(resolution: Resolution, file: HeldFile) -> None:
    """The same with a file listed that has just come in by this decision. In the caller's transaction, in which nothing follows."""
    kept = _kept(resolution)
    files = [*(one for one in held_files(resolution) if one.name != file.name), file] if kept.is_new else [file]
    if len(files) > 1:
        statements.several(kept.emptying)
        _list_files(kept.rendering, files)
    else:
        row = DocumentFile(rendering=kept.rendering, filename=file.name, sha256=file.sha256, size=file.size)
        upsert_last(row, ("rendering_id", "filename"), kept.emptying)


class _Kept(NamedTuple):
    """A decision that is written down: whether it is another than before, and what is to be run then for what lay below that one."""

    rendering: Rendering
    is_new: bool
    emptying: list[Statement]


def _kept(resolution: Resolution) -> _Kept:
    now = timezone.now()
    registry, name, epochs = resolution.registry, resolution.name, resolution.epochs
    key: dict[str, Any] = {"registry": registry, "format": "npm", "name": name.full}
    digest, restricted = source_digest(resolution), _is_restricted(resolution)
    old = reading.first(Rendering, statements.locking(OLD), [registry.pk, name.full])
    fresh_until, files_until = bounds(resolution, now)
    if old is not None and (old.name_epoch, old.rule_epoch, old.source_digest) == (epochs.name, epochs.rule, digest):
        if (old.fresh_until, old.files_until, old.is_stale) != (fresh_until, files_until, resolution.is_stale):
            old.fresh_until, old.files_until, old.is_stale = fresh_until, files_until, resolution.is_stale
            old.save(update_fields=["fresh_until", "files_until", "is_stale"])
        return _Kept(old, is_new=False, emptying=[])
    rendering = Rendering(
        **key,
        folded=name.folded,
        name_epoch=epochs.name,
        rule_epoch=epochs.rule,
        fresh_until=fresh_until,
        files_until=files_until,
        source_digest=digest,
        rendered_at=now,
        is_restricted=restricted,
        is_stale=resolution.is_stale,
    )
    upsert(rendering, ("registry_id", "format", "name"))
    is_first = old is None and not statements.is_postgresql()  # there another may have been first
    return _Kept(rendering, is_new=True, emptying=[] if is_first else [(one, [rendering.pk]) for one in EMPTIED])


@remembered()
def list_file(rendering: Rendering, file: HeldFile) -> None:
    """List a file that `rendering` allows; nothing, if its row tells of another decision by now."""
    list_in(rendering, file)


def list_in(rendering: Rendering, file: HeldFile) -> None:
    """The same in the caller's transaction."""
    same = [rendering.pk, rendering.name_epoch, rendering.rule_epoch, rendering.source_digest]
    if statements.row(statements.locking(SAME), same) is not None:
        _list_files(rendering, [file])


def same_rendering(rendering: Rendering) -> QuerySet[Rendering]:
    """The row, as long as it still tells of the same decision: one row serves all decisions about a name in turn."""
    return Rendering.objects.filter(
        pk=rendering.pk,
        name_epoch=rendering.name_epoch,
        rule_epoch=rendering.rule_epoch,
        source_digest=rendering.source_digest,
    )


def current_rendering(registry: Registry, name: Name) -> Rendering | None:
    """The rendering of this very moment's epochs, fresh or not."""
    return reading.first(Rendering, CURRENT, [name.folded, registry.pk, name.full])


def source_digest(resolution: Resolution) -> str:
    """A digest of who answers and what they said."""
    said = [f"{upstream.pk}:{reply.document.digest if reply.document else ''}" for upstream, reply in resolution.answered()]
    parts = [str(resolution.decision.answering), str(resolution.decision.shows_pulled), *said]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def bounds(resolution: Resolution, now: datetime) -> tuple[datetime, datetime]:
    """Until when the metadata and the files may be served by this decision without asking again.

    Both end with the earliest internal upstream's "not here"; metadata also with the freshness of what answered.
    """
    replies = resolution.situation.replies
    absences = [
        said.document.fresh_until for upstream_id, said in replies.items() if said.document and _is_absence(resolution, upstream_id)
    ]
    files = min(absences, default=FOREVER)
    if resolution.is_stale:
        soon = now + WHILE_TROUBLED
        return min([soon, *absences]), min(soon, files) if resolution.decision.is_internal is None else files
    metadata = [said.document.fresh_until for said in replies.values() if said.document is not None]
    return min(metadata, default=FOREVER), files


def _is_restricted(resolution: Resolution) -> bool:
    """Whether the name is for members only, here or in a registry that answers for it."""
    places = [resolution.registry, *(link.source for path in resolution.decision.answering for link in resolution.links_on(path))]
    return any(is_restricted(place, Target("npm", resolution.name.full)) for place in places if place is not None)


def _is_absence(resolution: Resolution, upstream_id: int) -> bool:
    """Whether an internal upstream said that it has not got the name."""
    upstream = resolution.situation.upstreams[upstream_id]
    is_external = upstream.kind != Kind.REGISTRY
    return is_external and upstream.is_internal and resolution.situation.replies[upstream_id].reply is Reply.ABSENT


def held_files(resolution: Resolution, filename: str | None = None) -> list[HeldFile]:
    """The files the registry itself may show, or those of one name."""
    if () not in resolution.decision.answering:
        return []
    values = [resolution.registry.pk, resolution.name.full, resolution.decision.shows_pulled]
    found = statements.rows(FILES, values) if filename is None else statements.rows(f"{FILES} AND f.name = %s", [*values, filename])
    return [HeldFile(*row) for row in found]


def _list_files(rendering: Rendering, files: Iterable[HeldFile]) -> None:
    rows = [DocumentFile(rendering=rendering, filename=name, sha256=sha256, size=size) for name, sha256, size in files]
    if len(rows) > 1:
        DocumentFile.objects.bulk_create(rows, ignore_conflicts=True, batch_size=LISTED_AT_ONCE)
    for row in rows if len(rows) == 1 else ():
        upsert(row, ("rendering_id", "filename"))
