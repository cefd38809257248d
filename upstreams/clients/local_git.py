"""The real git on this machine, over repositories of our own in DATA_DIR: no network, no configuration but ours, bounded.

`run` waits for the end, `begin` gives the process, which `end` ends with all it started. Nothing an upstream or a client
sends becomes a word of a command, but the path of a module whose name has been judged.
"""

import contextlib
import resource
import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from upstreams.clients.git.command import end, environment
from workspaces.errors import Unavailable

SECONDS = 60.0
MEMORY = 1024 * 1024 * 1024  # bytes of its own that git may take
LARGEST = 2 * 1024 * 1024 * 1024  # bytes of a file it writes
OUTPUT_LIMIT = 64 * 1024 * 1024  # bytes


class GitMissing(Unavailable):
    """There is no git on this machine."""

    code = "git_missing"


class GitFailed(Exception):
    """git ended with an error, or could not begin; what it said is not repeated."""


def begin(folder: Path, *words: str, extra: Mapping[str, str] | None = None, stdin: int = subprocess.DEVNULL) -> "subprocess.Popen[bytes]":
    """Git in the bare repository `folder`. Raises GitMissing, and GitFailed where there is no such folder."""
    program = _git()
    try:
        process = subprocess.Popen(  # noqa: S603 - words of ours alone
            [program, *words],
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=folder,
            env={**environment(GIT_DIR=str(folder)), **(extra or {})},
            start_new_session=True,
        )
    except OSError:
        raise GitFailed(f"git {words[0]} could not be started") from None
    if hasattr(resource, "prlimit"):  # a pack may be made to unfold into more than there is memory
        with contextlib.suppress(ProcessLookupError, PermissionError):
            resource.prlimit(process.pid, resource.RLIMIT_DATA, (MEMORY, MEMORY))
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (LARGEST, LARGEST))
    return process


def run(folder: Path, *words: str, extra: Mapping[str, str] | None = None, send: bytes = b"", seconds: float = SECONDS) -> bytes:
    """What git says. Raises GitFailed, GitMissing."""
    process = begin(folder, *words, extra=extra, stdin=subprocess.PIPE)
    try:
        said, _ = process.communicate(send, timeout=seconds)
    except subprocess.TimeoutExpired:
        raise GitFailed(f"git {words[0]} took too long") from None
    finally:
        end(process)
    if process.returncode != 0 or len(said) > OUTPUT_LIMIT:
        raise GitFailed(f"git {words[0]} failed")
    return said


def feed(folder: Path, words: Sequence[str], pieces: Iterable[bytes]) -> bytes:
    """Give git what comes, piece by piece; its own bounds apply. Raises GitFailed, GitMissing, and what `pieces` raises."""
    process = begin(folder, *words, stdin=subprocess.PIPE)
    try:
        assert process.stdin is not None  # noqa: S101 - asked for
        with contextlib.suppress(BrokenPipeError):
            for piece in pieces:
                process.stdin.write(piece)
        said, _ = process.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        raise GitFailed(f"git {words[0]} took too long") from None
    finally:
        end(process)
    if process.returncode != 0:
        raise GitFailed(f"git {words[0]} failed")
    return said


def new_repository(folder: Path) -> None:
    """An empty bare repository, without templates. Raises GitFailed, GitMissing."""
    folder.mkdir(parents=True, exist_ok=True)
    run(folder, "init", "--bare", "--quiet", "--template=", str(folder))


def _git() -> str:
    found = shutil.which("git")
    if found is None:
        raise GitMissing("There is no git on this machine, which MoonBit's index needs; an operator has to install it.", retry_after=None)
    return found


__all__ = ["GitFailed", "GitMissing", "begin", "end", "feed", "new_repository", "run"]
