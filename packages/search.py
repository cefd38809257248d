"""Finding packages of one registry: one statement over the index of words, whatever the number of packages.

A selector of its own file. Both databases run the same statement; docs/search.md has its plans and times.
"""

import contextlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from django.db import OperationalError, connection, transaction

from packages.formats.errors import QueryInvalid
from packages.formats.npm.search import TEXT, Query
from packages.models import Format, SearchEntry
from registries.models import Registry

TIME_LIMIT = 2.0  # seconds a search may take in the database
EXACT, BEGINS = 100_000, 2_000  # a name that is the text, one that begins with it: before whatever words are worth
CANDIDATES = 20_000  # of the best hits: twice as many as may be paged through; the total of a broader search ends here
STEPS = 50_000  # instructions of SQLite's machine between two looks at the clock
HELD = (
    "EXISTS (SELECT 1 FROM packages_package q JOIN registries_registry r ON r.id = q.registry_id"
    " JOIN packages_version v ON v.package_id = q.id"
    " WHERE q.format = %s AND q.folded = e.folded AND q.id <> e.package_id AND r.workspace_id = %s AND v.is_internal)"
)
BURIED = "EXISTS (SELECT 1 FROM packages_tombstone t WHERE t.workspace_id = %s AND t.format = %s AND t.name = e.folded)"
RESTRICTED = (
    "EXISTS (SELECT 1 FROM registries_restrictedname x JOIN packages_package p ON p.name = x.name"
    " WHERE x.registry_id = %s AND x.format = %s AND p.id = e.package_id)"
)
REPEATED = (
    "EXISTS (SELECT 1 FROM packages_searchentry n WHERE n.folded = e.folded AND (e.is_pulled OR NOT n.is_pulled) AND n.registry_id IN ({}))"
)
MARKED = "e.package_id IN (SELECT w.entry_id FROM packages_searchword w WHERE w.registry_id = %s AND w.word IN ({}))"
HITS = (
    "SELECT entry_id, MAX(CASE WHEN word = %s THEN weight * 2 ELSE weight END) AS best FROM packages_searchword"
    " WHERE registry_id = %s AND word >= %s AND word < %s GROUP BY entry_id"
)


@dataclass(frozen=True, kw_only=True)
class Sieve:
    """What the caller may see. `internal`: patterns of names that are internal; `readable`: of those a token may read, None is all.

    `hides_restricted`: leave out the names that a public registry shows to members only. For a registry that is asked
    through others: `within`, patterns of each link on the way, and `nearer`, the registries whose names it does not repeat.
    """

    internal: Sequence[str] = ()
    readable: Sequence[str] | None = None
    hides_restricted: bool = False
    within: Sequence[Sequence[str]] = ()
    nearer: Sequence[int] = ()


@dataclass(frozen=True)
class Hit:
    """One package found: npm's facts of it, and what the hit is worth."""

    name: str
    version: str
    is_deprecated: bool
    date: str
    facts: dict[str, object]
    score: float


@dataclass(frozen=True)
class Found:
    """A page of hits, best first, and how many there are in all."""

    hits: tuple[Hit, ...] = ()
    total: int = 0


@dataclass
class _Clause:
    """SQL with its parameters, growing together."""

    sql: list[str] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)

    def add(self, sql: str, *values: Any) -> None:
        self.sql.append(sql)
        self.values += values


def find(registry: Registry, query: Query, sieve: Sieve, *, start: int, size: int) -> Found:
    """The hits from `start` on, at most `size`; of more than CANDIDATES only the best count. Raises QueryInvalid after TIME_LIMIT."""
    if query.finds_nothing:
        return Found()
    source, where = _candidates(registry, query, sieve), _where(registry, sieve)
    joined = f"FROM ({' '.join(source.sql)}) h JOIN packages_searchentry e ON e.package_id = h.entry_id WHERE {' AND '.join(where.sql)}"
    boost, boosted = _boost(query)
    order = "2 DESC, LENGTH(e.folded), e.folded" if query.words else "e.folded"
    page = f"SELECT e.package_id, {boost}, COUNT(*) OVER () {joined} ORDER BY {order} LIMIT %s OFFSET %s"
    with _time_limit(), connection.cursor() as cursor:
        cursor.execute(page, [*boosted, *source.values, *where.values, size, start])
        rows = cursor.fetchall()
        if not rows and (start or not size):  # a page of nothing does not know how many there are
            cursor.execute(f"SELECT COUNT(*) {joined}", [*source.values, *where.values])
            return Found((), cursor.fetchone()[0])
    return Found(tuple(_hits([(key, score) for key, score, _ in rows])), rows[0][2] if rows else 0)


