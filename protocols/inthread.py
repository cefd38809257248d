"""Work that may wait for disk and database, done for the event loop in one of a fixed number of threads."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from workspaces.room import release_connection

T = TypeVar("T")
THREADS = 64
_threads = ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="django")


async def in_thread(work: Callable[[], T]) -> T:
    """As `run_in_executor`, without its chain of two futures, which costs as much again as the two threads' handing over."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(setter: Callable[[Any], None], value: object) -> None:
        if not future.done():  # nobody waits any more
            setter(value)

    def run() -> None:
        try:
            found = _unbound(work)
        except BaseException as error:  # noqa: BLE001 - it is raised where it is waited for
            loop.call_soon_threadsafe(settle, future.set_exception, error)
        else:
            loop.call_soon_threadsafe(settle, future.set_result, found)

    _threads.submit(run)
    return await future


def _unbound(work: Callable[[], T]) -> T:
    """Do it and give the database connection back, whatever took it: there are far more threads than connections, and they rest.

    Only a whole response tells Django to; a question of the gatekeeper's and a piece of a stream are none.
    """
    try:
        return work()
    finally:
        release_connection()
