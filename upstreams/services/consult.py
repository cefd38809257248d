"""Asking one upstream about one name: cached, revalidated, one asker at a time. Whether it may be asked is the rule's business."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from packages.formats import gzipped
from packages.formats.npm.names import Name
from packages.formats.npm.packument import Manifest
from packages.formats.npm.sent import Sent
from packages.formats.npm.versions import is_version
from registries.models import Registry
from upstreams.clients.npm import Fetched, Known, fetch_packument, whole
from upstreams.durability import lightly, remembered
from upstreams.errors import RuleChanged, UpstreamBadAnswer, UpstreamError
from upstreams.flight import single_flight
from upstreams.memory import let_go, parsed
from upstreams.models import GitListing, Upstream, UpstreamDocument
from upstreams.selectors.facts import Replied, replied
from upstreams.services.alerts import removed_upstream
from upstreams.services.git.answers import answer_from_git
from upstreams.services.pinning import holding, pinning
from upstreams.services.troubles import tell_of_trouble
from upstreams.targets import target_of
from upstreams.terms import Reply
from workspaces import reading, statements
from workspaces.insertion import upsert_last
from workspaces.prepared import Row, Statement
from workspaces.room import release_connection

STALE_LIFE = timedelta(days=30)  # how long what an upstream said earlier may stand in for it while it is down
RETRY_AFTER_FAILURE = timedelta(seconds=15)  # a stale answer counts this long before the upstream is tried again
SAID = "WHERE t.upstream_id = %s AND t.name = %s"
ONE = ("upstream_id", "name")  # of a name there is one row
LOCK = "SELECT id FROM upstreams_upstream WHERE id = %s"
CONSULT = "consult"  # the kind of lock
PATIENCE = 60.0  # seconds to wait for somebody else's question


class Holds(Protocol):
    """Whether the decision to ask still holds: called, it looks and raises when it does not."""

    @property
    def statement(self) -> Statement:
        """What it looks at, to be read together with other things."""

    def judge(self, rows: Sequence[Row]) -> None:
        """Raise by what the statement found."""

    def __call__(self) -> None:
        """Both."""


def consult(upstream: Upstream, name: Name, *, still_holds: Holds) -> Replied:
    """What `upstream` says about `name` now. Its failure is an answer too (Reply.FAILED, or the stale one).

    `still_holds` raises when the decision to ask is out of date: asked when the connection stands, and again
    before an answer is kept, while nobody may change the upstream, so that nobody believes one begun under older rules.
    """

    def before_send() -> None:
        still_holds()
        release_connection()  # whoever waits for an upstream holds no database connection

    with single_flight(CONSULT, consult_key(upstream, name), patience=PATIENCE):
        row, now = _said_before(upstream, name), timezone.now()
        if row is not None and row.fresh_until > now:
            return replied(row)
        if upstream.kind == Upstream.Kind.GIT:
            return answer_from_git(upstream, name, row, still_holds)
        known = Known(row.etag, row.last_modified) if row is not None and row.is_present else Known()
        try:
            fetched = fetch_packument(target_of(upstream), name, known, limit=settings.METADATA_LIMIT, before_send=before_send)
        except UpstreamError as error:
            let_go(error)
            tell_of_trouble(upstream, error, name.full)
            return _stand_in(row, error, now)
        return keep_answer(upstream, name, fetched, still_holds)


def consult_key(upstream: Upstream, name: Name) -> str:
    """Of the lock (kind CONSULT) that whoever asks it about the name holds."""
    return f"{upstream.pk} {name.full}"


def keep_answer(upstream: Upstream, name: Name, fetched: Fetched, still_holds: Holds) -> Replied:
    """Write down what it answered, for the caller who holds the lock. Raises RuleChanged, and what `still_holds` raises."""
    return replied(_keep(upstream, name, fetched, still_holds))


def outdate(registry: Registry, name: Name, began: datetime) -> bool:
    """See to it that what sources of the workspace said about `name` before `began` is asked again; whether any had."""
    counts = {"upstream__registry__workspace_id": registry.workspace_id, "fresh_until__gt": began}
    listings = GitListing.objects.filter(**counts, fetched_at__lt=began)
    listed = list(listings.values_list("upstream", flat=True))  # what a repository says of a name is of its listing
    listings.update(fresh_until=began)
    said = UpstreamDocument.objects.filter(Q(fetched_at__lt=began) | Q(upstream__in=listed), **counts, name=name.full)
    return bool(said.update(fresh_until=began))


def load(document: UpstreamDocument) -> Manifest:
    """The packument an upstream sent, all of it. Raises RuleChanged, UpstreamBadAnswer when it nests too deeply to be used."""
    body, document.sent = _body(document), None  # it is not needed twice, and may be large
    try:
        return whole(body)
    except ValueError:
        name = document.upstream.name
        raise UpstreamBadAnswer(f"Upstream {name} did not send JSON that can be used.", upstream=name) from None


def sent_by(document: UpstreamDocument) -> Sent:
    """The same, taken apart only where it is looked at. Raises RuleChanged."""
    return document.sent or Sent(_body(document))


def _body(document: UpstreamDocument) -> bytes:
    if document.sent is not None:
        return document.sent.data
    packed = UpstreamDocument.objects.values_list("body", flat=True).filter(pk=document.pk).first()
    if packed is None:  # it went with its upstream, or what that one said was forgotten
        raise RuleChanged("The rules for this package changed just now; try again.", retry_after=1)
    return gzipped.unpacked(bytes(packed))


def _stand_in(row: UpstreamDocument | None, error: UpstreamError, now: datetime) -> Replied:
    """The upstream is in trouble: an earlier answer stands in, if it said it had the name."""
    if row is None or not row.is_present or row.fetched_at + STALE_LIFE < now:
        return Replied(Reply.FAILED, error.message, error=error)
    row.fresh_until = now + RETRY_AFTER_FAILURE
    UpstreamDocument.objects.filter(pk=row.pk).update(fresh_until=row.fresh_until)
    return replied(row, stale=True, detail=error.message)


@remembered(is_told=False)
def _keep(upstream: Upstream, name: Name, fetched: Fetched, still_holds: Holds) -> UpstreamDocument:
    asking = (reading.selecting(UpstreamDocument, SAID, without="body"), [upstream.pk, name.full])
    pins = [holding(upstream.registry_id, name, fetched.promises)] if fetched.body is not None else []
    light, locking = lightly(), (statements.sharing(LOCK), [upstream.pk])
    is_there, before, standing, *held = statements.several([*light, locking, asking, still_holds.statement, *pins])[len(light) :]
    still_holds.judge(standing)
    if not is_there:
        raise RuleChanged("The upstream was removed while it was asked; try again.", retry_after=1)
    now = timezone.now()
    row = next(iter(reading.made(UpstreamDocument, before, without="body")), None)
    if row is not None and fetched.is_present and fetched.body is None:
        row.fetched_at, row.fresh_until = now, now + settings.METADATA_FRESH
        row.save(update_fields=["fetched_at", "fresh_until"])
        return row
    if row is not None and row.is_present and fetched.digest != row.digest:
        _tell_of_removed(upstream, name, row, fetched)
    said = document_of(upstream, name, fetched)
    pinned = pinning(upstream, name, fetched.promises, held[0]) if held else None
    upsert_last(said, ONE, pinned.adding if pinned is not None else [])
    said.pins = pinned.pins if pinned is not None else None
    return said


def document_of(upstream: Upstream, name: Name, fetched: Fetched) -> UpstreamDocument:
    """The row for what it answered just now, not yet written."""
    now, life = timezone.now(), settings.METADATA_FRESH if fetched.is_present else _believed(upstream)
    said = UpstreamDocument(
        upstream=upstream,
        name=name.full,
        is_present=fetched.is_present,
        etag=fetched.etag,
        last_modified=fetched.last_modified,
        body=fetched.packed if fetched.body is not None else b"",
        digest=fetched.digest if fetched.body is not None else "",
        fetched_at=now,
        fresh_until=now + life,
    )
    said.sent = fetched.sent
    return said


def _said_before(upstream: Upstream, name: Name) -> UpstreamDocument | None:
    """What it said last, without the body."""
    return reading.first(UpstreamDocument, SAID, [upstream.pk, name.full], without="body")


def _believed(upstream: Upstream) -> timedelta:
    """How long the upstream's "not here" counts."""
    return settings.NEGATIVE_FRESH if upstream.negative_ttl is None else timedelta(seconds=upstream.negative_ttl)


def _tell_of_removed(upstream: Upstream, name: Name, row: UpstreamDocument, fetched: Fetched) -> None:
    """Tell people of versions that were offered before and are not any more (threats.md U26)."""
    offered = parsed(fetched.body)["versions"] if fetched.body is not None else {}
    before = parsed(gzipped.unpacked(bytes(row.body)))["versions"]
    gone = [version for version in before if version not in offered and is_version(version)]
    if gone:
        removed_upstream(upstream, name.full, gone, whole=not fetched.is_present)