def _candidates(registry: Registry, query: Query, sieve: Sieve) -> _Clause:
    """The best entries that have every word and meet every qualifier, with a score: what is looked at more closely."""
    wanted = _wanted(registry, query, sieve)
    if not query.words:
        conditions = ["e.registry_id = %s", *wanted.sql]
        listed = f"SELECT e.package_id AS entry_id, 0 AS score FROM packages_searchentry e WHERE {' AND '.join(conditions)}"  # noqa: S608
        return _Clause([f"{listed} ORDER BY e.folded LIMIT {CANDIDATES}"], [registry.pk, *wanted.values])
    clause = _grouped(registry, query)
    also = f" WHERE {' AND '.join(wanted.sql)}" if wanted.sql else ""
    joined = f" JOIN packages_searchentry e ON e.package_id = g.entry_id{also}" if also else ""
    best = f"SELECT g.entry_id, g.score FROM ({clause.sql[0]}) g{joined} ORDER BY g.score DESC, g.entry_id LIMIT {CANDIDATES}"  # noqa: S608
    conditions = ["e.registry_id = %s", "e.folded = %s", *wanted.sql]
    exact = f"SELECT e.package_id, 0 FROM packages_searchentry e WHERE {' AND '.join(conditions)}"  # noqa: S608 - our own texts
    both = f"SELECT entry_id, MAX(score) AS score FROM (SELECT * FROM ({best}) b UNION ALL {exact}) c GROUP BY entry_id"  # noqa: S608
    return _Clause([both], [*clause.values, *wanted.values, registry.pk, query.text, *wanted.values])


def _grouped(registry: Registry, query: Query) -> _Clause:
    """Every entry that has all the words, with a score: the index alone is read."""
    clause = _Clause()
    for word in query.words:
        key = (TEXT + word).encode()
        clause.values += [key, registry.pk, key, key + b"\xff"]  # no text in UTF-8 holds this byte
    hits = " UNION ALL ".join([HITS] * len(query.words))
    grouped = f"SELECT entry_id, SUM(best) AS score FROM ({hits}) one GROUP BY entry_id HAVING COUNT(*) = {len(query.words)}"  # noqa: S608
    clause.sql.append(grouped)
    return clause


