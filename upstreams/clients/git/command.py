"""The program git, kept on a short lead: no set-up but ours, bounded time, output and disk, ended with all it started.

What it says is read and judged, never passed on: it repeats addresses, and servers may write into it.
"""

import contextlib
import functools
import os
import re
import resource
import selectors
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from upstreams.errors import UpstreamBadAnswer, UpstreamTimeout, UpstreamUnreachable

NEEDED = (2, 37)  # the first that can be held to a judged address (http.curloptResolve)
MEMORY = 1024**3  # bytes of its own that git may take
STDERR_KEPT = 16 * 1024
PIECE = 64 * 1024
LOOK = 0.2  # seconds between two looks at the clock and the disk
KEPT = ("PATH", "LD_LIBRARY_PATH", "SSL_CERT_FILE", "SSL_CERT_DIR", "TMPDIR")  # of our own environment
NOWHERE = "/nonexistent"
# Git's own settings for everything it does here. Shapes that old, honest tools wrote are no reason to refuse a repository.
SETTINGS: tuple[tuple[str, str], ...] = (
    ("core.hooksPath", NOWHERE), ("core.fsmonitor", "false"), ("core.askPass", ""), ("core.commitGraph", "false"),
    ("credential.helper", ""), ("protocol.version", "2"), ("gc.auto", "0"), ("maintenance.auto", "false"),
    ("http.followRedirects", "false"), ("http.proxy", ""), ("http.sslVerify", "true"), ("http.saveCookies", "false"),
    ("http.lowSpeedLimit", "1000"), ("http.lowSpeedTime", "30"), ("transfer.bundleURI", "false"),
    ("transfer.fsckObjects", "true"), ("fetch.unpackLimit", "1"), ("fetch.recurseSubmodules", "false"),
    ("submodule.recurse", "false"), ("init.templateDir", ""), ("init.defaultBranch", "main"), ("safe.directory", "*"),
    ("pack.threads", "1"), ("core.bigFileThreshold", "8m"), ("core.packedGitLimit", "128m"),
    ("core.packedGitWindowSize", "8m"), ("core.deltaBaseCacheLimit", "32m"),
    ("fetch.fsck.zeroPaddedFilemode", "ignore"), ("fetch.fsck.badTimezone", "ignore"), ("fetch.fsck.missingSpaceBeforeDate", "ignore"),
    ("fetch.fsck.missingEmail", "ignore"), ("fetch.fsck.missingNameBeforeEmail", "ignore"), ("fetch.fsck.badEmail", "ignore"),
    ("fetch.fsck.badFilemode", "ignore"), ("fetch.fsck.missingTaggerEntry", "ignore"), ("fetch.fsck.nullSha1", "ignore"),
)  # fmt: skip


class GitFailed(Exception):
    """It ended with an error; `said` is the end of what it said, for judging alone."""

    def __init__(self, said: str) -> None:
        super().__init__("git failed")
        self.said = said


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """What one run may take: seconds, bytes it prints, and bytes the watched folder may grow to."""

    upstream: str
    seconds: float
    output: int = 64 * 1024 * 1024
    folder: Path | None = None
    folder_limit: int = 0


def environment(settings: Sequence[tuple[str, str]] = (), **more: str) -> dict[str, str]:
    """What git is started with: nobody's configuration, no questions to a terminal, credentials only in here."""
    kept = {key: value for key, value in os.environ.items() if key in KEPT}
    every = (*SETTINGS, *_authorities(), *settings)
    pairs = {f"GIT_CONFIG_KEY_{number}": key for number, (key, _) in enumerate(every)}
    pairs |= {f"GIT_CONFIG_VALUE_{number}": value for number, (_, value) in enumerate(every)}
    return {
        **kept,
        **pairs,
        "GIT_CONFIG_COUNT": str(len(every)),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_SYSTEM": os.devnull,
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ALLOW_PROTOCOL": "none",
        "GIT_OPTIONAL_LOCKS": "0",
        "HOME": NOWHERE,
        "XDG_CONFIG_HOME": NOWHERE,
        "LC_ALL": "C",
        "LANGUAGE": "C",
        **more,
    }


def _authorities() -> list[tuple[str, str]]:
    """The certificate authorities of the operator's own choice, which our other connections go by too."""
    return [("http.sslCAInfo", os.environ["SSL_CERT_FILE"])] if os.environ.get("SSL_CERT_FILE") else []


