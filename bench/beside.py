"""Clients that hang on to a server while something else is measured: coroutines on a loop in a thread."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Self


class Clients:
    """Runs every one of `clients` for as long as the block lasts; `settled` seconds after they began the block does."""

    def __init__(self, clients: Sequence[Callable[[], Coroutine[Any, Any, None]]], *, settled: float) -> None:
        self._clients, self._settled = clients, settled
        self._begun, self._over = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._all()), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._begun.wait(15)
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(15)

    async def _all(self) -> None:
        tasks = [asyncio.create_task(client()) for client in self._clients]
        await asyncio.sleep(self._settled)
        self._begun.set()
        await asyncio.to_thread(self._over.wait)
        for one in tasks:
            one.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
