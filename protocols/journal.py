"""The request log: JSON lines in DATA_DIR/log/requests.jsonl, by all processes, turned over by size.

A batch is one `write` to a file opened for appending, so lines of several processes never mix.
"""

import fcntl
import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from packages.services.downloads import Downloaded
from protocols.hot_lines import WORDS
from tokens.secrets import masked
from workspaces.access import Actor

NAME = "requests.jsonl"
LARGEST = 64 * 1024 * 1024  # bytes of one file
KEPT = 4  # older files beside it: requests.1.jsonl is the youngest
PATH, METHOD = 300, 20  # characters of an address, and of a method, that are written
DOORS = re.compile(
    r"/(?:(?P<rest>api)/|(?P<operations>healthz|readyz|metrics)\Z|(?P<admin>admin)/|[^/]+/(?P<npm>r|npm)(?:/|\Z)|[^/]+/(?P<moonbit>m)/|-/(?P<root>npm)/)"
)


class Answered(NamedTuple):
    """One answer of the slow path. Times by time.perf_counter; `path` without its query; `size` in bytes of the body.

    `download` names the file that was handed out, if it was one; `status` 0: the caller went away before any answer.
    """

    request: str
    begun: float
    ended: float
    method: str
    path: str
    status: int
    size: int
    ip: str
    agent: str
    actor: Actor | None
    download: Downloaded | None = None


class Journal:
    """This process's hand on the log."""

    def __init__(self, folder: Path, *, largest: int = LARGEST) -> None:
        self._folder, self._largest = folder, largest
        self._path = folder / NAME
        folder.mkdir(parents=True, exist_ok=True)
        self._file = self._open()

    def write(self, lines: bytes) -> None:
        """Append whole lines. Raises OSError (a full disk)."""
        self._follow()
        os.write(self._file, lines)

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._file)

    def _open(self) -> int:
        return os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)

    def _follow(self) -> None:
        """Turn a full file over, or go along when another process (or logrotate) did."""
        try:
            there = self._path.stat()
        except FileNotFoundError:
            there = None
        if there is not None and there.st_size > self._largest:
            self._turn_over()
        elif there is not None and there.st_ino == os.fstat(self._file).st_ino:
            return
        os.close(self._file)
        self._file = self._open()

    def _turn_over(self) -> None:
        """Rename the files by one number each; the oldest goes. Only once, however many processes see it full."""
        with (self._folder / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not self._path.exists() or self._path.stat().st_size <= self._largest:
                return
            for number in range(KEPT, 0, -1):
                younger = self._folder / f"requests.{number - 1}.jsonl" if number > 1 else self._path
                if younger.exists():
                    younger.replace(self._folder / f"requests.{number}.jsonl")


def line(seen: Answered, offset: float) -> bytes:
    """One answer as a line of JSON: control characters escaped, long values cut, secrets in addresses masked.

    `offset`: what makes seconds since 1970 of a perf_counter time.
    """
    actor, path = seen.actor, masked(seen.path)
    grant = actor.grant if actor is not None else None
    told = {
        "at": datetime.fromtimestamp(seen.begun + offset, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "us": int((seen.ended - seen.begun) * 1e6),
        "status": seen.status,
        "bytes": seen.size,
        "method": seen.method[:METHOD],
        "path": path[:PATH],
        "who": actor.name if actor is not None else "",
        "token": grant.token_id if grant is not None else None,
        "ip": seen.ip,
        "agent": seen.agent[:WORDS],
        "protocol": protocol_of(path),
        "via": "slow",
        "id": seen.request,
    }
    try:
        return orjson.dumps(told, option=orjson.OPT_APPEND_NEWLINE)
    except orjson.JSONEncodeError:
        return orjson.dumps({key: _writable(value) for key, value in told.items()}, option=orjson.OPT_APPEND_NEWLINE)


def protocol_of(path: str) -> str:
    """Which door an address belongs to: npm, moonbit, rest, operations, admin or web."""
    found = DOORS.match(path)
    return "web" if found is None else "npm" if found.lastgroup == "root" else str(found.lastgroup)


def _writable(value: Any) -> Any:
    """Half of a surrogate pair is no text: written as its number."""
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value
