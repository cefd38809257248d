"""Decisions are remembered only while nothing was committed: stamps, the clock, and what a request's key leaves out."""

import asyncio
import sqlite3
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from psycopg import pq

from protocols.recall import KEPT, LONGEST, Key, Recall, key_of
from tests.parts.gate import Gate, made
from tests.parts.pack import pack
from tests.parts.postgres import Postgres
from tests.parts.web_client import Caller
from upstreams.selectors import pipeline
from upstreams.selectors.pipeline import Pipeline, PipelineBroken
from upstreams.selectors.readers import STAMP, DatabaseTrouble, PostgreSQL, SQLite

GZIP = {"accept-encoding": "gzip"}


def path_of(answer: object) -> str:
    return str(getattr(answer, "headers", {}).get("x-gatehouse-path", ""))


# --- the database's stamp -----------------------------------------------------------------------------


def test_sqlites_stamp_changes_with_any_commit_of_another_and_only_then(tmp_path: Path, settings: object) -> None:
    file = tmp_path / "one.sqlite3"
    writer = sqlite3.connect(file, isolation_level=None)
    writer.execute("PRAGMA journal_mode=WAL")
    writer.execute("CREATE TABLE t (x)")
    settings.DATABASES["default"]["NAME"], before = str(file), settings.DATABASES["default"]["NAME"]  # type: ignore[attr-defined]
    try:
        reader = SQLite()
    finally:
        settings.DATABASES["default"]["NAME"] = before  # type: ignore[attr-defined]

    def stamp() -> int:
        return asyncio.run(reader.stamp())

    async def turns() -> None:
        """Read once in a turn of the loop; what comes in after a commit waits for the next one, so it sees it."""
        loop, seen = asyncio.get_running_loop(), []
        in_this_turn = reader.stamp_at_once()
        writer.execute("INSERT INTO t VALUES (0)")
        assert reader.stamp_at_once() == in_this_turn
        loop.call_soon_threadsafe(lambda: seen.append(reader.stamp_at_once()))
        await asyncio.sleep(0)
        assert len(seen) == 1
        assert seen[0] != in_this_turn

    asyncio.run(turns())
    first = stamp()
    assert stamp() == first
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("INSERT INTO t VALUES (1)")
    assert stamp() == first, "nothing is committed yet"
    writer.execute("COMMIT")
    second = stamp()
    assert second != first
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("DELETE FROM t")
    writer.execute("ROLLBACK")
    assert stamp() == second


async def _stamps(url: str, steps: Callable[[Callable[[], Awaitable[object]]], Awaitable[None]]) -> None:
    link = Pipeline(pq.PGconn.connect(url.encode()))

    async def stamp() -> object:
        return await link.ask(STAMP, ())

    try:
        await steps(stamp)
    finally:
        link.close()


def test_postgresqls_stamp_changes_with_every_commit_even_one_that_does_not_wait_for_the_disk(postgres: Postgres) -> None:
    url = postgres.database()

    async def steps(stamp: Callable[[], Awaitable[object]]) -> None:
        with psycopg.connect(url, autocommit=True) as writer:
            writer.execute("CREATE TABLE t (x int)")
            first = await stamp()
            assert await stamp() == first
            writer.execute("SELECT count(*) FROM t")
            assert await stamp() == first, "a reader changes nothing"
            seen = [first]
            for statement in ("INSERT INTO t VALUES (1)", "SET synchronous_commit = off", "UPDATE t SET x = 2", "DELETE FROM t"):
                writer.execute(statement)
                now = await stamp()
                assert (now in seen) is statement.startswith("SET"), statement
                seen.append(now)

    asyncio.run(_stamps(url, steps))


def test_an_open_transactions_commit_changes_the_stamp_once_more(postgres: Postgres) -> None:
    url = postgres.database()

    async def steps(stamp: Callable[[], Awaitable[object]]) -> None:
        with psycopg.connect(url, autocommit=True) as writer, psycopg.connect(url) as slow:
            writer.execute("CREATE TABLE t (x int)")
            slow.execute("INSERT INTO t VALUES (1)")
            during = await stamp()
            slow.commit()
            assert await stamp() != during

    asyncio.run(_stamps(url, steps))


