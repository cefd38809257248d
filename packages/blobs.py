"""Blobs: bytes staged and hashed beside the storage, then moved into place durably, addressed by SHA-256.

Order for every writer: stage, verify, `store` (fsync, rename, fsync of the folder; or the S3 object
complete), and only then the database row. A crash leaves at most an orphan.
"""

import errno
import hashlib
import os
import secrets
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from django.conf import settings
from django.core.files.base import File as DjangoFile
from django.core.files.storage import FileSystemStorage, Storage, storages

from packages.durable import DurableFileStorage, created, write_all
from packages.errors import BodyTooLarge, StorageFull
from packages.formats.publication import StagedFile
from workspaces.room import release_connection

CHUNK = 256 * 1024  # bytes read at a time
IN_MEMORY = 256 * 1024  # bytes of a body, and of a file in it, that are kept off the disk until they are stored
WRITERS = 8  # files made durable at once, per process
FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})

_storing = ThreadPoolExecutor(WRITERS, thread_name_prefix="storing")


class Staging:
    """A file being received: written to the side and hashed while it grows. Use as a context manager.

    Up to `memory` bytes are not written before they are stored. Leaving the block deletes the file unless it was
    stored. Raises BodyTooLarge past `limit` bytes, StorageFull.
    """

    def __init__(self, *, limit: int, memory: int = 0) -> None:
        self._limit, self._memory = limit, memory
        self.size = 0
        self._hashes = (hashlib.sha1(usedforsecurity=False), hashlib.sha256(), hashlib.sha512())
        self.path = staging_folder() / f"{os.getpid()}-{secrets.token_hex(12)}.part"
        self._held: list[bytes] | None = [] if memory else None
        self._file = None if memory else created(self.path)

    def write(self, chunk: bytes) -> None:
        """Take the next bytes."""
        self.size += len(chunk)
        if self.size > self._limit:
            raise BodyTooLarge(f"A file may have at most {self._limit:,} bytes.")
        try:
            self._keep(chunk)
        except OSError as error:
            raise storage_error(error) from error
        for one in self._hashes:
            one.update(chunk)

    def finish(self) -> StagedFile:
        """Close the file and tell its hashes."""
        if self._file is not None:
            self._file.close()
        content = None if self._held is None else b"".join(self._held)
        sha1, sha256, sha512 = (one.hexdigest() for one in self._hashes)
        return StagedFile(path=self.path, content=content, size=self.size, sha1=sha1, sha256=sha256, sha512=sha512)

    def _keep(self, chunk: bytes) -> None:
        if self._held is not None and self.size <= self._memory:
            self._held.append(chunk)
            return
        if self._file is None:
            self._file = created(self.path)
        for piece in (*(self._held or ()), chunk):
            write_all(self._file, piece)
        self._held = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._file is not None:
            self._file.close()
            self.path.unlink(missing_ok=True)


def store(staged: StagedFile) -> None:
    """Make the staged bytes durable under their digest. Idempotent. Raises StorageFull."""
    storage, name = backend(), key(staged.sha256)
    try:
        if isinstance(storage, DurableFileStorage):
            storage.move_in(staged, name)
        elif not storage.exists(name) or storage.size(name) != staged.size:
            with staged.open() as file:
                storage.save(name, DjangoFile(file))
    except OSError as error:
        raise storage_error(error) from error


class Storing:
    """`store`, in a thread of its own: waiting for the disk costs nobody else's time. Use as a context manager."""

    def __init__(self, staged: StagedFile) -> None:
        self._staged = staged
        self._stored: Future[None] | None = None
        self.is_long = staged.content is None or not isinstance(backend(), DurableFileStorage)  # a large file, or storage elsewhere

    def begin(self) -> Future[None]:
        """Store the bytes from now on."""
        if self._stored is None:
            self._stored = _storing.submit(store, self._staged)
        return self._stored

    def settle(self) -> None:
        """Return when the bytes are durable. Raises what `store` raises."""
        if self.is_long:
            release_connection()
        self.begin().result()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._stored is not None:
            self._stored.exception()  # wait: the staged file goes away behind us


def open_blob(sha256: str) -> IO[bytes]:
    """The blob as a readable file. Raises FileNotFoundError."""
    opened: IO[bytes] = backend().open(key(sha256), "rb")
    return opened


def chunks(sha256: str) -> Iterator[bytes]:
    """The blob, piece by piece."""
    with open_blob(sha256) as file:
        while chunk := file.read(CHUNK):
            yield chunk


def local_path(sha256: str) -> Path:
    """A file on this machine with the blob's bytes: the blob itself, or for S3 a verified copy in the cache.

    Raises FileNotFoundError when the storage has lost it.
    """
    storage = backend()
    if isinstance(storage, FileSystemStorage):
        return Path(storage.path(key(sha256)))
    cached = _copy_of(sha256)
    if not cached.exists():
        _fetch(sha256, cached)
    return cached


def drop_copy(sha256: str) -> None:
    """Forget the cached copy of a blob that lives elsewhere; the next reader fetches it anew."""
    if not isinstance(backend(), FileSystemStorage):
        _copy_of(sha256).unlink(missing_ok=True)


def exists(sha256: str) -> bool:
    """Whether the storage holds the blob, asked at the source."""
    return backend().exists(key(sha256))


def delete(sha256: str) -> None:
    """Remove the blob from storage; a missing one is fine."""
    backend().delete(key(sha256))


def key(sha256: str) -> str:
    """The storage name: never anything a client chose. 256 folders: with 65,536 a publish mostly makes one, dearer than its file."""
    return f"sha256/{sha256[:2]}/{sha256}"


def backend() -> Storage:
    """The configured django-storages backend."""
    return storages["blobs"]


def staging_folder() -> Path:
    """Where bytes wait; on the same file system as the blobs by default, so that moving is a rename. It may not be there yet."""
    return Path(settings.DATA_DIR) / "staging"


def _copy_of(sha256: str) -> Path:
    return Path(settings.DATA_DIR) / "cache" / sha256[:2] / sha256


def _fetch(sha256: str, cached: Path) -> None:
    release_connection()  # whoever waits for the storage holds none of the database
    with Staging(limit=2**63) as staging:
        for chunk in chunks(sha256):
            staging.write(chunk)
        staged = staging.finish()
        if staged.sha256 != sha256:
            raise FileNotFoundError(errno.ENOENT, f"blob {sha256} is damaged in storage")
        cached.parent.mkdir(parents=True, exist_ok=True)
        staged.path.replace(cached)


def storage_error(error: OSError) -> Exception:
    """What to raise for it: StorageFull where there is no room."""
    if error.errno in FULL:
        return StorageFull("The storage is full; nothing was stored. Free some space and try again.")
    return error
