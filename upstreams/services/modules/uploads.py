"""git upload-pack over a served index, one answer at a time: what it says is passed on as it comes, within bounds."""

import re
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from upstreams.clients import local_git
from upstreams.clients.local_git import GitFailed
from workspaces.errors import Invalid, Unavailable
from workspaces.room import release_connection

AT_ONCE = 16  # processes of git, in one process of ours
SECONDS = 300.0  # one answer has
PIECE = 64 * 1024
VERSION = re.compile(r"version=[012]")
WORDS = ("upload-pack", "--stateless-rpc", "--strict", "--timeout=60")
_places = threading.BoundedSemaphore(AT_ONCE)


class TooManyFetches(Unavailable):
    """All places are taken."""

    code = "too_many_fetches"


class NoGit(Invalid):
    """What was sent is no request of git's."""

    code = "no_git_request"


def protocol_of(header: str) -> str:
    """The version that a client asks for by `Git-Protocol`, as git takes it; '' is the first."""
    return next((part for part in header.split(":") if VERSION.fullmatch(part)), "")


def advertisement(repository: Path, protocol: str) -> bytes:
    """The answer to `info/refs`. Raises Unavailable."""
    release_connection()  # git takes its time, and needs none
    try:
        refs = local_git.run(repository, *WORDS, "--advertise-refs", str(repository), extra=_extra(protocol))
    except GitFailed:
        raise _not_now() from None
    return refs if protocol == "version=2" else b"001e# service=git-upload-pack\n0000" + refs


def answer_to(repository: Path, protocol: str, request: IO[bytes]) -> Iterator[bytes]:
    """The answer to a request of a client's; the first piece is awaited here. Raises Unavailable, NoGit."""
    release_connection()  # a client that reads slowly holds none, and the answer is sent by another thread
    if not _places.acquire(blocking=False):
        raise TooManyFetches("Too many are fetching this index at once; try again.", retry_after=5)
    try:
        process = local_git.begin(repository, *WORDS, str(repository), extra=_extra(protocol), stdin=subprocess.PIPE)
    except GitFailed:
        _places.release()
        raise _not_now() from None
    except BaseException:
        _places.release()
        raise
    pieces = _said(process, request)
    first = next(pieces, b"")
    if not first:
        raise NoGit("This is no request that git understands.")
    return _with(first, pieces)


def _not_now() -> Unavailable:
    return Unavailable("The index cannot be served just now; try again.", retry_after=2)


def _said(process: "subprocess.Popen[bytes]", request: IO[bytes]) -> Iterator[bytes]:
    """Everything git says; however it ends, nothing of it stays."""
    watch = threading.Timer(SECONDS, local_git.end, [process])
    watch.daemon = True
    watch.start()
    feeder = threading.Thread(target=_feed, args=(process, request), name="upload-pack", daemon=True)
    feeder.start()
    try:
        assert process.stdout is not None  # noqa: S101 - asked for
        while piece := process.stdout.read1(PIECE):  # type: ignore[attr-defined]
            yield piece
        feeder.join(5)
    finally:
        watch.cancel()
        local_git.end(process)
        _places.release()


def _feed(process: "subprocess.Popen[bytes]", request: IO[bytes]) -> None:
    """The request, beside the reading: git may answer before it has read all."""
    assert process.stdin is not None  # noqa: S101 - asked for
    try:
        while piece := request.read(PIECE):
            process.stdin.write(piece)
        process.stdin.close()
    except (OSError, ValueError):  # git has heard enough, or is gone
        pass


def _with(first: bytes, pieces: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from pieces


def _extra(protocol: str) -> dict[str, str]:
    return {"GIT_PROTOCOL": protocol} if protocol else {}
