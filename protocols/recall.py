"""Decisions remembered by the very bytes of the request, for as long as the database's stamp stays the same.

Equal stamps mean that nothing was committed in between, so the statement would find the same rows and the
authoriser would say the same (docs/adr/0007). What the clock decides is kept beside each decision.
"""

from collections import OrderedDict
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from upstreams.selectors.readers import Stamp

Scope = MutableMapping[str, Any]
Key = tuple[object, ...]
T = TypeVar("T")

# Everything of a request that may change its answer. Headers beyond these either mean nothing to the hot path
# or are STRANGE, and send the request to the slow one.
DECIDING = (
    b"authorization", b"host", b"accept", b"accept-encoding", b"if-none-match", b"if-modified-since",
    b"npm-command", b"referer", b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host",
)  # fmt: skip
STRANGE = frozenset({b"npm-otp", b"range", b"if-range", b"if-match", b"if-unmodified-since", b"x-http-method-override"})
KEPT = 8192  # decisions per process
LONGEST = 2048  # bytes of a request's deciding parts that are kept


def key_of(scope: Scope, headers: Mapping[bytes, bytes]) -> Key | None:
    """What decides about the request, or None: not for the hot path (a strange header, a repeated one that decides, a query).

    `headers` is `dict(scope["headers"])`: repeated ones are found by its length.
    """
    listed = scope["headers"]
    if scope["query_string"] or not STRANGE.isdisjoint(headers) or (len(headers) != len(listed) and _repeats(listed)):
        return None
    get = headers.get
    client = scope["client"]
    return (scope["raw_path"], client[0] if client else "", scope["scheme"], *map(get, DECIDING))


def _repeats(listed: list[tuple[bytes, bytes]]) -> bool:
    """Whether a header that decides is there twice."""
    names = [name for name, _ in listed if name in DECIDING]
    return len(names) != len(set(names))


@dataclass(frozen=True, slots=True)
class Kept(Generic[T]):
    """A decision and until when it holds by the clock (seconds since 1970)."""

    decision: T
    until: float


class Recall(Generic[T]):
    """The decisions of one process under the present stamp."""

    def __init__(self) -> None:
        self._stamp: Stamp | None = None
        self._kept: dict[Key, Kept[T]] = {}

    def holds(self, key: Key) -> bool:
        """Whether anything was decided of it under the stamp seen last."""
        return key in self._kept

    def under(self, stamp: Stamp) -> dict[Key, Kept[T]]:
        """What was decided under `stamp`; all else is forgotten."""
        if stamp != self._stamp:
            self._stamp, self._kept = stamp, {}
        return self._kept

    def keep(self, stamp: Stamp, key: Key, decision: T, until: float) -> None:
        """Remember a decision whose facts were read after `stamp` was; not if another stamp was seen meanwhile."""
        if stamp != self._stamp or sum(len(part) for part in key if isinstance(part, bytes)) > LONGEST:
            return
        if len(self._kept) >= KEPT:
            self._kept.clear()
        self._kept[key] = Kept(decision, until)


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
