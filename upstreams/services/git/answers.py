"""What a Git upstream says about a name: from its last complete listing while that is fresh, else listed anew.

A repository that cannot be reached has still said what it had: its last complete listing is its answer (RULE.md, 4).
"""

import hashlib
import zlib
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import orjson
from django.conf import settings
from django.utils import timezone

from packages.formats.npm.names import Name
from packages.formats.npm.packument import promises
from upstreams.clients.echo import refuse_echo
from upstreams.clients.git.remote import GitTarget, keep_commits
from upstreams.durability import remembered
from upstreams.errors import RuleChanged, UpstreamBadAnswer, UpstreamError, UpstreamUnreachable
from upstreams.flight import single_flight
from upstreams.memory import let_go, parsed
from upstreams.models import GitListing, Upstream, UpstreamDocument
from upstreams.selectors.facts import Replied, replied
from upstreams.services.alerts import integrity_changed, removed_upstream, tag_moved
from upstreams.services.git.describing import Described, describe
from upstreams.services.git.listing import Survey, chapter, is_here, survey
from upstreams.services.git.modules import UNREADABLE
from upstreams.services.git.targets import git_target_of
from upstreams.services.pinning import pin, pins_of
from upstreams.services.troubles import tell_of_trouble, telling
from upstreams.terms import Reply
from workspaces.room import release_connection

RETRY_AFTER_FAILURE = timedelta(seconds=15)  # before a repository in trouble is asked again
SOON = timedelta(seconds=30)  # when the promises that are still missing are added
PATIENCE = 60.0  # seconds to wait for whoever lists the repository
ANSWER = ["is_present", "etag", "last_modified", "body", "digest", "fetched_at", "fresh_until"]

Check = Callable[[], None]


def answer_from_git(upstream: Upstream, name: Name, row: UpstreamDocument | None, still_holds: Check) -> Replied:
    """What the repository says about `name`; `row` is what it said last. Its failure is an answer too."""
    try:
        listing, trouble = _listing(upstream, still_holds)
        said = _answered(upstream, name, row, listing, still_holds)
    except RuleChanged:
        raise
    except UpstreamError as error:
        let_go(error)
        tell_of_trouble(upstream, error, name.full)
        if row is not None and row.is_present:
            return _standing_in(row, error)
        return Replied(Reply.FAILED, error.message, error=error)
    if trouble is not None:
        tell_of_trouble(upstream, trouble, name.full)
    return replied(said, stale=trouble is not None and said.is_present, detail=trouble.message if trouble else "")


def names_from_git(upstream: Upstream, since: datetime, still_holds: Check) -> Sequence[str]:
    """Every name the repository has, by a listing of `since` or later. Raises UpstreamError where it cannot be had now."""
    return [name for name in list_since(upstream, since, still_holds).names if name != UNREADABLE]


def list_since(upstream: Upstream, since: datetime, still_holds: Check) -> GitListing:
    """The listing, made anew unless it is of `since` or later: an earlier one stands in for nothing. Raises UpstreamError."""
    with telling(upstream, ""), single_flight("git", str(upstream.pk), patience=PATIENCE):
        row = _last(upstream)
        return row if row is not None and row.fetched_at >= since else _renewed(upstream, row, still_holds)


def _standing_in(row: UpstreamDocument, error: UpstreamError) -> Replied:
    row.fresh_until = timezone.now() + RETRY_AFTER_FAILURE
    UpstreamDocument.objects.filter(pk=row.pk).update(fresh_until=row.fresh_until)
    return replied(row, stale=True, detail=error.message)


def _listing(upstream: Upstream, still_holds: Check) -> tuple[GitListing, UpstreamError | None]:
    """The listing that counts, and the trouble it stands in for. Raises UpstreamError where nothing was ever listed."""
    row = _last(upstream)
    if row is not None and row.fresh_until > timezone.now():
        return row, None
    try:
        with single_flight("git", str(upstream.pk), patience=PATIENCE):
            row = _last(upstream)
            if row is not None and row.fresh_until > timezone.now():
                return row, None
            return _renewed(upstream, row, still_holds), None
    except RuleChanged:
        raise
    except UpstreamError as error:
        if row is None:
            raise
        let_go(error)
        row.fresh_until = timezone.now() + RETRY_AFTER_FAILURE
        GitListing.objects.filter(pk=row.pk).update(fresh_until=row.fresh_until)
        return row, error


def _last(upstream: Upstream) -> GitListing | None:
    return GitListing.objects.filter(upstream=upstream).first()


def _renewed(upstream: Upstream, row: GitListing | None, still_holds: Check) -> GitListing:
    """Ask the repository. In the turn of whoever lists it."""
    known = Survey(row.refs_digest, row.names) if row is not None else None
    target = git_target_of(upstream)
    found = survey(target, known, before_send=_and_let_go(still_holds))
    _refuse_echo(target, orjson.dumps(list(found.names)))
    return _kept_listing(upstream, found, still_holds)


def _and_let_go(still_holds: Check) -> Check:
    """The last look before anything is sent; whoever waits for a repository holds no database connection."""

    def before_send() -> None:
        still_holds()
        release_connection()

    return before_send


@remembered()
def _kept_listing(upstream: Upstream, found: Survey, still_holds: Check) -> GitListing:
    _must_be_there(upstream, still_holds)
    now = timezone.now()
    life = {"fetched_at": now, "fresh_until": now + settings.METADATA_FRESH}
    row, _ = GitListing.objects.update_or_create(
        upstream=upstream, defaults={"refs_digest": found.digest, "names": list(found.names), **life}
    )
    return row


