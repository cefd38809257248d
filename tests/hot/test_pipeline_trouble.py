"""The hot path's connection in trouble: every question is told at once, and the next ones do not queue for the same failure."""

import asyncio
import socket
import time
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from psycopg import pq

from upstreams.selectors import readers
from upstreams.selectors.pipeline import Pipeline, PipelineBroken
from upstreams.selectors.readers import DatabaseTrouble, PostgreSQL


class Refusing:
    """A connection that takes one question and refuses the second, as libpq does when it finds the line gone."""

    def __init__(self) -> None:
        self._ends, self.taken = socket.socketpair(), 0
        self.socket, self.nonblocking, self.status = self._ends[0].fileno(), 0, pq.ConnStatus.OK

    def enter_pipeline_mode(self) -> None: ...

    def send_prepare(self, *_: object) -> None: ...

    def send_query_prepared(self, *_: object, **__: object) -> None:
        self.taken += 1
        if self.taken > 1:
            raise psycopg.OperationalError("no connection to the server")

    def finish(self) -> None:
        for end in self._ends:
            end.close()


def test_questions_of_a_batch_that_could_not_be_sent_are_told_too() -> None:
    async def ask() -> list[Any]:
        link = Pipeline(Refusing())  # type: ignore[arg-type]
        asked = [link.ask(f"SELECT {number}", ()) for number in range(4)]
        return await asyncio.wait_for(asyncio.gather(*asked, return_exceptions=True), 5)

    assert [type(answer) for answer in asyncio.run(ask())] == [PipelineBroken] * 4


def test_of_many_who_wait_for_a_dead_database_one_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[float] = []

    class Dead:
        status = pq.ConnStatus.BAD

        def get_error_message(self) -> str:
            return "time-out"

    def connect(_: bytes) -> Dead:
        tried.append(time.monotonic())
        time.sleep(0.2)
        return Dead()

    monkeypatch.setattr(readers, "pq", SimpleNamespace(PGconn=SimpleNamespace(connect=connect), ConnStatus=pq.ConnStatus))

    async def ask() -> list[Any]:
        reader = PostgreSQL.__new__(PostgreSQL)
        reader._conninfo, reader._pipeline, reader._connections = b"", None, 0
        reader._connecting = asyncio.Lock()
        answers = await asyncio.gather(*(reader.stamp() for _ in range(20)), return_exceptions=True)
        monkeypatch.setattr(readers, "REST", 0.0)
        reader._resting_until = 0.0  # the rest is over
        with pytest.raises(DatabaseTrouble, match="time-out"):
            await reader.stamp()
        return answers

    assert [type(answer) for answer in asyncio.run(ask())] == [DatabaseTrouble] * 20
    assert len(tried) == 2
