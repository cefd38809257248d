"""A pool that has room for a job's threads while there is one, on a real PostgreSQL."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import pytest
from psycopg_pool import ConnectionPool, PoolTimeout

from tests.parts.postgres import Postgres
from workspaces.room import room_for, widened

Pool = ConnectionPool[Any]


@pytest.fixture
def pool(postgres: Postgres) -> Iterator[Pool]:
    """As small as a web process has it."""
    with ConnectionPool(
        postgres.database().replace("postgres://", "postgresql://"), min_size=1, max_size=3, timeout=1, max_idle=0.5
    ) as made:
        yield made


def can_hold(pool: Pool, many: int) -> bool:
    """Whether so many may have a connection at once."""
    with ExitStack() as held:
        try:
            for _ in range(many):
                held.enter_context(pool.connection())
        except PoolTimeout:
            return False
    return True


def test_there_is_room_as_long_as_it_is_needed(pool: Pool) -> None:
    with widened(pool, 4):
        assert can_hold(pool, 7)
        with widened(pool, 2):
            assert can_hold(pool, 9)
        assert pool.max_size == 7
    assert (pool.min_size, pool.max_size) == (1, 3)
    until = time.monotonic() + 20
    while pool.get_stats()["pool_size"] > 3:
        assert time.monotonic() < until, "what rests is closed"
        time.sleep(0.1)
    assert not can_hold(pool, 4)


def test_many_may_widen_it_at_once_and_none_is_left_over(pool: Pool) -> None:
    def one(number: int) -> None:
        for _ in range(20):
            with widened(pool, number):
                assert pool.max_size >= 3 + number

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(one, range(1, 7)))
    assert pool.max_size == 3


def test_a_database_without_a_pool_needs_none() -> None:
    with room_for(8):
        pass
