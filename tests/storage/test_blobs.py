"""What every storage must do: durable, idempotent, quick to find damage, and never a body in memory."""

import errno
import hashlib
import os
import tracemalloc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self

import pytest

from packages import blobs, durable
from packages.errors import BodyTooLarge, StorageFull
from packages.formats.publication import StagedFile

BIG = 64 * 1024 * 1024
MEMORY = [0]
LITTLE = 12 * 1024 * 1024  # what handling a big file may cost in memory


@pytest.fixture(params=[0, 8, 2**20], ids=["on disk", "from memory to disk", "in memory"], autouse=True)
def memory(request: pytest.FixtureRequest) -> None:
    """How many bytes are kept off the disk until they are stored: everything holds for either way."""
    MEMORY[0] = request.param


def _keep(content: bytes) -> StagedFile:
    with blobs.Staging(limit=BIG * 2, memory=MEMORY[0]) as staging:
        staging.write(content[:5])
        staging.write(content[5:])
        staged = staging.finish()
        blobs.store(staged)
    return staged


def test_what_was_stored_is_there_byte_for_byte(backend: str) -> None:
    staged = _keep(b"bytes of a package")

    assert blobs.exists(staged.sha256)
    assert b"".join(blobs.chunks(staged.sha256)) == b"bytes of a package"
    with blobs.open_blob(staged.sha256) as file:
        assert file.read() == b"bytes of a package"
    assert blobs.local_path(staged.sha256).read_bytes() == b"bytes of a package"


def test_hashes_are_those_of_the_bytes(backend: str) -> None:
    staged = _keep(b"hash me")

    assert staged.sha256 == hashlib.sha256(b"hash me").hexdigest()
    assert staged.sha512 == hashlib.sha512(b"hash me").hexdigest()
    assert staged.sha1 == hashlib.sha1(b"hash me", usedforsecurity=False).hexdigest()
    assert staged.size == len(b"hash me")


def test_storing_the_same_bytes_again_changes_nothing(backend: str) -> None:
    first = _keep(b"twice")
    second = _keep(b"twice")

    assert first.sha256 == second.sha256
    assert b"".join(blobs.chunks(first.sha256)) == b"twice"


def test_nothing_is_left_in_staging(backend: str, tmp_path: Path) -> None:
    _keep(b"moved")
    with blobs.Staging(limit=100, memory=MEMORY[0]) as staging:
        staging.write(b"thrown away")

    assert list((tmp_path / "staging").glob("*")) == []


def test_deleting_is_idempotent_and_what_is_gone_is_not_found(backend: str) -> None:
    staged = _keep(b"short life")
    blobs.delete(staged.sha256)
    blobs.delete(staged.sha256)

    assert not blobs.exists(staged.sha256)
    with pytest.raises(FileNotFoundError), blobs.open_blob(staged.sha256) as file:
        file.read()
    with pytest.raises(FileNotFoundError):
        blobs.local_path("0" * 64).read_bytes()


def test_many_writers_of_one_blob(backend: str) -> None:
    content = os.urandom(300_000)
    with ThreadPoolExecutor(8) as pool:
        digests = {staged.sha256 for staged in pool.map(lambda _: _keep(content), range(8))}

    assert len(digests) == 1
    assert b"".join(blobs.chunks(digests.pop())) == content


def test_a_stunted_object_is_replaced_by_whole_bytes(backend: str) -> None:
    staged = _keep(b"whole bytes")
    _overwrite(staged.sha256, b"who")
    _keep(b"whole bytes")

    assert b"".join(blobs.chunks(staged.sha256)) == b"whole bytes"


def test_a_big_file_costs_little_memory(backend: str) -> None:
    parts = 0 if backend == "files" else 4 * 8 * 1024 * 1024  # config.settings: two parts of 8 MB under way, two in the queue
    with blobs.Staging(limit=BIG) as staging:
        staged, peak = _peak(lambda: _fill(staging, BIG))
        assert peak < LITTLE, f"receiving took {peak:,} bytes"
        _, peak = _peak(lambda: blobs.store(staged))
        assert peak < parts + LITTLE, f"storing took {peak:,} bytes"
    read, peak = _peak(lambda: sum(len(chunk) for chunk in blobs.chunks(staged.sha256)))
    assert read == BIG
    assert peak < parts + LITTLE, f"reading took {peak:,} bytes"


