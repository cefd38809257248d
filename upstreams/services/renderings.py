"""What a decision allows, written down: which files may be served, until when, under which epochs.

The hot path serves by these rows alone. They are made from a Resolution and nothing else.
"""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import QuerySet
from django.utils import timezone

from packages.formats.npm.names import Name
from packages.models import Version
from packages.selectors import IS_SHOWN, UNSHADOWED
from packages.services.rows import PACKAGE_ID
from registries.models import Registry
from registries.selectors import RESTRICTED, is_restricted
from upstreams.durability import remembered
from upstreams.models import DocumentFile, Rendering
from upstreams.services.resolve import Resolution
from upstreams.terms import Kind, Reply
from workspaces import reading, statements
from workspaces.access import Target
from workspaces.insertion import upsert, upserting
from workspaces.prepared import Row, Statement

CURRENT = (
    "JOIN registries_registry r ON r.id = t.registry_id JOIN workspaces_workspace w ON w.id = r.workspace_id"
    " LEFT JOIN packages_nameepoch e ON e.workspace_id = w.id AND e.format = t.format AND e.name = %s"
    " WHERE t.registry_id = %s AND t.format = 'npm' AND t.name = %s"
    " AND t.rule_epoch = w.rule_epoch AND t.name_epoch = COALESCE(e.epoch, 0)"
)
OLD = "WHERE t.registry_id = %s AND t.format = 'npm' AND t.name = %s"
FILES = (
    "SELECT f.name, b.sha256, b.size FROM packages_file f JOIN packages_blob b ON b.id = f.blob_id"  # noqa: S608 - constants only
    f" JOIN packages_version v ON v.id = f.version_id WHERE v.package_id = {PACKAGE_ID} AND {IS_SHOWN}"
)
NAMED_FILE = f"{FILES} AND f.name || '' = %s"  # so that no index of all files' names is gone through (rows.PACKAGE_ID)
ITS_ID = "(SELECT id FROM upstreams_rendering WHERE registry_id = %s AND format = 'npm' AND name = %s)"  # the row may come just before
LIST = (
    f"INSERT INTO upstreams_documentfile (rendering_id, filename, sha256, size) VALUES ({ITS_ID}, %s, %s, %s)"  # noqa: S608 - constants only
    " ON CONFLICT (rendering_id, filename) DO UPDATE SET sha256 = excluded.sha256, size = excluded.size"
)
SAME = "SELECT id FROM upstreams_rendering WHERE id = %s AND name_epoch = %s AND rule_epoch = %s AND source_digest = %s"
EMPTIED = tuple(f"DELETE FROM {below} WHERE rendering_id = {ITS_ID}" for below in ("upstreams_document", "upstreams_documentfile"))  # noqa: S608 - the same
ONE = ("registry_id", "format", "name")  # of a name in a registry there is one row
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
    return found if shows_pulled else found.filter(UNSHADOWED)


@remembered()
def keep_rendering(resolution: Resolution) -> Rendering:
    """The row for this decision; renewed when nothing changed, else replaced with its documents and files."""
    kept = _kept(resolution)
    if kept.is_new:
        _replace(kept, held_files(resolution))
    return kept.rendering


class Found(NamedTuple):
    """What the caller found of a name in this registry, under lock: what was written down, whether it is for members only."""

    rendering: Rendering | None
    is_restricted: bool


def listing_newcomer(resolution: Resolution, file: HeldFile, found: Found) -> list[Statement]:
    """The same with a file listed that comes in by this decision: in the caller's transaction, which runs what is returned."""
    kept = _kept(resolution, found)
    others = [one for one in held_files(resolution) if one.name != file.name] if kept.is_new else []
    if others:
        _replace(kept, [*others, file])
        return []
    writing = [upserting(kept.rendering, ONE), *kept.emptying] if kept.is_new else []
    return [*writing, listing(kept.rendering, file)]


def first_rendering(resolution: Resolution) -> Rendering:
    """The row for the first decision about a name, which is not for members only, not yet written."""
    return _kept(resolution, Found(None, is_restricted=False)).rendering


class _Kept(NamedTuple):
    """A decision and its row: whether it is another than before and to be written, what is to be run then for what lay below that one."""

    rendering: Rendering
    is_new: bool
    emptying: list[Statement]


def finding(registry: Registry, name: Name) -> list[Statement]:
    """The statements whose rows `found_in` takes."""
    written = reading.selecting(Rendering, statements.locking(OLD))
    return [(written, [registry.pk, name.full]), (RESTRICTED, [registry.pk, "npm", name.full])]


def found_in(rows: Sequence[Sequence[Row]]) -> Found:
    """What they found."""
    written, restricted = rows
    return Found(next(iter(reading.made(Rendering, written)), None), bool(restricted))


def _kept(resolution: Resolution, found: Found | None = None) -> _Kept:
    now = timezone.now()
    registry, name, epochs = resolution.registry, resolution.name, resolution.epochs
    key: dict[str, Any] = {"registry": registry, "format": "npm", "name": name.full}
    old, is_restricted_here = found or found_in(statements.several(finding(registry, name)))
    digest, restricted = source_digest(resolution), is_restricted_here or _is_restricted_elsewhere(resolution)
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
    is_first = old is None and not statements.is_postgresql()  # there another may have been first
    return _Kept(rendering, is_new=True, emptying=[] if is_first else [(one, [registry.pk, name.full]) for one in EMPTIED])


def _replace(kept: _Kept, files: Sequence[HeldFile]) -> None:
    """Write another decision with its files where the former one was."""
    upsert(kept.rendering, ONE)
    statements.several(kept.emptying)
    _list_files(kept.rendering, files)


@remembered()
def list_file(rendering: Rendering, file: HeldFile) -> None:
    """List a file that `rendering` allows; nothing, if its row tells of another decision by now."""
    same = [rendering.pk, rendering.name_epoch, rendering.rule_epoch, rendering.source_digest]
    if statements.row(statements.locking(SAME), same) is not None:
        statements.run(*listing(rendering, file))


def listing(rendering: Rendering, file: HeldFile) -> Statement:
    """The statement that lists it, for a transaction that holds the row."""
    return LIST, [rendering.registry_id, rendering.name, file.name, file.sha256, file.size]


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


def _is_restricted_elsewhere(resolution: Resolution) -> bool:
    """Whether the name is for members only in a registry that answers for it."""
    places = [link.source for path in resolution.decision.answering for link in resolution.links_on(path)]
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
    found = statements.rows(FILES, values) if filename is None else statements.rows(NAMED_FILE, [*values, filename])
    return [HeldFile(*row) for row in found]


def _list_files(rendering: Rendering, files: Sequence[HeldFile]) -> None:
    if len(files) == 1:  # as most often: one version is held of most names
        statements.run(*listing(rendering, files[0]))
        return
    rows = [DocumentFile(rendering=rendering, filename=name, sha256=sha256, size=size) for name, sha256, size in files]
    DocumentFile.objects.bulk_create(rows, ignore_conflicts=True, batch_size=LISTED_AT_ONCE)