def _boost(query: Query) -> tuple[str, list[Any]]:
    """The score: of the words, and far more for a name that is, or begins with, the text itself."""
    if not query.words:
        return "0", []
    if not query.boosts_exact:
        return "h.score", []
    bare = "CASE WHEN e.folded LIKE %s ESCAPE '!' THEN %s ELSE 0 END"
    sql = f"h.score + CASE WHEN e.folded = %s THEN %s WHEN e.folded LIKE %s ESCAPE '!' THEN %s ELSE 0 END + {bare}"
    begins, scoped = like(query.text, "*"), like(query.text, before="@*/")
    return sql, [query.text, EXACT, begins, BEGINS, scoped, EXACT // 2]


def _wanted(registry: Registry, query: Query, sieve: Sieve) -> _Clause:
    """What qualifiers ask of an entry, and of which names the caller may read at all."""
    clause = _Clause()
    for words, negation in [*((group, "") for group in query.groups), *((frozenset({one}), "NOT ") for one in query.without)]:
        marked = [word.encode() for word in sorted(words)]
        clause.add(negation + MARKED.format(", ".join(["%s"] * len(marked))), registry.pk, *marked)
    if query.is_deprecated is not None:
        clause.add("e.is_deprecated" if query.is_deprecated else "NOT e.is_deprecated")
    if query.is_unstable is not None:
        clause.add("e.version LIKE '0.%%'" if query.is_unstable else "e.version NOT LIKE '0.%%'")
    if sieve.readable is not None:
        _any_pattern(clause, "", sieve.readable)
    return clause


def _where(registry: Registry, sieve: Sieve) -> _Clause:
    clause = _Clause()
    clause.add("e.registry_id = %s", registry.pk)
    if sieve.hides_restricted:
        clause.add(f"NOT {RESTRICTED}", registry.pk, Format.NPM)
    for patterns in sieve.within:
        _any_pattern(clause, "", patterns)
    if sieve.nearer:  # one that was only pulled there does not stand for what was published here
        held = REPEATED.format(", ".join(["%s"] * len(sieve.nearer)))
        clause.add(f"NOT {held}", *sieve.nearer)
    _unshadowed(clause, registry, sieve)
    return clause


def _unshadowed(clause: _Clause, registry: Registry, sieve: Sieve) -> None:
    """Packages that were only pulled go where anything internal is known of their name.

    A little stricter than the rule, which looks at some registries of the workspace: search leaves the name out in all.
    """
    inner = _Clause()
    inner.add(f"NOT {BURIED}", registry.workspace_id, Format.NPM)
    inner.add(f"NOT {HELD}", Format.NPM, registry.workspace_id)
    if sieve.internal:
        _any_pattern(inner, "NOT ", sieve.internal)
    clause.add(f"(NOT e.is_pulled OR ({' AND '.join(inner.sql)}))", *inner.values)


def _any_pattern(clause: _Clause, negation: str, patterns: Sequence[str]) -> None:
    if not patterns:
        clause.add("1 = 0")
        return
    tests = " OR ".join(["e.folded LIKE %s ESCAPE '!'"] * len(patterns))
    clause.add(f"{negation}({tests})", *(like("", pattern) for pattern in patterns))


def like(text: str, pattern: str = "", *, before: str = "") -> str:
    """A LIKE pattern (escape sign `!`) for a glob, with literal `text` behind or before it: `*` and `?` as everywhere."""

    def literal(part: str) -> str:
        return part.replace("!", "!!").replace("%", "!%").replace("_", "!_")

    def glob(part: str) -> str:
        return literal(part.lower()).replace("*", "%").replace("?", "_")

    return glob(before) + literal(text) + glob(pattern)


def _hits(ranked: Sequence[tuple[int, float]]) -> Iterator[Hit]:
    """The rows of a page, in order."""
    entries = SearchEntry.objects.select_related("package").in_bulk([key for key, _ in ranked])
    for key, score in ranked:
        entry = entries.get(key)
        if entry is not None:  # deleted a moment ago
            date = entry.published_at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
            yield Hit(entry.package.name, entry.version, entry.is_deprecated, date, orjson.loads(bytes(entry.facts)), float(score))


@contextlib.contextmanager
def _time_limit() -> Iterator[None]:
    """The database ends what takes longer than TIME_LIMIT. Raises QueryInvalid then."""
    deadline = time.monotonic() + TIME_LIMIT
    try:
        with _timed_postgresql() if connection.vendor == "postgresql" else _timed_sqlite(deadline):
            yield
    except OperationalError:
        if time.monotonic() < deadline:
            raise
        raise QueryInvalid("This search takes too long; ask with longer words, or fewer.") from None


@contextlib.contextmanager
def _timed_postgresql() -> Iterator[None]:
    """For the statements inside alone: a failure takes the setting back with the savepoint, success by hand."""
    setting = "SELECT current_setting('statement_timeout'), set_config('statement_timeout', %s, true)"
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(setting, [str(int(TIME_LIMIT * 1000))])
        before = cursor.fetchone()[0]
        yield
        cursor.execute(setting, [before])


@contextlib.contextmanager
def _timed_sqlite(deadline: float) -> Iterator[None]:
    """Without a transaction: ours begin with the writers' lock."""
    connection.ensure_connection()
    connection.connection.set_progress_handler(lambda: time.monotonic() > deadline, STEPS)
    try:
        yield
    finally:
        connection.connection.set_progress_handler(None, 0)
