"""The thin path: GET and HEAD of npm metadata and tarballs, answered on the event loop.

It has no opinion of its own: it may only say "this caller, by the authoriser, may read this registry" and
hand out what the rule rendered. Everything it does not know for certain goes to the slow path (None).
"""

import asyncio
import os
import re
from collections.abc import MutableMapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from time import perf_counter, time
from typing import Any, NamedTuple

from django.conf import settings
from django.core.files.storage import FileSystemStorage
from django.http.request import split_domain_port, validate_host

from packages import blobs
from protocols.hot_lines import Hot
from protocols.outside import Headers, headers_of, outside
from protocols.recall import Bounded, Key, Recall, key_of
from protocols.wire import base_url, document_headers, etag_listed, file_headers, form_of, is_home_question, stale_headers, takes_gzip
from tokens import usage
from tokens.secrets import FORM, digest
from upstreams.selectors.facts import Epochs
from upstreams.selectors.hot import Row, Statements, target
from upstreams.selectors.readers import DatabaseTrouble, open_reader
from upstreams.selectors.unknown import Unknown
from workspaces.access import Action

PART = r"[A-Za-z0-9~-][A-Za-z0-9._~-]*"
PATH = re.compile(
    rf"/(?P<ws>[a-z0-9-]{{1,40}})/r/(?P<reg>[a-z0-9-]{{1,40}})/(?P<name>@{PART}(?:/|%2[fF]){PART}|{PART})"
    rf"(?:/-/(?P<file>{PART}\.tgz))?"
)
HOST = re.compile(
    r"(?:\[[^\]]{1,60}\]|[^:]{0,200})(?::[0-9]{0,5})?"
)  # a registry's address on it fits the column that documents are kept by
SMALL = 64 * 1024  # bytes: files up to this size are kept in memory
DOCUMENTS, FILES = 24 * 1024 * 1024, 8 * 1024 * 1024  # bytes kept in memory per process

UNSEEN = "gatehouse.unseen"  # where in the scope of a request the next way finds what this one's statement found

Scope = MutableMapping[str, Any]
Message = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Decision:
    """That this caller gets this document or file: the finished head of the answer, and where its body is."""

    start: Message  # http.response.start
    row: Row  # who asked, and where
    size: int = 0  # bytes of the body; 0 for 304
    key: str = ""  # the body's in memory: a document's ETag, a file's SHA-256
    document_id: int = 0
    path: str = ""  # of a file


class HotAnswer(NamedTuple):  # a tuple is made in a third of a frozen dataclass's time
    """A finished answer: its two messages, and what is to be noted about it."""

    start: Message
    body: Message
    decision: Decision
    agent: str  # the client's name for itself

    def noted(self, scope: Scope, begun: float) -> Hot:
        """What the request log, the metrics and the counting of downloads want to know."""
        row, start, method = self.decision.row, self.start, scope["method"]
        size = self.decision.size if method == "GET" else 0
        registry_id = row.registry.id if self.decision.path else 0
        return begun, perf_counter(), method, scope["path"], start["status"], size, row.actor.ip, self.agent, row.actor, registry_id


@dataclass(frozen=True, slots=True)
class Question:
    """A request in the few words the hot path understands."""

    workspace: str
    registry: str
    name: str
    filename: str
    form: str
    base_url: str
    secret_hash: str
    ip: str
    if_none_match: str


class Unseen(NamedTuple):
    """A file of a name of which nothing is known, as a request's `scope[UNSEEN]`."""

    asked: Question
    unknown: Unknown


