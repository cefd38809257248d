"""What is done together: all that came meanwhile, in one go, each with its own result."""

import asyncio
import threading
from collections.abc import Sequence

import pytest

from protocols.batched import MOST, Batched


class Work:
    """Doubles numbers; the first time only when it is let."""

    def __init__(self) -> None:
        self.seen: list[list[int]] = []
        self.begun, self.let = threading.Event(), threading.Event()

    def __call__(self, numbers: Sequence[int]) -> list[int]:
        self.seen.append(list(numbers))
        self.begun.set()
        assert self.let.wait(10)
        if 13 in numbers:
            raise ValueError("13")
        return [2 * number for number in numbers]


async def begun(work: Work, *numbers: int) -> "tuple[Batched[int, int], list[asyncio.Task[int]]]":
    """The first of them is being done, the others wait."""
    batched = Batched(work, lambda: 0)
    tasks = [asyncio.ensure_future(batched(numbers[0]))]
    await asyncio.sleep(0)
    assert await asyncio.to_thread(work.begun.wait, 10)
    tasks += [asyncio.ensure_future(batched(number)) for number in numbers[1:]]
    await asyncio.sleep(0)
    return batched, tasks


def test_what_comes_meanwhile_is_done_together() -> None:
    async def all_of_them() -> list[int]:
        batched, tasks = await begun(work, *numbers)
        work.let.set()
        return [*await asyncio.gather(*tasks), await batched(100)]

    work, numbers = Work(), range(20, 20 + MOST + 3)
    assert asyncio.run(all_of_them()) == [*(2 * number for number in numbers), 200]
    assert work.seen == [[20], list(numbers[1:-2]), list(numbers[-2:]), [100]], "one that comes alone is done alone"


def test_an_error_is_everybodys_and_the_next_are_done() -> None:
    async def all_of_them() -> "list[int | BaseException]":
        batched, tasks = await begun(work, 1, 13, 2)
        work.let.set()
        return [*await asyncio.gather(*tasks, return_exceptions=True), await batched(3)]

    work = Work()
    first, *failed, last = asyncio.run(all_of_them())
    assert (first, last) == (2, 6)
    assert [str(one) for one in failed] == ["13", "13"]


def test_who_goes_away_takes_nobody_along() -> None:
    async def all_of_them() -> list[int]:
        _, tasks = await begun(work, 1, 2, 3)
        tasks.pop(1).cancel()
        tasks.append(tasks.pop(0))
        work.let.set()
        return await asyncio.gather(*tasks)

    work = Work()
    assert asyncio.run(all_of_them()) == [6, 2]
    assert work.seen[-1] == [2, 3], "it was asked for"


def test_who_goes_away_first_leaves_the_others_what_they_wait_for() -> None:
    async def all_of_them() -> int:
        _, tasks = await begun(work, 1, 2)
        tasks[0].cancel()
        work.let.set()
        with pytest.raises(asyncio.CancelledError):
            await tasks[0]
        return await tasks[1]

    work = Work()
    assert asyncio.run(all_of_them()) == 4


def test_the_first_waits_a_moment_for_those_that_are_coming() -> None:
    async def all_of_them() -> list[int]:
        batched = Batched(work, lambda: 3)
        tasks = [asyncio.ensure_future(batched(1))]
        await asyncio.sleep(0)
        tasks += [asyncio.ensure_future(batched(number)) for number in (2, 3)]
        return await asyncio.gather(*tasks)

    work = Work()
    work.let.set()
    assert asyncio.run(all_of_them()) == [2, 4, 6]
    assert work.seen == [[1, 2, 3]]
