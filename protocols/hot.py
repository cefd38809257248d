"""The thin path: GET and HEAD of npm metadata and tarballs, answered on the event loop.

It has no opinion of its own: it may only say "this caller, by the authoriser, may read this registry" and
hand out what the rule rendered. Everything it does not know for certain goes to the slow path (None).
"""

import asyncio
import os
import re
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import TypeVar

from django.conf import settings
from django.core.files.storage import FileSystemStorage
from django.http.request import split_domain_port, validate_host

from packages import blobs
from protocols.wire import base_url, document_headers, etag_listed, file_headers, form_of, is_home_question, takes_gzip
from tokens import usage
from tokens.secrets import FORM, digest
from upstreams.selectors.hot import DatabaseTrouble, Row, Statements, open_database, target
from workspaces.access import Action

PART = r"[A-Za-z0-9~-][A-Za-z0-9._~-]*"
PATH = re.compile(
    rf"/(?P<ws>[a-z0-9-]{{1,40}})/r/(?P<reg>[a-z0-9-]{{1,40}})/(?P<name>@{PART}(?:/|%2[fF]){PART}|{PART})"
    rf"(?:/-/(?P<file>{PART}\.tgz))?"
)
# Headers whose meaning this path does not know; their presence sends the request to the slow path.
STRANGE = ("npm-otp", "range", "if-range", "if-match", "if-unmodified-since", "x-http-method-override")
SMALL = 64 * 1024  # bytes: files up to this size are kept in memory
MEMORY = 48 * 1024 * 1024  # bytes of documents, and again of small files, per process
LOOKUPS = 4  # statements at once on a database over the network

T = TypeVar("T")
Headers = dict[str, str]
RawHeaders = tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True, slots=True)
class HotAnswer:
    """A finished answer: bytes, or a file to send by its path."""

    status: int
    headers: RawHeaders
    body: bytes = b""
    path: str = ""
    size: int = 0


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


class Bounded:
    """Bytes by key, least recently used out first, never more than `limit` bytes."""

    def __init__(self, limit: int) -> None:
        self._limit, self._size = limit, 0
        self._kept: OrderedDict[str, bytes] = OrderedDict()

    def get(self, key: str) -> bytes | None:
        """The bytes, if they are kept."""
        found = self._kept.get(key)
        if found is not None:
            self._kept.move_to_end(key)
        return found

    def put(self, key: str, value: bytes) -> None:
        """Keep the bytes, unless they alone would fill a quarter of the room."""
        if len(value) * 4 > self._limit or key in self._kept:
            return
        self._kept[key] = value
        self._size += len(value)
        while self._size > self._limit:
            self._size -= len(self._kept.popitem(last=False)[1])


class HotPath:
    """The thin handler of one process."""

    def __init__(self) -> None:
        self._statements = Statements(open_database())
        self._lookups = ThreadPoolExecutor(max_workers=LOOKUPS, thread_name_prefix="hot")
        self._documents, self._files = Bounded(MEMORY), Bounded(MEMORY)
        backend = blobs.backend()
        self._folder = backend.base_location if isinstance(backend, FileSystemStorage) else None

    async def answer(self, raw_path: bytes, query: bytes, headers: Headers, *, scheme: str, ip: str) -> HotAnswer | None:
        """The answer, or None: the slow path's business. Only for GET and HEAD."""
        question = understand(raw_path, query, headers, scheme=scheme, ip=ip)
        if question is None:
            return None
        try:
            return await (self._file(question) if question.filename else self._document(question))
        except DatabaseTrouble:
            return None

    async def _document(self, asked: Question) -> HotAnswer | None:
        key = (asked.workspace, asked.registry, asked.name, asked.form, asked.base_url)
        now = datetime.now(UTC)
        row = await self._run(lambda: self._statements.document(key, asked.secret_hash, asked.ip, now))
        if row is None or not _may_read(row, asked.name):
            return None
        document_id, etag, modified = row.found
        answer_headers = _document_head(asked.form, etag, modified)
        if asked.if_none_match and etag_listed(asked.if_none_match, etag):
            return HotAnswer(304, answer_headers)
        body = self._documents.get(etag)
        if body is None:
            body = await self._run(lambda: self._statements.body(document_id, etag))
            if body is None:  # replaced between the two statements
                return None
            self._documents.put(etag, body)
        return HotAnswer(200, answer_headers, body, size=len(body))

    async def _file(self, asked: Question) -> HotAnswer | None:
        key = (asked.workspace, asked.registry, asked.name, asked.filename)
        now = datetime.now(UTC)
        row = await self._run(lambda: self._statements.file(key, asked.secret_hash, asked.ip, now))
        if row is None or not _may_read(row, asked.name) or self._folder is None:
            return None
        sha256, size = row.found
        answer_headers = _file_head(sha256)
        if asked.if_none_match and etag_listed(asked.if_none_match, sha256):
            return HotAnswer(304, answer_headers)
        path = os.path.join(self._folder, blobs.key(sha256))  # noqa: PTH118 - a string, quickly
        if size > SMALL:
            return HotAnswer(200, answer_headers, path=path, size=size) if _size(path) == size else None
        body = self._files.get(sha256)
        if body is None:
            try:
                with open(path, "rb") as file:  # noqa: ASYNC230, PTH123 - at most 64 KiB
                    body = file.read()
            except FileNotFoundError:
                return None
            if len(body) != size:
                return None
            self._files.put(sha256, body)
        return HotAnswer(200, answer_headers, body, size=size)

    async def _run(self, look: Callable[[], T]) -> T:
        if self._statements.database.is_instant:
            return look()
        return await asyncio.get_running_loop().run_in_executor(self._lookups, look)


@lru_cache(maxsize=16384)
def _document_head(form: str, etag: str, modified: str | datetime) -> RawHeaders:
    """Headers of a document, encoded once; SQLite gives times as text in UTC."""
    moment = datetime.fromisoformat(modified).replace(tzinfo=UTC) if isinstance(modified, str) else modified
    return _encoded(document_headers(form, etag, moment, gzipped=True))


@lru_cache(maxsize=16384)
def _file_head(sha256: str) -> RawHeaders:
    return _encoded(file_headers(sha256))


def _encoded(headers: Headers) -> RawHeaders:
    pairs = {**headers, "X-Gatehouse-Path": "hot"}.items()
    return tuple((name.lower().encode("ascii"), value.encode("latin-1")) for name, value in pairs)


def _size(path: str) -> int:
    """One stat: microseconds, and a lost or damaged blob is the slow path's business."""
    try:
        return os.stat(path).st_size  # noqa: PTH116 - a string, quickly
    except OSError:
        return -1


def understand(raw_path: bytes, query: bytes, headers: Headers, *, scheme: str, ip: str) -> Question | None:
    """The request as a Question, if every part of it is one the hot path knows."""
    found = PATH.fullmatch(raw_path.decode("latin-1")) if not query else None
    if found is None or any(name in headers for name in STRANGE):
        return None
    if is_home_question(headers.get("npm-command", ""), headers.get("referer", "")) or not _is_served(headers.get("host", "")):
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
        base_url=base_url(scheme, headers["host"], found["ws"], found["reg"]),
        secret_hash=secret_hash,
        ip=ip,
        if_none_match=headers.get("if-none-match", ""),
    )


def _may_read(row: Row, name: str) -> bool:
    """The authoriser's word, and a note that the token was used."""
    if not row.actor.may(Action.READ, row.registry, target(name)):
        return False
    if row.token_id is not None:
        usage.touch(row.token_id)
    return True


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
    return bool(domain) and validate_host(domain, settings.ALLOWED_HOSTS)
