"""Blobs: bytes staged and hashed beside the storage, then moved into place durably, addressed by SHA-256.

Order for every writer: stage, verify, `store` (fsync, rename, fsync of the folder; or the S3 object
complete), and only then the database row. A crash leaves at most an orphan.
"""

import errno
import hashlib
import os
import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from django.conf import settings
from django.core.files.base import File as DjangoFile
from django.core.files.storage import FileSystemStorage, Storage, storages

from packages.errors import BodyTooLarge, StorageFull
from packages.formats.publication import StagedFile

CHUNK = 256 * 1024  # bytes read at a time
WRITERS = 8  # files made durable at once, per process
FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})

_storing = ThreadPoolExecutor(WRITERS, thread_name_prefix="storing")


class Staging:
    """A file being received: written to the side and hashed while it grows. Use as a context manager.

    Leaving the block deletes the file unless it was stored. Raises BodyTooLarge past `limit` bytes, StorageFull.
    """

    def __init__(self, *, limit: int) -> None:
        self._limit = limit
        self.size = 0
        self._hashes = (hashlib.sha1(usedforsecurity=False), hashlib.sha256(), hashlib.sha512())
        self.path = staging_folder() / f"{os.getpid()}-{secrets.token_hex(12)}.part"
        self._file = _created(self.path)

    def write(self, chunk: bytes) -> None:
        """Take the next bytes."""
        self.size += len(chunk)
        if self.size > self._limit:
            raise BodyTooLarge(f"A file may have at most {self._limit:,} bytes.")
        try:
            self._file.write(chunk)
        except OSError as error:
            raise _storage_error(error) from error
        for one in self._hashes:
            one.update(chunk)

    def finish(self) -> StagedFile:
        """Close the file and tell its hashes."""
        self._file.close()
        sha1, sha256, sha512 = (one.hexdigest() for one in self._hashes)
        return StagedFile(path=self.path, size=self.size, sha1=sha1, sha256=sha256, sha512=sha512)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._file.close()
        self.path.unlink(missing_ok=True)


class DurableFileStorage(FileSystemStorage):
    """Django's file storage with a move into place that survives power loss."""

    def moving(self, staged: Path, name: str, size: int) -> "Moving":
        """The move of `staged` to `name`, which is one of ours (`key`): it is joined without the checks for names of clients."""
        return Moving(staged, os.path.join(self.location, name), size)  # noqa: PTH118 - a string, quickly


class Moving:
    """A file's way into place, in two parts: opened by whoever has time, made durable (`finish`) by whoever waits for the disk.

    Every call of the system takes the interpreter's lock anew, so a thread beside one that works should make few.
    """

    def __init__(self, staged: Path, target: str, size: int) -> None:
        self._staged, self._target = staged, target
        self._folder = _opened_folder(os.path.dirname(target))  # noqa: PTH120 - a string, quickly
        self._file: int | None = None
        try:
            if _size(target) != size:
                self._file = os.open(staged, os.O_RDONLY)
        except BaseException:
            self.close()
            raise

    def finish(self) -> None:
        """Fsync the file, rename it, fsync the folder; only the last when the bytes are there already."""
        if self._file is not None:
            os.fsync(self._file)  # by whatever handle: what is synced is the file (fsync(2))
            try:
                os.replace(self._staged, self._target)  # noqa: PTH105 - the same, quickly
            except OSError as error:
                if error.errno != errno.EXDEV:
                    raise
                _copy_across(self._staged, Path(self._target))
        os.fsync(self._folder)  # also when another writer renamed it just now

    def close(self) -> None:
        """Give the handles back."""
        os.close(self._folder)
        if self._file is not None:
            os.close(self._file)


def store(staged: StagedFile) -> None:
    """Make the staged bytes durable under their digest. Idempotent. Raises StorageFull."""
    with Storing(staged, beside=False) as storing:
        storing.settle()


class Storing:
    """`store` in two parts: begun here, and done in a thread of its own (`beside`) until `settle`. Use as a context manager."""

    def __init__(self, staged: StagedFile, *, beside: bool = True) -> None:
        storage, name = backend(), key(staged.sha256)
        self._moving: Moving | None = None
        if isinstance(storage, DurableFileStorage):
            try:
                self._moving = storage.moving(staged.path, name, staged.size)
            except OSError as error:
                raise _storage_error(error) from error
        self._work = self._moving.finish if self._moving is not None else partial(_save, storage, staged, name)
        self._stored = _storing.submit(self._work) if beside else None

    def settle(self) -> None:
        """Return when the bytes are durable. Raises StorageFull."""
        try:
            if self._stored is None:
                self._work()
            else:
                self._stored.result()
        except OSError as error:
            raise _storage_error(error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._stored is not None:
            self._stored.exception()  # wait: the staged file goes away behind us
        if self._moving is not None:
            self._moving.close()


def _save(storage: Storage, staged: StagedFile, name: str) -> None:
    """Into a storage that is no folder of this machine."""
    if not storage.exists(name) or storage.size(name) != staged.size:
        with staged.path.open("rb") as file:
            storage.save(name, DjangoFile(file))


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
    """The storage name: never anything a client chose."""
    return f"sha256/{sha256[:2]}/{sha256[2:4]}/{sha256}"


def backend() -> Storage:
    """The configured django-storages backend."""
    return storages["blobs"]


def staging_folder() -> Path:
    """Where bytes wait; on the same file system as the blobs by default, so that moving is a rename. It may not be there yet."""
    return Path(settings.DATA_DIR) / "staging"


def _created(path: Path) -> IO[bytes]:
    """A new file, in a folder that is made when it is missing and not looked for otherwise."""
    try:
        return open(path, "xb", buffering=0)  # noqa: PTH123 - Path.open costs more than the opening
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        return open(path, "xb", buffering=0)  # noqa: PTH123 - the same


def _copy_of(sha256: str) -> Path:
    return Path(settings.DATA_DIR) / "cache" / sha256[:2] / sha256


def _fetch(sha256: str, cached: Path) -> None:
    with Staging(limit=2**63) as staging:
        for chunk in chunks(sha256):
            staging.write(chunk)
        staged = staging.finish()
        if staged.sha256 != sha256:
            raise FileNotFoundError(errno.ENOENT, f"blob {sha256} is damaged in storage")
        cached.parent.mkdir(parents=True, exist_ok=True)
        staged.path.replace(cached)


def _copy_across(staged: Path, target: Path) -> None:
    """Another file system: copy beside the target, fsync, rename."""
    beside = target.with_name(f"{target.name}.{secrets.token_hex(6)}.part")
    try:
        with staged.open("rb") as source, beside.open("xb") as copy:
            while chunk := source.read(CHUNK):
                copy.write(chunk)
            copy.flush()
            os.fsync(copy.fileno())
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)


def _size(path: str) -> int | None:
    try:
        return os.stat(path).st_size  # noqa: PTH116 - a string, quickly
    except FileNotFoundError:
        return None


def _opened_folder(path: str) -> int:
    """A handle of the folder, which is made when it is missing; new ones are durable together with the first file in them."""
    try:
        return os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        os.makedirs(path, exist_ok=True)  # noqa: PTH103 - a string, quickly
        return os.open(path, os.O_RDONLY)


def _storage_error(error: OSError) -> Exception:
    if error.errno in FULL:
        return StorageFull("The storage is full; nothing was stored. Free some space and try again.")
    return error
