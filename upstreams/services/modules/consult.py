"""Asking one upstream about one module: out of the copy of its Git index, which tells nobody the name, or over HTTP."""

import zlib
from collections.abc import Callable
from datetime import datetime, timedelta

import orjson
from django.conf import settings
from django.utils import timezone

from packages.formats.errors import DocumentInvalid
from packages.formats.moonbit.addresses import entry_url
from packages.formats.moonbit.index import Index, parse_index
from packages.formats.moonbit.names import Name
from upstreams.clients.echo import refuse_echo
from upstreams.clients.http import Target
from upstreams.clients.moonbit import Lines, fetch_lines
from upstreams.durability import remembered
from upstreams.errors import RuleChanged, UpstreamBadAnswer, UpstreamError
from upstreams.flight import single_flight
from upstreams.models import Upstream, UpstreamDocument
from upstreams.selectors.facts import Replied, replied
from upstreams.services.consult import LOCK, PATIENCE, RETRY_AFTER_FAILURE, STALE_LIFE
from upstreams.services.modules.indexes import bring_index, lines_in
from upstreams.services.modules.pins import pin
from upstreams.services.troubles import tell_of_trouble
from upstreams.targets import target_of
from upstreams.terms import Reply
from workspaces import reading, statements
from workspaces.insertion import upsert
from workspaces.room import release_connection


def consult(upstream: Upstream, name: Name, since: datetime, *, still_holds: Callable[[], None]) -> Replied:
    """What `upstream` says about `name`; an answer given before `since` does not count. Its failure is an answer too.

    `still_holds` raises when the decision to ask is out of date, as for every other format (`upstreams.services.consult`).
    """
    with single_flight("consult", f"{upstream.pk} {name.full}", patience=PATIENCE):
        row = _said_before(upstream, name)
        if row is not None and row.fresh_until > timezone.now() and row.fetched_at >= since:
            return replied(row)
        try:
            lines, index = _asked(upstream, name, row, since, still_holds)
        except UpstreamError as error:
            tell_of_trouble(upstream, error, name.full)
            return _stand_in(row, error)
        return replied(_keep(upstream, name, lines, index, still_holds))


def index_of(document: UpstreamDocument, name: Name) -> Index:
    """The versions in an upstream's answer."""
    body = bytes(UpstreamDocument.objects.values_list("body", flat=True).get(pk=document.pk))
    return parse_index(zlib.decompress(body, wbits=31), name) if body else Index()


def _asked(
    upstream: Upstream, name: Name, row: UpstreamDocument | None, since: datetime, still_holds: Callable[[], None]
) -> tuple[Lines, Index]:
    """A copy of an index counts no longer than an answer would. Raises UpstreamError subclasses."""
    target = target_of(upstream)
    if upstream.index_type == Upstream.IndexType.GIT:
        still_holds()
        index = bring_index(upstream, target, max(since, timezone.now() - min(believed(upstream), settings.METADATA_FRESH)))
        body = lines_in(upstream, index, name)
        lines = Lines(is_present=body is not None, body=body, at=index.at)
    else:

        def before_send() -> None:
            still_holds()
            release_connection()

        address = entry_url(upstream.url, upstream.index_url, name)
        lines = fetch_lines(target, address, row.etag if row is not None and row.is_present else "", before_send=before_send)
    return lines, _understood(target, lines.body, name) if lines.body is not None else Index()


def _understood(target: Target, body: bytes, name: Name) -> Index:
    """The versions in what was sent, unless our credentials are among it. Raises UpstreamBadAnswer."""
    try:
        index = parse_index(body, name)
    except DocumentInvalid as error:
        raise UpstreamBadAnswer(f"Upstream {target.name}: {error.message}", upstream=target.name) from None
    refuse_echo(target, body)
    refuse_echo(target, orjson.dumps([entry.manifest for entry in index.entries]))  # the same, however it was written
    return index


def _stand_in(row: UpstreamDocument | None, error: UpstreamError) -> Replied:
    """The upstream is in trouble: an earlier answer stands in, if it said it had the name."""
    now = timezone.now()
    if row is None or not row.is_present or row.fetched_at + STALE_LIFE < now:
        return Replied(Reply.FAILED, error.message, error=error)
    UpstreamDocument.objects.filter(pk=row.pk).update(fresh_until=now + RETRY_AFTER_FAILURE)
    return Replied(Reply.HAS, error.message, row, is_stale=True, error=error)


@remembered()
def _keep(upstream: Upstream, name: Name, lines: Lines, index: Index, still_holds: Callable[[], None]) -> UpstreamDocument:
    is_there = statements.row(statements.locking(LOCK), [upstream.pk])
    still_holds()
    if is_there is None:
        raise RuleChanged("The upstream was removed while it was asked; try again.", retry_after=1)
    now = lines.at or timezone.now()
    if lines.is_present and lines.body is None:
        row = _said_before(upstream, name)
        if row is None:  # forgotten between the question and the answer
            raise RuleChanged("What the upstream said earlier is gone; try again.", retry_after=1)
        row.fetched_at, row.fresh_until = now, now + settings.METADATA_FRESH
        row.save(update_fields=["fetched_at", "fresh_until"])
        return row
    if lines.is_present:
        pin(upstream, name, index)
    said = UpstreamDocument(
        upstream=upstream,
        name=name.full,
        is_present=lines.is_present,
        etag=lines.etag,
        last_modified="",
        body=zlib.compress(lines.body, level=1, wbits=31) if lines.body is not None else b"",
        digest="",
        fetched_at=now,
        fresh_until=now + (settings.METADATA_FRESH if lines.is_present else believed(upstream)),
    )
    upsert(said, ("upstream_id", "name"))
    return said


def _said_before(upstream: Upstream, name: Name) -> UpstreamDocument | None:
    """What it said last, without the body."""
    return reading.first(UpstreamDocument, "WHERE t.upstream_id = %s AND t.name = %s", [upstream.pk, name.full], without="body")


def believed(upstream: Upstream) -> timedelta:
    """How long the upstream's "not here" counts."""
    return settings.NEGATIVE_FRESH if upstream.negative_ttl is None else timedelta(seconds=upstream.negative_ttl)