def _must_be_there(upstream: Upstream, still_holds: Check) -> None:
    """Under the upstream's row lock, so that nobody believes an answer begun under older rules."""
    present = Upstream.objects.select_for_update().filter(pk=upstream.pk).exists()
    still_holds()
    if not present:
        raise RuleChanged("The upstream was removed while it was asked; try again.", retry_after=1)


def _answered(upstream: Upstream, name: Name, row: UpstreamDocument | None, listing: GitListing, still_holds: Check) -> UpstreamDocument:
    """The document of this listing. Raises UpstreamError where it has to be made and cannot be."""
    if name.full not in listing.names:
        _must_be_complete(upstream, listing)
        life = settings.NEGATIVE_FRESH if upstream.negative_ttl is None else timedelta(seconds=upstream.negative_ttl)
        said = _new(upstream, name, listing, min(timezone.now() + life, listing.fresh_until))
        return _kept(upstream, name, row, said, None, still_holds)
    if row is not None and row.is_present and row.etag == listing.refs_digest:
        row.fetched_at, row.fresh_until = listing.fetched_at, listing.fresh_until
        row.save(update_fields=["fetched_at", "fresh_until"])
        return row
    described, body, fresh_until = _made(upstream, name, row, listing, still_holds)
    is_complete = fresh_until == listing.fresh_until
    said = _new(upstream, name, listing, fresh_until, body=body, etag=listing.refs_digest if is_complete else "")
    return _kept(upstream, name, row, said, described, still_holds)


def _must_be_complete(upstream: Upstream, listing: GitListing) -> None:
    """Of an internal repository an absence has to be certain, for others are asked then. Raises UpstreamBadAnswer."""
    if upstream.is_internal and UNREADABLE in listing.names:
        sentence = "has a package.json that is not JSON or over 2 MiB, so it cannot tell which packages it does not have"
        raise UpstreamBadAnswer(f"Upstream {upstream.name} {sentence}.", upstream=upstream.name)


def _refuse_echo(target: GitTarget, written: bytes) -> None:
    """Over SSH nothing is sent that could come back. Raises UpstreamBadAnswer."""
    if target.web is not None:
        refuse_echo(target.web, written)


def _made(
    upstream: Upstream, name: Name, row: UpstreamDocument | None, listing: GitListing, still_holds: Check
) -> tuple[Described, bytes, datetime]:
    """The packument, the same as it is written, and how long it counts."""
    target = git_target_of(upstream)
    before = parsed(zlib.decompress(bytes(row.body), wbits=31)) if row is not None and row.is_present else {}
    pinned = pins_of(upstream.registry_id, name)
    release_connection()
    mirrored(upstream, target, listing.refs_digest, still_holds)
    found = chapter(target, name)
    if found is None:
        raise UpstreamUnreachable(f"The mirror of upstream {upstream.name} is being made anew; try again.", upstream=upstream.name)
    described = describe(target, name, found, before, pinned)
    if described.kept:  # or the next tidying would let go of them
        with single_flight("git", str(upstream.pk), patience=PATIENCE):
            keep_commits(target, described.kept)
    body = orjson.dumps(described.document)
    _refuse_echo(target, body)
    return described, body, listing.fresh_until if described.is_complete else min(listing.fresh_until, timezone.now() + SOON)


def mirrored(upstream: Upstream, target: GitTarget, digest: str, still_holds: Check) -> None:
    """See to it that this machine has the mirror: another one may have made the listing. Raises UpstreamError."""
    if is_here(target, digest):
        return
    with single_flight("git", str(upstream.pk), patience=PATIENCE):
        if not is_here(target, digest):
            survey(target, None, before_send=_and_let_go(still_holds))


def _new(
    upstream: Upstream, name: Name, listing: GitListing, fresh_until: datetime, *, body: bytes | None = None, etag: str = ""
) -> UpstreamDocument:
    return UpstreamDocument(
        upstream=upstream,
        name=name.full,
        is_present=body is not None,
        etag=etag,
        body=zlib.compress(body, level=1, wbits=31) if body is not None else b"",
        digest=hashlib.sha256(body).hexdigest() if body is not None else "",
        fetched_at=listing.fetched_at,
        fresh_until=fresh_until,
    )


@remembered()
def _kept(
    upstream: Upstream, name: Name, row: UpstreamDocument | None, said: UpstreamDocument, described: Described | None, still_holds: Check
) -> UpstreamDocument:
    _must_be_there(upstream, still_holds)
    if described is not None:
        pin(upstream, name, promises(described.document))
        _tell_of_changed(upstream, name, described)
    if row is not None and row.is_present and row.digest != said.digest:
        _tell_of_removed(upstream, name, row, described)
    UpstreamDocument.objects.bulk_create([said], update_conflicts=True, unique_fields=["upstream", "name"], update_fields=ANSWER)
    return said


def _tell_of_changed(upstream: Upstream, name: Name, described: Described) -> None:
    """Tell people of tags that were moved, and of other bytes for which nobody knows why."""
    for version, moved in described.moved.items():
        tag_moved(upstream, f"{name.full}@{version}", moved.first, moved.now, is_kept=moved.is_kept)
    others = {version: promised for version, promised in described.others.items() if version not in described.moved}
    if others:
        integrity_changed(upstream, name.full, pins_of(upstream.registry_id, name), others)


def _tell_of_removed(upstream: Upstream, name: Name, row: UpstreamDocument, described: Described | None) -> None:
    """Tell people of versions whose tags are gone. That the head of a branch moves on is no news, and a moved tag is other news."""
    before = parsed(zlib.decompress(bytes(row.body), wbits=31))["versions"]
    there = {*described.document["versions"], *described.others} if described is not None else set()
    gone = [version for version in before if version not in there and not version.startswith("0.0.0-git.")]
    if gone or described is None:
        removed_upstream(upstream, name.full, gone or list(before), whole=described is None)
