"""Bytes on a disk, durable and whole: files made at once, moved into place so that they survive the loss of power."""

import errno
import os
import secrets
from pathlib import Path
from typing import IO

from django.core.files.storage import FileSystemStorage

from packages.formats.publication import StagedFile

CHUNK = 256 * 1024  # bytes copied at a time


class DurableFileStorage(FileSystemStorage):
    """Django's file storage with a move into place that survives power loss."""

    def move_in(self, staged: StagedFile, name: str) -> None:
        """Write or sync the file, rename it to `name`, sync the folder; only the last when the bytes are there already.

        `name` is one of ours (`key`): it is joined without the checks for names of clients. Plain calls of the system
        and few: a thread that does this beside another takes the interpreter's lock anew after each.
        """
        target = os.path.join(self.location, name)  # noqa: PTH118 - a string, quickly
        folder = _opened_folder(os.path.dirname(target))  # noqa: PTH120 - the same
        try:
            if _size(target) != staged.size:
                _sync(staged)
                _rename(staged.path, target)
            os.fsync(folder)  # also when another writer renamed it just now
        finally:
            os.close(folder)


def created(path: Path) -> IO[bytes]:
    """A new file, in a folder that is made when it is missing and not looked for otherwise."""
    try:
        return open(path, "xb", buffering=0)  # noqa: PTH123 - Path.open costs more than the opening
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        return open(path, "xb", buffering=0)  # noqa: PTH123 - the same


def write_all(file: IO[bytes], data: bytes) -> None:
    """All of it: an unbuffered file on a disk that is nearly full takes a part and says so by its length only."""
    left = memoryview(data)
    while left:
        left = left[file.write(left) :]


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


def _sync(staged: StagedFile) -> None:
    """Its bytes on disk, at its path; whatever of a new file cannot be written goes again."""
    if staged.content is None:
        handle = os.open(staged.path, os.O_RDONLY)  # what is synced is the file, by whatever handle (fsync(2))
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
        return
    try:
        with created(staged.path) as file:
            write_all(file, staged.content)
            os.fsync(file.fileno())
    except OSError:
        staged.path.unlink(missing_ok=True)
        raise


def _rename(staged: Path, target: str) -> None:
    try:
        os.replace(staged, target)  # noqa: PTH105 - a string, quickly
    except OSError as error:
        try:
            if error.errno != errno.EXDEV:
                raise
            _copy_across(staged, Path(target))
        finally:
            staged.unlink(missing_ok=True)


def _opened_folder(path: str) -> int:
    """A handle of the folder, which is made when it is missing; new ones are durable together with the first file in them."""
    try:
        return os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        os.makedirs(path, exist_ok=True)  # noqa: PTH103 - a string, quickly
        return os.open(path, os.O_RDONLY)
