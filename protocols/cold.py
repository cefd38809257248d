"""The path for tarballs of names that nobody has seen, on the event loop: what an installation into an empty registry asks.

Like the hot path it has no opinion of its own: it asks whom the rule names, checks what it gets as the slow path does, and leaves
whatever is not plain to that one (None). An installation asks for a thousand such files at once, and shares the machine with the
server (docs/adr/0013).
"""

import contextlib
import logging
from collections.abc import MutableMapping
from functools import partial
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.http.response import HttpResponseBase

from packages import blobs
from packages.formats.errors import NameInvalid
from packages.formats.npm.names import Name, parse_known
from packages.services.downloads import Downloaded
from protocols.batched import Batched
from protocols.hot import UNSEEN, Question, Unseen
from protocols.inthread import in_thread
from protocols.npm import errors
from protocols.observation import ACTOR, DOWNLOAD
from protocols.told import ENVIRON
from protocols.wire import FileAnswer, TailAnswer, file_headers
from tokens import usage
from upstreams.clients.heard import Flowing, Heard
from upstreams.clients.lines import Lines, Unsure
from upstreams.clients.npm import OK, PACKUMENT, TARBALL, Fetched, Known, packument_url, read_packument
from upstreams.errors import UpstreamBadAnswer, UpstreamError
from upstreams.selectors.hot import target
from upstreams.selectors.readers import DatabaseTrouble, Reader
from upstreams.selectors.unknown import Place, Places, Unknown, Unknowns
from upstreams.services import sight
from upstreams.services.files import OpenedFile
from upstreams.services.pulls import Offer, Pull
from upstreams.services.renderings import HeldFile
from upstreams.spool import Tail
from workspaces.access import Action
from workspaces.errors import GatehouseError

DOCUMENT = 2 * 1024 * 1024  # bytes of a packument on the wire that are held; a longer one is read in a thread while it comes
AT_ONCE, PLAIN_AT_ONCE, LIGHT = 48 * 1024, 256 * 1024, 2 * 1024 * 1024  # bytes of one read on the loop: packed, not packed, unpacked
NAMED = {"X-Gatehouse-Path": "cold"}
MOST = 32  # files on their way at once in a process, each with its packument in memory; those beyond go by the slow path

log = logging.getLogger(__name__)
Scope = MutableMapping[str, Any]
ColdAnswer = tuple[HttpResponseBase, bytes | None]  # the response, its body where that is here