def _fill(staging: blobs.Staging, size: int) -> StagedFile:
    block = os.urandom(1024 * 1024)
    for _ in range(size // len(block)):
        staging.write(block)
    return staging.finish()


def _peak(work: Callable[[], Any]) -> tuple[Any, int]:
    """What `work` answers, and the most memory its objects took."""
    tracemalloc.start()
    try:
        return work(), tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_the_limit_holds_at_its_byte(backend: str) -> None:
    with blobs.Staging(limit=10, memory=MEMORY[0]) as staging:
        staging.write(b"0123456789")
        with pytest.raises(BodyTooLarge):
            staging.write(b"x")


def test_a_dropped_copy_is_fetched_anew(backend: str) -> None:
    staged = _keep(b"kept elsewhere")
    copy = blobs.local_path(staged.sha256)
    if backend == "s3":
        copy.write_bytes(b"kept")
    blobs.drop_copy(staged.sha256)

    assert blobs.local_path(staged.sha256).read_bytes() == b"kept elsewhere"


@pytest.mark.parametrize("backend", ["s3"], indirect=True)
def test_a_damaged_object_is_never_handed_out(backend: str, tmp_path: Path) -> None:
    staged = _keep(b"honest bytes")
    _overwrite(staged.sha256, b"forged bytes")

    with pytest.raises(FileNotFoundError, match="damaged"):
        blobs.local_path(staged.sha256)
    assert not list((tmp_path / "cache").rglob("*/*"))
    assert list((tmp_path / "staging").glob("*")) == []


@pytest.mark.parametrize("backend", ["files"], indirect=True)
def test_bytes_are_on_disk_before_their_name_is(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[str] = []
    fsync, replace = os.fsync, os.replace

    def recorded_fsync(handle: int) -> None:
        target = Path(f"/proc/self/fd/{handle}").readlink()
        steps.append("fsync folder" if target.is_dir() else "fsync file")
        fsync(handle)

    def recorded_replace(staged: Path, target: str) -> None:
        steps.append("rename")
        replace(staged, target)

    monkeypatch.setattr(os, "fsync", recorded_fsync)
    monkeypatch.setattr(os, "replace", recorded_replace)
    _keep(b"in this order")

    assert steps.index("fsync file") < steps.index("rename") < len(steps) - 1 - steps[::-1].index("fsync folder")


@pytest.mark.parametrize("backend", ["files"], indirect=True)
@pytest.mark.parametrize("moment", ["write", "sync", "rename"])
def test_a_full_disk_is_said_and_leaves_nothing(backend: str, moment: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    memory = MEMORY[0] if moment != "write" else 0
    with blobs.Staging(limit=100, memory=memory) as staging, pytest.raises(StorageFull):  # noqa: PT012 - three moments, one table
        if moment == "write":
            monkeypatch.setattr(staging, "_file", _FullFile(staging._file))
            staging.write(b"no room")
        else:
            staging.write(b"no room")
            staged = staging.finish()
            monkeypatch.setattr(os, "replace" if moment == "rename" else "fsync", full)
            blobs.store(staged)

    assert list((tmp_path / "staging").glob("*")) == []
    assert not [path for path in (tmp_path / "blobs").rglob("*") if path.is_file()]


@pytest.mark.parametrize("backend", ["files"], indirect=True)
def test_another_file_system_gets_a_whole_copy(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    replace = os.replace
    refused: list[Path] = []

    def across(staged: Path, target: str) -> None:
        if "staging" in staged.parts and not refused:
            refused.append(staged)
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        replace(staged, target)

    monkeypatch.setattr(os, "replace", across)
    staged = _keep(b"far away")

    assert refused
    assert b"".join(blobs.chunks(staged.sha256)) == b"far away"
    assert [path.name for path in blobs.local_path(staged.sha256).parent.iterdir()] == [staged.sha256]


@pytest.mark.parametrize("backend", ["files"], indirect=True)
def test_a_client_chooses_no_name(backend: str) -> None:
    staged = _keep(b"../../etc/passwd")

    assert blobs.local_path(staged.sha256).parts[-3:] == ("sha256", staged.sha256[:2], staged.sha256)


def test_a_disk_that_takes_only_a_part_gets_the_rest(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A raw write may be short: the disk was nearly full, or a signal came."""
    created = durable.created
    for writer in (blobs, durable):  # while it comes in, and when it is stored
        monkeypatch.setattr(writer, "created", lambda path: _Sipping(created(path)))

    staged = _keep(b"in small sips")

    assert b"".join(blobs.chunks(staged.sha256)) == b"in small sips"


class _Sipping:
    """A file that takes three bytes at a time."""

    def __init__(self, real: Any) -> None:
        self._real = real

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._real.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def write(self, data: bytes) -> int:
        """At most three of them."""
        written: int = self._real.write(bytes(data[:3]))
        return written


class _FullFile:
    """A file on a full disk."""

    def __init__(self, real: Any) -> None:
        self._real = real

    def write(self, _: bytes) -> int:
        """No room."""
        raise OSError(errno.ENOSPC, "No space left on device")

    def close(self) -> None:
        """Close the real one."""
        self._real.close()


def _overwrite(sha256: str, content: bytes) -> None:
    """Damage the stored bytes behind Gatehouse's back."""
    storage = blobs.backend()
    name = blobs.key(sha256)
    if isinstance(storage, durable.DurableFileStorage):
        Path(storage.path(name)).write_bytes(content)
    else:
        storage.bucket.Object(f"blobs/{name}").put(Body=content)  # type: ignore[attr-defined]