def test_a_database_that_cannot_be_opened_is_the_slow_paths_business(tmp_path: Path, settings: object) -> None:
    settings.DATABASES["default"]["NAME"], before = str(tmp_path / "none" / "x"), settings.DATABASES["default"]["NAME"]  # type: ignore[attr-defined]
    try:
        reader = SQLite()
    finally:
        settings.DATABASES["default"]["NAME"] = before  # type: ignore[attr-defined]
    with pytest.raises(DatabaseTrouble):
        asyncio.run(reader.stamp())


# --- the pipeline -------------------------------------------------------------------------------------


def test_questions_of_one_moment_share_a_batch_and_equal_ones_are_put_once(postgres: Postgres) -> None:
    url = postgres.database()

    async def ask() -> tuple[list[object], int]:
        link = Pipeline(pq.PGconn.connect(url.encode()))
        sent: list[str] = []
        put = link._name

        def counted(statement: str) -> bytes:
            sent.append(statement)
            return put(statement)

        link._name = counted  # type: ignore[method-assign]
        numbers = [link.ask("SELECT $1::int + 1", (b"%d" % number,)) for number in range(50)]
        stamps = [link.ask(STAMP, ()) for _ in range(50)]
        answers = [(await one)[0][0] for one in numbers]
        assert len({(await one)[0][0] for one in stamps}) == 1
        link.close()
        return answers, len(sent)

    answers, sent = asyncio.run(ask())
    assert answers == list(range(1, 51))
    assert sent == 51


def test_values_come_back_as_pythons(postgres: Postgres) -> None:
    statement = "SELECT 7::int2, -8::int8, true, NULL::text, 'ä'::varchar, '\\x00ff'::bytea, '2026-11-21 10:00:00.5+02'::timestamptz"

    async def ask() -> tuple[object, ...]:
        link = Pipeline(pq.PGconn.connect(postgres.database().encode()))
        row = (await link.ask(statement, ()))[0]
        link.close()
        return row

    moment = datetime(2026, 11, 21, 8, 0, 0, 500_000, tzinfo=UTC)
    assert asyncio.run(ask()) == (7, -8, True, None, "ä", b"\x00\xff", moment)


@pytest.mark.parametrize(
    ("statement", "why"), [("SELECT no_such_column", "no_such_column"), ("SELECT pg_terminate_backend(pg_backend_pid())", "")]
)
def test_after_an_error_every_question_is_told_and_nothing_hangs(postgres: Postgres, statement: str, why: str) -> None:
    async def ask() -> list[object]:
        link = Pipeline(pq.PGconn.connect(postgres.database().encode()))
        asked = [link.ask(statement, ()), link.ask("SELECT 1", ())]
        answers: list[object] = [*await asyncio.wait_for(asyncio.gather(*asked, return_exceptions=True), 10)]
        assert link.is_broken
        return [*answers, *await asyncio.gather(link.ask("SELECT 1", ()), return_exceptions=True)]

    first, second, later = asyncio.run(ask())
    assert isinstance(first, PipelineBroken)
    assert why in str(first)
    assert isinstance(second, PipelineBroken)
    assert isinstance(later, PipelineBroken)


def test_a_database_that_does_not_answer_is_given_up(postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "PATIENCE", 0.2)

    async def ask() -> object:
        link = Pipeline(pq.PGconn.connect(postgres.database().encode()))
        return (await asyncio.gather(link.ask("SELECT pg_sleep(5)", ()), return_exceptions=True))[0]

    began = time.monotonic()
    assert isinstance(asyncio.run(ask()), PipelineBroken)
    assert time.monotonic() - began < 4


