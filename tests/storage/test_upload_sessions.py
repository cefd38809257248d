"""Upload sessions: in order, one writer, as many bytes as lie on the disk, whatever process writes or dies."""

import errno
import fcntl
import hashlib
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from pytest_django import Settings

from packages import uploads
from packages.errors import BodyTooLarge, StorageFull
from packages.uploads import LIFE, OutOfOrder, Remembered, Session, UploadBusy, UploadUnknown, begin, sweep_sessions

MINE, THEIRS = "1/app/alice", "2/app/alice"
LIMIT = 1000
ELSEWHERE = """
import sys
from packages.uploads import Session
with Session(sys.argv[1], sys.argv[2]).writing(at=3, limit=1000) as writer:
    writer.write(b"def")
    print(writer.digest("sha256"))
"""


@pytest.fixture(autouse=True)
def _anew(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which nothing was uploaded yet, and a process that has just begun."""
    settings.DATA_DIR = tmp_path
    monkeypatch.setattr(uploads, "REMEMBERED", Remembered())


def put(session: Session, piece: bytes, at: int | None = None) -> str:
    with session.writing(at=at, limit=LIMIT) as writer:
        writer.write(piece)
        return writer.digest("sha256")


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_pieces_are_joined_in_order() -> None:
    session = begin(MINE)
    assert session.offset == 0
    assert put(session, b"abc", 0) == sha256(b"abc")
    assert put(Session(session.session_id, MINE), b"def") == sha256(b"abcdef")
    assert (session.offset, session.path.read_bytes()) == (6, b"abcdef")


@pytest.mark.parametrize("at", [0, 2, 4, 100])
def test_a_piece_that_begins_elsewhere_changes_nothing(at: int) -> None:
    session = begin(MINE)
    put(session, b"abc")
    with pytest.raises(OutOfOrder) as caught:
        put(session, b"x", at)
    assert caught.value.offset == 3
    assert put(session, b"def", 3) == sha256(b"abcdef"), "and the session goes on"


def test_a_session_is_its_owners() -> None:
    session = begin(MINE)
    for number in (session.session_id[:-1] + "x", "7" + session.session_id[1:], "", "../../etc/passwd", session.session_id.upper() + "A"):
        with pytest.raises(UploadUnknown):
            Session(number, MINE)
    with pytest.raises(UploadUnknown):
        Session(session.session_id, THEIRS)
    assert Session(session.session_id, MINE).offset == 0


def test_one_writer_at_a_time() -> None:
    session = begin(MINE)
    with session.writing(at=None, limit=LIMIT) as writer:
        writer.write(b"abc")
        with pytest.raises(UploadBusy), session.writing(at=None, limit=LIMIT):
            pass
    assert put(session, b"def") == sha256(b"abcdef")


def test_who_waited_does_not_write_into_what_was_stored_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session, stored = begin(MINE), tmp_path / "blob"
    put(session, b"abc")
    real = fcntl.flock

    def moved_first(file: int, how: int) -> None:
        if session.path.exists():
            session.path.rename(stored)
        real(file, how)

    monkeypatch.setattr(fcntl, "flock", moved_first)
    with pytest.raises(UploadUnknown):
        put(session, b"def")
    assert stored.read_bytes() == b"abc"


def test_another_process_goes_on_with_it(tmp_path: Path, settings: Settings) -> None:
    session = begin(MINE)
    put(session, b"abc")
    code = f"import django; django.setup()\n{ELSEWHERE}"
    env = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATA_DIR": str(tmp_path),
        "SESSION_SECRET": settings.SECRET_KEY,
    }
    told = subprocess.run(
        [sys.executable, "-c", code, session.session_id, MINE], env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert told.stdout.strip() == sha256(b"abcdef"), told.stderr
    assert put(session, b"ghi") == sha256(b"abcdefghi"), "what was remembered here is of fewer bytes, and not used"


def test_another_algorithm_is_computed_from_the_bytes() -> None:
    session = begin(MINE, "sha512")
    with session.writing(at=None, limit=LIMIT) as writer:
        writer.write(b"abc")
        assert writer.digest("sha512") == hashlib.sha512(b"abc").hexdigest()
        assert writer.digest("sha256") == sha256(b"abc")


def test_a_full_disk_leaves_what_was_there(monkeypatch: pytest.MonkeyPatch) -> None:
    session = begin(MINE)
    put(session, b"abc")

    def half_of_it(file: object, piece: bytes) -> None:
        file.write(piece[:1])  # type: ignore[attr-defined]  # a file
        raise OSError(errno.ENOSPC, "no room")

    with monkeypatch.context() as full:
        full.setattr(uploads, "write_all", half_of_it)
        with pytest.raises(StorageFull):
            put(session, b"def")
    assert session.offset == 3
    assert put(session, b"def", 3) == sha256(b"abcdef")


def test_there_is_a_limit() -> None:
    session = begin(MINE)
    put(session, b"x" * LIMIT)
    with pytest.raises(BodyTooLarge):
        put(session, b"y")
    assert session.offset == LIMIT


def test_cancelled_and_forgotten() -> None:
    session, other = begin(MINE), begin(MINE)
    session.cancel()
    for act in (session.cancel, lambda: session.offset, lambda: put(session, b"x")):
        with pytest.raises(UploadUnknown):
            act()
    assert sweep_sessions() == 0
    assert sweep_sessions(time.time() + LIFE + 5) == 1
    assert not other.path.exists()


def test_a_process_remembers_a_bounded_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "KEPT", 2)
    sessions = [begin(MINE) for _ in range(4)]
    for session in sessions:
        put(session, b"abc")
    assert [uploads.REMEMBERED.take(session.session_id) is None for session in sessions] == [True, True, False, False]
    assert put(sessions[0], b"def") == sha256(b"abcdef")