class ColdPath:
    """The handler of one process; made on its event loop."""

    def __init__(self, reader: Reader) -> None:
        self._unknowns, self._places, self._lines = Unknowns(reader), Places(), Lines()
        self._take = Batched(sight.take, lambda: self._at_work)
        self._at_work = 0

    async def answer(self, scope: Scope) -> ColdAnswer | None:
        """The tarball, or why it is refused; None: the slow path's business. Never raises."""
        unseen: Unseen | None = scope.get(UNSEEN)
        if unseen is None or unseen.asked.if_none_match or self._at_work >= MOST or not _may_read(unseen):
            return None
        self._at_work += 1
        try:
            return await self._found(scope, *unseen)
        except _Refused as refused:
            response = errors.answer(refused.error)
            response.headers["Content-Length"] = str(len(response.content))
            return response, response.content
        except (DatabaseTrouble, Unsure, GatehouseError, _Changed):
            return None
        except Exception:
            log.exception("a file was not to be had at first sight")
            return None
        finally:
            self._at_work -= 1

    async def _found(self, scope: Scope, asked: Question, unknown: Unknown) -> ColdAnswer | None:
        try:
            name = parse_known(asked.name)
        except NameInvalid:
            return None
        if not name.version_of(asked.filename):
            return None
        seen = await self._sighted(unknown, name)
        locks = sight.Locks.taken(seen, asked.filename) if seen is not None else None
        if seen is None or locks is None:
            return None
        try:
            answer = await self._taken(asked, unknown, seen, locks)
        finally:
            locks.release()
        if answer is None:
            return None
        filename = name.tarball(name.version_of(asked.filename))
        scope[ENVIRON] = {ACTOR: unknown.row.actor, DOWNLOAD: Downloaded(unknown.row.registry.id, name.full, filename)}
        if unknown.row.token_id is not None:
            usage.touch(unknown.row.token_id, unknown.row.actor.ip)
        return answer

    async def _sighted(self, unknown: Unknown, name: Name) -> sight.Sighted | None:
        registry_id, rule_epoch = unknown.row.registry.id, unknown.epochs.rule
        place: Place | None = self._places.kept(registry_id, rule_epoch)
        if place is None:
            place = await in_thread(lambda: self._places.read(registry_id, rule_epoch))
        return sight.sighted(place, name, unknown.epochs) if place is not None else None

    async def _taken(self, asked: Question, unknown: Unknown, seen: sight.Sighted, locks: sight.Locks) -> ColdAnswer | None:
        fetched, pull = await self._document(unknown, seen, seen.name.version_of(asked.filename))
        heard = await self._tarball(unknown, seen, pull.offer) if pull is not None else None
        if pull is None or heard is None:
            await in_thread(lambda: sight.keep(seen, fetched))
            return None
        try:
            if isinstance(heard, Flowing):
                return _followed(await in_thread(lambda: sight.follow(seen, fetched, pull, heard, locks)))
        except UpstreamError as error:
            raise _Refused(error) from None
        held = await self._take(sight.Taking(seen, fetched, pull, heard))
        if isinstance(held, UpstreamError):
            raise _Refused(held)
        return (HttpResponse(heard.body, headers=_headers(held)), heard.body) if held is not None else None

    async def _document(self, unknown: Unknown, seen: sight.Sighted, version: str) -> tuple[Fetched, Pull | None]:
        """What the upstream says of the name, and how the version is to be had; what is long is read in a thread."""

        async def still_unasked() -> None:  # whoever held the lock before us may have written down what it said
            now = await self._unknowns.unasked(workspace_id, seen.name.folded, seen.upstream.pk, seen.name.full)
            if now != unknown.epochs:
                raise _Changed

        workspace_id = unknown.row.registry.workspace_id
        url = packument_url(seen.target, seen.name)
        heard = await self._lines.ask(seen.target, url, PACKUMENT, limit=DOCUMENT, before_send=still_unasked)
        if isinstance(heard, Heard) and len(heard.body) <= (AT_ONCE if heard.headers.get("content-encoding") else PLAIN_AT_ONCE):
            with contextlib.suppress(UpstreamBadAnswer):  # more comes out of it than it seemed, or it is bad
                return _read(seen, heard, version, LIGHT)
        return await in_thread(lambda: _read(seen, heard, version, settings.METADATA_LIMIT))

    async def _tarball(self, unknown: Unknown, seen: sight.Sighted, offer: Offer) -> Heard | Flowing | None:
        """Its bytes, or the beginning of them; None when they are not to be had this way."""
        holds = partial(self._still_holds, unknown, seen)
        try:
            heard = await self._lines.ask(seen.target, offer.tarball, TARBALL, limit=blobs.IN_MEMORY, before_send=holds)
        except Unsure:
            return None
        if heard.status == OK and not heard.headers.get("content-encoding"):
            return heard
        _close(heard)
        return None

    async def _still_holds(self, unknown: Unknown, seen: sight.Sighted) -> None:
        """Raises _Changed when the rule may say something else by now."""
        if await self._unknowns.epochs(unknown.row.registry.workspace_id, seen.name.folded) != unknown.epochs:
            raise _Changed


def _may_read(unseen: Unseen) -> bool:
    """Whether the caller certainly may."""
    actor, registry = unseen.unknown.row.actor, unseen.unknown.row.registry
    if registry.is_public and actor.role_in(registry.workspace_id) is None:  # it may be for members only
        return False
    return actor.may(Action.READ, registry, target(unseen.asked.name))


def _read(seen: sight.Sighted, heard: Heard | Flowing, version: str, limit: int) -> tuple[Fetched, Pull | None]:
    """Raises UpstreamError subclasses."""
    try:
        fetched = read_packument(seen.target, heard, seen.name, Known(), limit=limit)
    finally:
        _close(heard)
    return fetched, sight.offered(seen, fetched, version)


def _close(heard: Heard | Flowing) -> None:
    if isinstance(heard, Flowing):
        heard.close()


def _headers(held: HeldFile) -> dict[str, str]:
    return {**file_headers(held.sha256), "Content-Length": str(held.size), **NAMED}


def _followed(opened: OpenedFile | Tail | None) -> ColdAnswer | None:
    if opened is None:
        return None
    if isinstance(opened, OpenedFile):
        headers = {**file_headers(opened.sha256), **NAMED}
        return FileAnswer(opened.path, start=0, length=opened.size, whole=True, headers=headers, status=200), None
    response = TailAnswer(opened)
    for name, value in NAMED.items():
        response.headers[name] = value
    return response, None


class _Refused(Exception):
    """The file came and is not to be had: what the caller is told."""

    def __init__(self, error: UpstreamError) -> None:
        super().__init__()
        self.error = error


class _Changed(Exception):
    """What was decided by is not so any more."""
