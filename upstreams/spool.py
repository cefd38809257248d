"""Downloads that many may read while one writes, across the processes of a machine.

The writer holds a file lock, receives at full speed into a staged file and tells its progress in a small
state file; readers follow behind. A reader takes no byte that is not yet safe to give (RULE.md): up to
1 MiB nothing before the hash is right, beyond it everything but the last 64 KiB.
"""

import contextlib
import json
import logging
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import IO, Protocol

from django.conf import settings

from upstreams.errors import UpstreamError, UpstreamTimeout, UpstreamUnreachable
from upstreams.flight import is_busy, try_lock
from upstreams.progress import DONE, FAILED, RUNNING, VERIFIED_FIRST, Discreet, Progress, State, is_small
from workspaces.room import release_connection

WITHHELD = 64 * 1024  # bytes kept back of a larger one until its hash is right
WRITERS = 32  # downloads at once per process
POLL = 0.005  # seconds between two looks at what another process writes
LOOK = 0.02  # the same where the writer is one of our own threads, which wakes us at its end

log = logging.getLogger(__name__)
KIND = "spool"  # of lock
_writers = ThreadPoolExecutor(max_workers=WRITERS, thread_name_prefix="spool")


class Incoming(Protocol):
    """Bytes about to flow, `length` of them if that is told beforehand."""

    @property
    def length(self) -> int | None:
        """In bytes."""

    def receive(self, progress: Progress) -> None:
        """Take, verify and store them. Raises UpstreamError subclasses."""


Opening = Callable[[], Incoming]  # raises UpstreamError subclasses


class SpoolBroken(Exception):
    """The download a reader followed came to nothing; its connection must break, not end."""


class Tail:
    """A reader behind a writer. `length` is what to announce, None when the upstream told nothing."""

    def __init__(self, spool: "Spool", file: IO[bytes], length: int | None) -> None:
        self._spool, self._file, self.length = spool, file, length
        self._path = str(file.name)
        self._given = 0

    def read(self, size: int) -> bytes | None:
        """The next bytes that are safe to give; None when there are none yet, b"" at the end.

        Never waits. Raises SpoolBroken.
        """
        word = self._spool.word(self._path)
        arrived = os.fstat(self._file.fileno()).st_size
        if word not in {RUNNING, DONE}:
            raise SpoolBroken
        safe = arrived if word == DONE else arrived - WITHHELD
        if self._given >= safe:
            return b"" if word == DONE else None
        piece = self._file.read(min(size, safe - self._given))
        self._given += len(piece)
        return piece

    def wait(self, patience: float) -> None:
        """Until its writer has ended, without reading. Raises UpstreamUnreachable when that came to nothing."""
        until = time.monotonic() + patience
        while self._spool.word(self._path) == RUNNING and time.monotonic() < until:
            time.sleep(POLL)
        word = self._spool.word(self._path)
        self.close()
        if word != DONE:
            raise UpstreamUnreachable("The download came to nothing; try again.", retry_after=1)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


