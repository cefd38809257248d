"""Uploads in pieces: a session is a file beside the storage, to which one writer at a time appends, in order.

What has come is what lies on the disk: it survives a restart, and another process of the machine goes on with it. The
digest is computed while bytes come; a process that did not see the beginning reads it once, at the end. A session is known
by a number that only its repository and its sender can use (an HMAC of both), so that no row is written for it.
"""

import contextlib
import fcntl
import hashlib
import hmac
import os
import re
import secrets
import time
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import IO, Any

from django.conf import settings

from packages.blobs import staging_folder, storage_error
from packages.durable import write_all
from packages.errors import BodyTooLarge
from workspaces.errors import Conflict, NotFound

ALGORITHMS = ("sha256", "sha512")
FORM = re.compile(r"(?P<algorithm>[0-9])(?P<random>[0-9a-f]{32})(?P<proof>[0-9a-f]{32})")
PIECE = 1024 * 1024  # bytes hashed at a time
KEPT = 256  # sessions whose digest so far a process remembers
LIFE = 24 * 3600  # seconds without a byte, after which a session is over


class UploadUnknown(NotFound):
    """No such session in this repository, for this sender."""

    code = "upload_unknown"


class UploadBusy(Conflict):
    """Somebody is writing to the session just now."""

    code = "upload_busy"


class OutOfOrder(Conflict):
    """The piece does not begin where the bytes end; `offset`: where that is."""

    code = "out_of_order"

    def __init__(self, message: str, *, offset: int = 0, fields: dict[str, str] | None = None) -> None:
        super().__init__(message, fields=fields)
        self.offset = offset


@dataclass
class Seen:
    """The digest of a session's first `offset` bytes, by its algorithm."""

    hash: Any
    offset: int = 0


class Remembered:
    """What this process has hashed of sessions, the last KEPT of them."""

    def __init__(self) -> None:
        self._seen: OrderedDict[str, Seen] = OrderedDict()
        self._lock = Lock()

    def take(self, session_id: str) -> Seen | None:
        """The digest so far; it is the caller's now."""
        with self._lock:
            return self._seen.pop(session_id, None)

    def keep(self, session_id: str, seen: Seen) -> None:
        """For the next piece."""
        with self._lock:
            self._seen[session_id] = seen
            while len(self._seen) > KEPT:
                self._seen.popitem(last=False)


REMEMBERED = Remembered()


@dataclass(frozen=True)
class Session:
    """A session by its number; `owner`: what its repository and sender are, in any words that tell them from all others."""

    session_id: str
    owner: str
    algorithm: str = field(init=False)

    def __post_init__(self) -> None:
        found = FORM.fullmatch(self.session_id)
        index = int(found["algorithm"]) if found else len(ALGORITHMS)
        if found is None or index >= len(ALGORITHMS) or not hmac.compare_digest(found["proof"], _proof(found["random"], self.owner)):
            raise UploadUnknown("There is no such upload here.")
        object.__setattr__(self, "algorithm", ALGORITHMS[index])

    @property
    def path(self) -> Path:
        """Where its bytes lie."""
        return _folder() / self.session_id[:33]

    @property
    def offset(self) -> int:
        """How many bytes have come. Raises UploadUnknown."""
        try:
            return self.path.stat().st_size
        except FileNotFoundError:
            raise UploadUnknown("This upload is over, or was cancelled.") from None

    def cancel(self) -> None:
        """Forget what has come. Raises UploadUnknown."""
        REMEMBERED.take(self.session_id)
        try:
            self.path.unlink()
        except FileNotFoundError:
            raise UploadUnknown("This upload is over, or was cancelled.") from None

    @contextlib.contextmanager
    def writing(self, *, at: int | None, limit: int) -> Iterator["Writer"]:
        """Append, as the only one; `at`: where the sender thinks the bytes end. Raises UploadUnknown, UploadBusy, OutOfOrder."""
        try:
            file = self.path.open("r+b", buffering=0)
        except FileNotFoundError:
            raise UploadUnknown("This upload is over, or was cancelled.") from None
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise UploadBusy("Somebody is sending to this upload just now.") from None
            self._check_still_there(file)
            offset = file.seek(0, os.SEEK_END)
            if at is not None and at != offset:
                raise OutOfOrder(f"The upload has {offset} bytes; the next piece begins there.", offset=offset)
            writer = Writer(self, file, offset, limit)
            try:
                yield writer
            finally:
                writer.rest()

    def _check_still_there(self, file: IO[bytes]) -> None:
        """Whoever held the lock may have moved the file into the storage: what was opened is a blob then."""
        try:
            is_same = os.path.samestat(os.fstat(file.fileno()), self.path.stat())
        except FileNotFoundError:
            is_same = False
        if not is_same:
            raise UploadUnknown("This upload is over, or was cancelled.")


class Writer:
    """Somebody who appends to a session."""

    def __init__(self, session: Session, file: IO[bytes], offset: int, limit: int) -> None:
        self.session, self.offset = session, offset
        self._file, self._limit = file, limit
        seen = REMEMBERED.take(session.session_id)
        self._seen = seen if seen is not None and seen.offset == offset else None
        if offset == 0:
            self._seen = Seen(hashlib.new(session.algorithm))

    def write(self, piece: bytes) -> None:
        """The next bytes, whole or not at all. Raises BodyTooLarge, StorageFull."""
        if self.offset + len(piece) > self._limit:
            raise BodyTooLarge(f"A file may have at most {self._limit:,} bytes.")
        try:
            write_all(self._file, piece)
        except OSError as error:
            self._file.truncate(self.offset)
            self._file.seek(self.offset)
            raise storage_error(error) from error
        self.offset += len(piece)
        if self._seen is not None:
            self._seen.hash.update(piece)
            self._seen.offset = self.offset

    def digest(self, algorithm: str) -> str:
        """Of all bytes, in hexadecimal; they are read again where this process did not see each of them, or by another algorithm."""
        if self._seen is not None and algorithm == self.session.algorithm:
            return str(self._seen.hash.hexdigest())
        self._file.seek(0)
        found = hashlib.new(algorithm)
        while piece := self._file.read(PIECE):
            found.update(piece)
        return found.hexdigest()

    def rest(self) -> None:
        """Until the next piece."""
        if self._seen is not None:
            REMEMBERED.keep(self.session.session_id, self._seen)


def begin(owner: str, algorithm: str = "sha256") -> Session:
    """A new session, for which no byte has come."""
    number = f"{ALGORITHMS.index(algorithm)}{secrets.token_hex(16)}"
    session = Session(f"{number}{_proof(number[1:], owner)}", owner)
    try:
        _folder().mkdir(parents=True, exist_ok=True)
        session.path.touch(exist_ok=False)
    except OSError as error:
        raise storage_error(error) from error
    return session


def sweep_sessions(now: float | None = None) -> int:
    """Remove sessions that nobody sent to for LIFE; answers how many."""
    over, gone = (now or time.time()) - LIFE, 0
    for path in _folder().glob("*"):
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_mtime < over:
                path.unlink()
                gone += 1
    return gone


def _folder() -> Path:
    return staging_folder() / "uploads"


def _proof(random: str, owner: str) -> str:
    key = hashlib.sha256(f"gatehouse upload {settings.SECRET_KEY}".encode()).digest()
    return hmac.digest(key, f"{random}\x00{owner}".encode(), hashlib.sha256).hex()[:32]
