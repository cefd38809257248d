"""What a decision allows, written down: which files may be served, until when, under which epochs.

The hot path serves by these rows alone. They are made from a Resolution and nothing else.
"""

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from packages.formats.npm.names import Name
from packages.models import File, Version
from registries.models import Registry
from upstreams.models import DocumentFile, Rendering
from upstreams.selectors.facts import current_epochs
from upstreams.services.resolve import Resolution
from upstreams.terms import Kind, Reply

FOREVER = datetime(2200, 1, 1, tzinfo=UTC)  # by the clock; the epochs end it before
WHILE_TROUBLED = timedelta(seconds=15)  # how long an answer given in spite of an upstream's trouble counts


def visible_versions(resolution: Resolution) -> QuerySet[Version]:
    """The versions the registry itself may show: shadowed ones are not among them."""
    found = Version.objects.filter(package__registry=resolution.registry, package__format="npm", package__name=resolution.name.full)
    if () not in resolution.decision.answering:
        return found.none()
    if resolution.decision.shows_pulled:
        return found
    return found.filter(Q(is_internal=True) | ~Q(origin=Version.Origin.PULLED))


@transaction.atomic
def keep_rendering(resolution: Resolution) -> Rendering:
    """The row for this decision; renewed when nothing changed, else replaced with its documents and files."""
    now = timezone.now()
    registry, name, epochs = resolution.registry, resolution.name, resolution.epochs
    key: dict[str, Any] = {"registry": registry, "format": "npm", "name": name.full}
    digest = source_digest(resolution)
    old = Rendering.objects.select_for_update().filter(**key).first()
    fresh_until, files_until = bounds(resolution, now)
    if old is not None and (old.name_epoch, old.rule_epoch, old.source_digest) == (epochs.name, epochs.rule, digest):
        if (old.fresh_until, old.files_until) != (fresh_until, files_until):
            old.fresh_until, old.files_until = fresh_until, files_until
            old.save(update_fields=["fresh_until", "files_until"])
        return old
    values: dict[str, Any] = {
        "folded": name.folded,
        "name_epoch": epochs.name,
        "rule_epoch": epochs.rule,
        "fresh_until": fresh_until,
        "files_until": files_until,
        "source_digest": digest,
        "rendered_at": now,
    }
    rendering, _ = Rendering.objects.update_or_create(**key, defaults=values)
    rendering.documents.all().delete()
    rendering.files.all().delete()
    _list_files(rendering, File.objects.filter(version__in=visible_versions(resolution)).select_related("blob"))
    return rendering


def add_file(registry: Registry, name: Name, version: Version) -> None:
    """List a version just pulled in the current rendering, if there is one. Inside the caller's transaction."""
    epochs = current_epochs(registry, "npm", name.folded)
    rendering = Rendering.objects.filter(
        registry=registry, format="npm", name=name.full, name_epoch=epochs.name, rule_epoch=epochs.rule
    ).first()
    if rendering is not None:
        _list_files(rendering, version.files.select_related("blob"))


def current_rendering(registry: Registry, name: Name) -> Rendering | None:
    """The rendering of this very moment's epochs, fresh or not."""
    epochs = current_epochs(registry, "npm", name.folded)
    return Rendering.objects.filter(registry=registry, format="npm", name=name.full, name_epoch=epochs.name, rule_epoch=epochs.rule).first()


def source_digest(resolution: Resolution) -> str:
    """A digest of who answers and what they said."""
    said = [f"{upstream.pk}:{reply.document.digest if reply.document else ''}" for upstream, reply in resolution.answered()]
    parts = [str(resolution.decision.answering), str(resolution.decision.shows_pulled), *said]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def bounds(resolution: Resolution, now: datetime) -> tuple[datetime, datetime]:
    """Until when the metadata and the files may be served by this decision without asking again."""
    if resolution.is_stale:
        return now + WHILE_TROUBLED, now + WHILE_TROUBLED if resolution.decision.is_internal is None else FOREVER
    replies = resolution.situation.replies
    metadata = [said.document.fresh_until for said in replies.values() if said.document is not None]
    absences = [
        said.document.fresh_until
        for upstream_id, said in replies.items()
        if said.document is not None
        and said.reply is Reply.ABSENT
        and resolution.situation.upstreams[upstream_id].is_internal
        and resolution.situation.upstreams[upstream_id].kind != Kind.REGISTRY
    ]
    return min(metadata, default=FOREVER), min(absences, default=FOREVER)


def _list_files(rendering: Rendering, files: Iterable[File]) -> None:
    rows = [DocumentFile(rendering=rendering, filename=file.name, sha256=file.blob.sha256, size=file.blob.size) for file in files]
    DocumentFile.objects.bulk_create(rows, ignore_conflicts=True)
