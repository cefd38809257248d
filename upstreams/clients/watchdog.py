"""Time and number of an upstream's questions: one thread ends those that take too long, wherever they hang.

A socket's own time-out begins anew with every byte, so a drip of header bytes, or of `100 Continue`, holds a
thread for as long as the upstream likes.
"""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

from upstreams.errors import UpstreamBusy

AT_ONCE = 32  # questions of one kind a process has open at one upstream: half the threads, and as many as it downloads files
WAIT = 5.0  # seconds to wait for one of them to end
LARGE_AT_ONCE = 4  # answers of one upstream that a process holds while they are large: each may take some hundred MB
LARGE_WAIT = 30.0
AGAIN = 2  # seconds until the caller should ask again
ENTRIES = 1024
SLOW_START = 30.0  # seconds before the minimum rate counts
MINIMUM_RATE = 1024  # bytes per second
LOOK = 600.0  # seconds between two looks while nothing is asked


class Watch:
    """One conversation and when it ends at the latest. `is_over`: it was ended."""

    def __init__(self, deadline: float) -> None:
        self.deadline = deadline
        self.is_over = False
        self._lock = threading.Lock()
        self._connection: Any = None
        self._line: socket.socket | None = None

    def attach(self, connection: Any, sock: socket.socket) -> None:
        """This is the line now. A descriptor of its own, for TLS replaces the socket and http.client drops it."""
        line = socket.fromfd(sock.fileno(), sock.family, sock.type)
        connection.gate_watch = self
        with self._lock:
            last, self._connection, self._line = self._line, connection, line
        if last is not None:
            last.close()
        if self.is_over:
            self.end()

    def end(self) -> None:
        """Break the line, unless the connection talks in another conversation by now."""
        self.is_over = True
        with self._lock:
            if self._line is not None and self._connection.gate_watch is self:
                with contextlib.suppress(OSError):  # the other side was quicker
                    self._line.shutdown(socket.SHUT_RDWR)

    def finish(self) -> None:
        """The conversation is over; the line may go on in another."""
        WATCHDOG.forget(self)
        with self._lock:
            if self._line is not None:
                self._line.close()
            self._line = self._connection = None


class Watchdog:
    """The thread that ends what is past its time; it starts with the first conversation of a process."""

    def __init__(self) -> None:
        self._live: set[Watch] = set()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._wakes_at = 0.0

    def watch(self, seconds: float) -> Watch:
        """A conversation of at most so many seconds; `finish` it."""
        watch = Watch(time.monotonic() + seconds)
        with self._changed:
            self._live.add(watch)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="upstream-watchdog", daemon=True)
                self._thread.start()
            if watch.deadline < self._wakes_at:  # it wakes in time for the others: to wake it costs what a statement costs
                self._changed.notify()
        return watch

    def forget(self, watch: Watch) -> None:
        """It has ended by itself."""
        with self._changed:
            self._live.discard(watch)

    def _run(self) -> None:
        while True:
            for watch in self._next_over():
                watch.end()

    def _next_over(self) -> list[Watch]:
        """Wait for conversations to run out of time."""
        with self._changed:
            while not (over := [watch for watch in self._live if watch.deadline <= time.monotonic()]):
                now = time.monotonic()
                self._wakes_at = min((watch.deadline for watch in self._live), default=now + LOOK)
                self._changed.wait(max(self._wakes_at - now, 0))
            self._live.difference_update(over)
            self._wakes_at = 0.0  # it looks again before it waits
            return over


class Slots:
    """How many questions may be open at once, by upstream and kind."""

    def __init__(self) -> None:
        self._slots: dict[object, threading.BoundedSemaphore] = {}
        self._lock = threading.Lock()

    def take(self, asked: object, name: str) -> threading.BoundedSemaphore:
        """Wait for a free one; the caller releases it. Raises UpstreamBusy."""
        return self._take(asked, name, AT_ONCE, WAIT)

    def take_large(self, asked: object, name: str) -> threading.BoundedSemaphore:
        """The same before more of a large answer is held. Raises UpstreamBusy."""
        return self._take(("large", asked), name, LARGE_AT_ONCE, LARGE_WAIT)

    def take_at_once(self, asked: object) -> threading.BoundedSemaphore | None:
        """One of the same places as `take`, or None when none is free at this moment."""
        slot = self._slot(asked, AT_ONCE)
        return slot if slot.acquire(blocking=False) else None

    def _take(self, asked: object, name: str, at_once: int, wait: float) -> threading.BoundedSemaphore:
        slot = self._slot(asked, at_once)
        if not slot.acquire(timeout=wait):
            sentence = f"Too many questions to upstream {name} are open already; try again."
            raise UpstreamBusy(sentence, upstream=name, retry_after=AGAIN)
        return slot

    def _slot(self, asked: object, at_once: int) -> threading.BoundedSemaphore:
        with self._lock:
            if len(self._slots) > ENTRIES:
                self._slots.clear()
            return self._slots.setdefault(asked, threading.BoundedSemaphore(at_once))


def is_dripping(received: int, seconds: float) -> bool:
    """Whether so many bytes in so long are too few."""
    return seconds > SLOW_START and received < MINIMUM_RATE * seconds


WATCHDOG = Watchdog()
SLOTS = Slots()


@contextlib.contextmanager
def unless_answered(watch: Watch, slot: threading.BoundedSemaphore) -> Iterator[None]:
    """End the conversation and free its place if no answer comes of it."""
    try:
        yield
    except BaseException:
        release(watch, slot)
        raise


def release(watch: Watch, slot: threading.BoundedSemaphore) -> None:
    """The conversation is over and its place free."""
    watch.finish()
    slot.release()