def test_a_lost_connection_is_made_anew_and_its_stamps_differ(postgres: Postgres) -> None:
    async def ask() -> list[object]:
        reader = PostgreSQL.__new__(PostgreSQL)
        reader._conninfo, reader._pipeline, reader._connections = postgres.database().encode(), None, 0
        reader._connecting = asyncio.Lock()
        stamps: list[object] = [await reader.stamp()]
        with pytest.raises(DatabaseTrouble):
            await reader.rows("SELECT pg_terminate_backend(pg_backend_pid())", ())
        stamps.append(await reader.stamp())
        return stamps

    first, second = asyncio.run(ask())
    assert first != second


# --- what is remembered -------------------------------------------------------------------------------


def test_a_decision_lives_as_long_as_its_stamp() -> None:
    recall: Recall[str] = Recall()
    key: Key = (b"/a",)
    assert recall.under(1) == {}
    recall.keep(1, key, "yes", until=10.0)
    assert recall.under(1)[key].decision == "yes"
    assert recall.under(2) == {}
    recall.keep(1, key, "made under the stamp before", until=10.0)
    assert recall.under(2) == {}


def test_what_is_remembered_is_bounded() -> None:
    recall: Recall[str] = Recall()
    recall.under(1)
    recall.keep(1, (b"/" + b"x" * LONGEST,), "too long a request", until=10.0)
    assert recall.under(1) == {}
    for number in range(KEPT * 2):
        recall.keep(1, (number,), "yes", until=10.0)
        assert len(recall.under(1)) <= KEPT


def test_strange_and_repeated_headers_are_for_the_slow_path() -> None:
    scope = {"query_string": b"", "raw_path": b"/w/r/m/x", "client": ("127.0.0.1", 1), "scheme": "http"}
    plain = [(b"host", b"h"), (b"accept", b"*/*"), (b"x-other", b"1"), (b"x-other", b"2")]
    assert key_of({**scope, "headers": plain}, dict(plain)) is not None
    assert key_of({**scope, "headers": plain, "query_string": b"write=true"}, dict(plain)) is None
    for more in ((b"range", b"bytes=0-1"), (b"npm-otp", b"1"), (b"host", b"h"), (b"accept", b"*/*")):
        headers = [*plain, more]
        assert key_of({**scope, "headers": headers}, dict(headers)) is None


# --- live ---------------------------------------------------------------------------------------------


def test_every_change_of_rights_is_seen_by_the_next_request(gate: Gate) -> None:
    place = gate.workspace()
    place.publish(pack("@acme/seen"))
    paths = ("/@acme%2fseen", "/@acme%2fseen/-/seen-1.0.0.tgz")
    for _ in range(10):
        issued = made(place.api("rita").post("/api/v1/tokens/", {"name": "short"}))
        caller = Caller(gate.url, authorization=f"Bearer {issued['token']}")
        for path in paths:
            answers = [caller.request("GET", f"{place.path}{path}", headers=GZIP) for _ in range(6)]
            assert [answer.status for answer in answers] == [200] * 6
            assert path_of(answers[-1]) == "hot"
        assert place.api("rita").delete(f"/api/v1/tokens/{issued['id']}/").status == 204
        assert [caller.request("GET", f"{place.path}{path}", headers=GZIP).status for path in paths * 3] == [401] * 6


def test_a_token_ends_by_the_clock_although_nothing_is_committed(gate: Gate) -> None:
    place = gate.workspace()
    place.publish(pack("@acme/timed"))
    ends = datetime.now(UTC) + timedelta(seconds=3)
    issued = made(place.api("rita").post("/api/v1/tokens/", {"name": "timed", "expires_at": ends.isoformat()}))
    caller = Caller(gate.url, authorization=f"Bearer {issued['token']}")
    hot = 0
    while (now := datetime.now(UTC)) < ends + timedelta(seconds=0.5):
        answer = caller.request("GET", f"{place.path}/@acme%2ftimed", headers=GZIP)
        hot += path_of(answer) == "hot"
        if now > ends:
            assert answer.status == 401
    assert hot > 5
