"""Work for the event loop that is cheaper together: what comes while a thread is at it is done in one go afterwards."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from protocols.inthread import in_thread

A = TypeVar("A")
R = TypeVar("R")
MOST = 16  # in one go
ENOUGH = 8  # more are not waited for
PAUSE = 0.008  # seconds that is waited for them


class Batched(Generic[A, R]):
    """`work` takes some and gives the result of each, in that order; what it raises is raised for all of them.

    `coming`: how many there are, those with which nothing has to be done yet among them; while it says so, the first waits
    a moment for others. One that is alone is done at once.
    """

    def __init__(self, work: Callable[[Sequence[A]], Sequence[R]], coming: Callable[[], int]) -> None:
        self._work, self._coming = work, coming
        self._waiting: list[tuple[A, asyncio.Future[R]]] = []
        self._running: asyncio.Task[None] | None = None

    async def __call__(self, one: A) -> R:
        """Its result."""
        future: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((one, future))
        if self._running is None:
            self._running = asyncio.ensure_future(self._run())
        return await future

    async def _run(self) -> None:
        try:
            while self._waiting:
                if len(self._waiting) < min(self._coming(), ENOUGH):
                    await asyncio.sleep(PAUSE)
                now, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
                await self._done(now)
        finally:
            self._running = None

    async def _done(self, now: Sequence[tuple[A, "asyncio.Future[R]"]]) -> None:
        try:
            results = await in_thread(lambda: self._work([one for one, _ in now]))
        except Exception as error:  # noqa: BLE001 - it is raised where it is waited for
            for _, future in now:
                if not future.done():  # nobody waits any more
                    future.set_exception(error)
            return
        for (_, future), result in zip(now, results, strict=True):
            if not future.done():
                future.set_result(result)