@functools.lru_cache(maxsize=1)
def _version(program: str) -> tuple[int, int]:
    said = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=20, check=False).stdout  # noqa: S603 - which() found it
    found = re.search(r"(\d+)\.(\d+)", said)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def program(upstream: str) -> str:
    """Where git is. Raises UpstreamUnreachable when there is none, or an old one."""
    found = shutil.which("git")
    if found is None:
        sentence = f"Upstream {upstream} needs the program git on this machine, which is not installed."
        raise UpstreamUnreachable(sentence, upstream=upstream, cause="program")
    if _version(found) < NEEDED:
        needed = ".".join(map(str, NEEDED))
        raise UpstreamUnreachable(f"Upstream {upstream} needs git {needed} or newer on this machine.", upstream=upstream, cause="program")
    return found


def run(words: Sequence[str], env: Mapping[str, str], bounds: Bounds, *, given: bytes = b"") -> bytes:
    """Run git; what it printed. Raises GitFailed, UpstreamTimeout, UpstreamBadAnswer (too much), UpstreamUnreachable (no git)."""
    with tempfile.TemporaryFile() as stdin:
        stdin.write(given)
        stdin.seek(0)
        process = subprocess.Popen(  # noqa: S603 - words are ours, and addresses have been judged
            [program(bounds.upstream), *words],
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(env),
            start_new_session=True,
        )
    try:
        _limit(process.pid, bounds)
        out, said = _heard(process, bounds)
        code = process.wait(timeout=10)
    finally:
        end(process)
    if code != 0:
        raise GitFailed(said.decode("utf-8", "replace"))
    return out


def _limit(pid: int, bounds: Bounds) -> None:
    """Memory, and the size of any one file, for it and what it starts: refs without end are kept in memory first."""
    if not hasattr(resource, "prlimit"):  # pragma: no cover - other systems than Linux
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        resource.prlimit(pid, resource.RLIMIT_DATA, (MEMORY, MEMORY))
        if bounds.folder_limit:
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (bounds.folder_limit, bounds.folder_limit))


def end(process: "subprocess.Popen[bytes]") -> None:
    """End it and everything it started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            with contextlib.suppress(OSError):
                stream.close()
    process.wait()


def _heard(process: "subprocess.Popen[bytes]", bounds: Bounds) -> tuple[bytes, bytes]:
    """Both streams to their ends, within bounds."""
    until = time.monotonic() + bounds.seconds
    out, said = bytearray(), bytearray()
    with selectors.DefaultSelector() as waiting:
        for stream, kept in ((process.stdout, out), (process.stderr, said)):
            assert stream is not None  # noqa: S101 - PIPE above
            os.set_blocking(stream.fileno(), False)
            waiting.register(stream, selectors.EVENT_READ, kept)
        looked = 0.0
        while waiting.get_map():
            for key, _ in waiting.select(LOOK):
                _read(key.fileobj, key.data, waiting.unregister)
            del said[:-STDERR_KEPT]
            if time.monotonic() > until:
                raise UpstreamTimeout(f"Upstream {bounds.upstream} did not answer in time.", upstream=bounds.upstream)
            if time.monotonic() > looked + LOOK:
                looked = time.monotonic()
                _judge(len(out), bounds)
    return bytes(out), bytes(said)


def _read(stream: Any, kept: bytearray, done: Callable[[Any], object]) -> None:
    piece = os.read(stream.fileno(), PIECE)
    kept.extend(piece)
    if not piece:
        done(stream)


def _judge(printed: int, bounds: Bounds) -> None:
    grown = size_of(bounds.folder) if bounds.folder is not None else 0
    if printed > bounds.output or grown > bounds.folder_limit > 0:
        raise UpstreamBadAnswer(f"The repository of upstream {bounds.upstream} is too large.", upstream=bounds.upstream)


def size_of(folder: Path) -> int:
    """Bytes of everything below a folder, as far as it can be seen."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                total += os.lstat(os.path.join(place, name)).st_size  # noqa: PTH118 - twice as fast, several times a second
    return total


@contextlib.contextmanager
def secret_path(text: str) -> Iterator[str]:
    """A path that only this user may read the text at, and only now: a file in memory where the system has such."""
    if hasattr(os, "memfd_create"):
        handle = os.memfd_create("key", os.MFD_CLOEXEC)
        os.fchmod(handle, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(text.encode())
            file.flush()
            yield f"/proc/{os.getpid()}/fd/{handle}"
        return
    with tempfile.NamedTemporaryFile() as named:  # pragma: no cover - other systems than Linux
        named.write(text.encode())
        named.flush()
        yield named.name