class HotPath:
    """The thin handler of one process; made on its event loop."""

    def __init__(self) -> None:
        self.reader = open_reader()
        self._statements = Statements(self.reader)
        self._recall: Recall[Decision | None] = Recall()
        self._documents, self._files = Bounded(DOCUMENTS), Bounded(FILES)
        backend = blobs.backend()
        self._folder = backend.base_location if isinstance(backend, FileSystemStorage) else None

    async def answer(self, scope: Scope) -> HotAnswer | None:
        """The answer, or None: the slow path's business. Only for GET and HEAD."""
        headers = dict(scope["headers"])
        key = key_of(scope, headers)
        if key is None:
            return None
        try:
            decision = await self._decision(scope, key)
            if decision is None:
                return None
            body = self._held(decision) or await self._fetched(decision)
        except DatabaseTrouble:
            return None
        if body is None:
            return None
        if decision.row.token_id is not None:
            usage.touch(decision.row.token_id, decision.row.actor.ip)
        return HotAnswer(decision.start, body, decision, headers.get(b"user-agent", b"").decode("latin-1"))

    async def _decision(self, scope: Scope, key: Key) -> Decision | None:
        """Remembered, or made."""
        stamp, deciding = self.reader.stamp_at_once(), None
        if stamp is None:
            if not self._recall.holds(key):  # asked together with the stamp, and behind it
                deciding = asyncio.ensure_future(self._decide(scope))
            try:
                stamp = await self.reader.stamp()
            except BaseException:
                if deciding is not None:
                    deciding.cancel()
                raise
        kept = self._recall.under(stamp).get(key)
        if deciding is None and kept is not None and time() < kept.until:
            return kept.decision
        decision, until = await (deciding or self._decide(scope))
        self._recall.keep(stamp, key, decision, until)
        return decision

    async def _decide(self, scope: Scope) -> tuple[Decision | None, float]:
        """The decision by one statement, and until when it holds by the clock.

        None holds for ever: only a commit makes a row that this path could serve, and that changes the stamp.
        """
        asked = understand(scope)
        if asked is None:
            return None, float("inf")
        row = await (self._file_row(asked) if asked.filename else self._document_row(asked))
        if row is not None and asked.filename and row.found[0] is None:
            *_, name_epoch, rule_epoch, is_known = row.found
            if not is_known:
                scope[UNSEEN] = Unseen(asked, Unknown(row, Epochs(name_epoch, rule_epoch)))
            return None, float("inf")
        if row is None or not row.actor.may(Action.READ, row.registry, target(asked.name, is_restricted=row.is_restricted)):
            return None, float("inf")
        return (self._file(asked, row) if asked.filename else _document(asked, row)), row.until

    async def _document_row(self, asked: Question) -> Row | None:
        key = (asked.workspace, asked.registry, asked.name, asked.form, asked.base_url)
        return await self._statements.document(key, asked.secret_hash, asked.ip, datetime.now(UTC))

    async def _file_row(self, asked: Question) -> Row | None:
        key = (asked.workspace, asked.registry, asked.name, asked.filename)
        return await self._statements.file(key, asked.secret_hash, asked.ip, datetime.now(UTC))

    def _file(self, asked: Question, row: Row) -> Decision | None:
        sha256, size = row.found[:2]
        if self._folder is None:
            return None
        if asked.if_none_match and etag_listed(asked.if_none_match, sha256):
            return Decision(_start(304, _file_head(sha256)), row)
        path = os.path.join(self._folder, blobs.key(sha256))  # noqa: PTH118 - a string, quickly
        return Decision(_start(200, _file_head(sha256), size), row, size, sha256, path=path)

    def _held(self, decision: Decision) -> Message | None:
        """The body, if it is in memory."""
        if not decision.key:
            return EMPTY
        body = (self._files if decision.path else self._documents).get(decision.key)
        return {"type": "http.response.body", "body": body} if body is not None else None

    async def _fetched(self, decision: Decision) -> Message | None:
        """The body from where it is stored; None when it is not as the decision says (the slow path tells the log)."""
        if decision.path:
            return self._from_disk(decision)
        body = await self._statements.body(decision.document_id, decision.key)
        if body is None or len(body) != decision.size:  # replaced between the two statements
            return None
        self._documents.put(decision.key, body)
        return {"type": "http.response.body", "body": body}

    def _from_disk(self, decision: Decision) -> Message | None:
        """One stat for a large file: a lost or damaged one is the slow path's business."""
        path, size = decision.path, decision.size
        try:
            if size > SMALL:
                return {"type": "http.response.pathsend", "path": path} if os.stat(path).st_size == size else None  # noqa: PTH116
            with open(path, "rb") as file:  # noqa: PTH123 - at most 64 KiB, and a string
                body = file.read()
        except OSError:
            return None
        if len(body) != size:
            return None
        self._files.put(decision.key, body)
        return {"type": "http.response.body", "body": body}


EMPTY: Message = {"type": "http.response.body", "body": b""}


def _document(asked: Question, row: Row) -> Decision:
    document_id, etag, modified, size, is_stale = row.found
    head = _document_head(asked.form, etag, modified)
    if is_stale:
        head = head | stale_headers()
    if asked.if_none_match and etag_listed(asked.if_none_match, etag):
        return Decision(_start(304, head), row)
    return Decision(_start(200, head, size), row, size, etag, document_id)


def _start(status: int, headers: Headers, size: int | None = None) -> Message:
    pairs = {**headers, "X-Gatehouse-Path": "hot"} | ({} if size is None else {"Content-Length": str(size)})
    raw = [(name.lower().encode("ascii"), value.encode("latin-1")) for name, value in pairs.items()]
    return {"type": "http.response.start", "status": status, "headers": raw}


@lru_cache(maxsize=16384)
def _document_head(form: str, etag: str, modified: str | datetime) -> Headers:
    """Headers of a document; SQLite gives times as text in UTC."""
    moment = datetime.fromisoformat(modified).replace(tzinfo=UTC) if isinstance(modified, str) else modified
    return document_headers(form, etag, moment, gzipped=True)


@lru_cache(maxsize=16384)
def _file_head(sha256: str) -> Headers:
    return file_headers(sha256)


def understand(scope: Scope) -> Question | None:
    """The request as a Question, if every part of it is one the hot path knows."""
    found = PATH.fullmatch(scope["raw_path"].decode("latin-1"))
    if found is None:
        return None
    headers = headers_of(scope)
    scheme, ip = outside(scope, headers)
    host = headers.get("host", "")
    if is_home_question(headers.get("npm-command", ""), headers.get("referer", "")) or not _is_served(host):
        return None
    secret_hash = _secret_hash(headers.get("authorization", ""))
    is_file = found["file"] is not None
    if secret_hash is None or ("if-modified-since" in headers and "if-none-match" not in headers):
        return None
    if not is_file and not takes_gzip(headers.get("accept-encoding", "")):
        return None
    return Question(
        workspace=found["ws"],
        registry=found["reg"],
        name=found["name"].replace("%2f", "/").replace("%2F", "/"),
        filename=found["file"] or "",
        form=form_of(headers.get("accept", "")),
        base_url=base_url(scheme, host, found["ws"], found["reg"]),
        secret_hash=secret_hash,
        ip=ip,
        if_none_match=headers.get("if-none-match", ""),
    )


def _secret_hash(authorization: str) -> str | None:
    """The hash of a Bearer token of ours, '' for no credentials at all, None for anything else."""
    if not authorization:
        return ""
    scheme, _, secret = authorization.partition(" ")
    if scheme.lower() != "bearer" or not FORM.fullmatch(secret):
        return None
    return digest(secret)


@lru_cache(maxsize=256)
def _is_served(host: str) -> bool:
    """Whether this Host header is one we answer to; the slow path refuses the others."""
    domain, _ = split_domain_port(host)
    return bool(domain) and HOST.fullmatch(host) is not None and validate_host(domain, settings.ALLOWED_HOSTS)