class Spool:
    """One download, known by its key to every process of the machine."""

    def __init__(self, key: str) -> None:
        self._key, self._state = key, Path(settings.DATA_DIR, "spool", f"{key}.json")

    def join(self, opening: Opening, *, is_here: Callable[[], bool], patience: float, lock: int | None = None) -> Tail | None:
        """Start the download, or follow the one that runs. None: it is done and stored; ask the database again.

        What is verified before its first byte leaves is received in this thread, anything larger in one of its own.
        `is_here` is asked under the lock: whoever held it last may have stored the file after the caller looked. `lock`: it,
        where the caller holds it already and gives it away.
        Raises the UpstreamError it failed with (also when somebody else started it), UpstreamTimeout.
        """
        until = time.monotonic() + patience
        handle, writer = try_lock(KIND, self._key) if lock is None else lock, None
        if handle is not None:
            writer = None if self._is_needless(handle, is_here) else self._begun(handle, opening)
            if writer is None:
                return None
        release_connection()  # the writer needs one, and a hundred who wait could hold them all
        while time.monotonic() < until:
            if writer is not None:
                wait((writer,), timeout=LOOK)
            is_over, tail = self._looked(writer)
            if is_over or tail is not None:
                return tail
            if writer is None:
                time.sleep(POLL)
        raise UpstreamTimeout("The download takes too long; it goes on, try again.", retry_after=5)

    def _looked(self, writer: "Future[None] | None") -> tuple[bool, Tail | None]:
        """Whether the download ended, or what to follow of it. Raises the UpstreamError it failed with."""
        state = self.state()
        if state is None:  # or the writer was done, or dead, before we looked: begin anew
            return not self._is_written() if writer is None else writer.done(), None
        if state.word == FAILED:
            raise _error(state)
        if state.word == DONE:
            return True, None
        tail = self._tail(state)
        return tail is None and not self._is_written(), tail

    def fill(self, opening: Opening, *, is_here: Callable[[], bool], patience: float) -> None:
        """The same for a caller that wants the file here and none of its bytes: in this thread, or by whoever is at it already.

        Raises what `join` raises.
        """
        handle = try_lock(KIND, self._key)
        if handle is None:
            tail = self.join(opening, is_here=is_here, patience=patience)
            if tail is not None:
                tail.wait(patience)
        elif not self._is_needless(handle, is_here):
            try:
                self.forget()
                progress = Discreet(self._state)
                opening().receive(progress)
                progress.end()
            finally:
                self._state.unlink(missing_ok=True)  # what came of it is for the caller; whoever waits looks again
                os.close(handle)

    def forget(self) -> None:
        """What an earlier download told, for who begins another and holds the lock."""
        self._state.unlink(missing_ok=True)

    def state(self) -> State | None:
        """What the writer told last, or None."""
        try:
            return State(**json.loads(self._state.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None

    def word(self, path: str) -> str:
        """How the download into `path` stands: running, done, failed, or dead.

        Dead is a writer that holds its lock no more and told no end, and one whose state another download replaced.
        """
        state = self.state()
        if state is not None and state.word == RUNNING and not self._is_written():
            state = self.state()  # it may have ended between the two looks
            if state is not None and state.word == RUNNING:
                return "dead"
        return state.word if state is not None and state.path == path else "dead"

    def _is_needless(self, handle: int, is_here: Callable[[], bool]) -> bool:
        """Whether the file is stored already; then, and on any error, the lock is given back."""
        needless = True
        try:
            needless = is_here()
        finally:
            if needless:
                os.close(handle)
        return needless

    def _tail(self, state: State) -> Tail | None:
        """A reader, once more bytes have come than are verified first."""
        try:
            file = Path(state.path).open("rb")  # noqa: SIM115 - the tail closes it
        except FileNotFoundError:
            return None
        if os.fstat(file.fileno()).st_size <= VERIFIED_FIRST:
            file.close()
            return None
        return Tail(self, file, state.length)

    def _is_written(self) -> bool:
        """Whether a writer holds the lock."""
        return is_busy(KIND, self._key)

    def _begun(self, handle: int, opening: Opening) -> "Future[None] | None":
        """The thread that writes it, or None when it was small and is here already. Raises UpstreamError when that came to nothing."""
        is_ours = True
        try:
            self.forget()
            progress = Discreet(self._state)
            with self._telling(progress):
                incoming = opening()
                if is_small(incoming.length):
                    incoming.receive(progress)
                    return None
            is_ours = False
            return _writers.submit(self._write_aside, handle, incoming)
        finally:
            if is_ours:
                os.close(handle)

    def _write_aside(self, handle: int, incoming: Incoming) -> None:
        """In a thread of the pool, which keeps no connection of a server's when it rests; its trouble is told to who follows."""
        progress = Progress(self._state)
        try:
            with contextlib.suppress(UpstreamError), self._telling(progress):
                incoming.receive(progress)
                progress.end()
        finally:
            os.close(handle)
            release_connection()

    @contextlib.contextmanager
    def _telling(self, progress: Progress) -> Iterator[None]:
        """Trouble is told to who follows, and raised as an UpstreamError."""
        try:
            yield
        except UpstreamError as error:
            progress.tell(State(FAILED, code=error.code, message=error.message, retry_after=error.retry_after))
            raise
        except Exception:
            log.exception("a download could not be stored")
            trouble = UpstreamError("The download could not be stored; try again.")
            progress.tell(State(FAILED, code=trouble.code, message=trouble.message))
            raise trouble from None


def _error(state: State) -> UpstreamError:
    """The error another process met, made anew."""
    kinds: list[type[UpstreamError]] = [UpstreamError]
    for kind in kinds:
        if kind.code == state.code:
            return kind(state.message, retry_after=state.retry_after)
        kinds.extend(kind.__subclasses__())
    return UpstreamUnreachable(state.message, retry_after=state.retry_after)
