"""What the writer of a download tells its readers in other processes: a small state file, replaced as a whole."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

VERIFIED_FIRST = 1024 * 1024  # bytes: files up to this size are verified before the first byte leaves
RUNNING, DONE, FAILED = "running", "done", "failed"


@dataclass(frozen=True)
class State:
    """What the writer last told: where the bytes are, how many there will be, how it ended."""

    word: str
    path: str = ""
    length: int | None = None
    code: str = ""
    message: str = ""
    retry_after: int | None = None


class Progress:
    """The writer's side of the state file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._staged = ""
        self._length: int | None = None

    def begin(self, staged: Path, length: int | None) -> None:
        """Bytes begin to arrive in `staged`; `length` if the upstream told it."""
        self._staged, self._length = str(staged), length
        self.tell(State(RUNNING, self._staged, length))

    def end(self) -> None:
        """The bytes are verified and stored; the path tells readers that it was this very download."""
        self.tell(State(DONE, self._staged, self._length))

    def tell(self, state: State) -> None:
        """Replace the state in one step."""
        beside = self._path.with_suffix(f".{os.getpid()}.new")
        beside.parent.mkdir(exist_ok=True)
        beside.write_text(json.dumps(state.__dict__), encoding="utf-8")
        beside.replace(self._path)


class Discreet(Progress):
    """Of a file that is verified before its first byte leaves nobody is told: who waits for it asks again when it is here."""

    _is_told = False

    def begin(self, staged: Path, length: int | None) -> None:
        """Told only of what can be followed."""
        self._is_told = not is_small(length)
        if self._is_told:
            super().begin(staged, length)

    def end(self) -> None:
        """The same."""
        if self._is_told:
            super().end()


def is_small(length: int | None) -> bool:
    """Whether all of it is verified before its first byte leaves."""
    return length is not None and length <= VERIFIED_FIRST
