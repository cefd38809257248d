"""One client with a home of its own: run it, talk with it, or start it and watch."""

import contextlib
import os
import pty
import re
import select
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.parts.clients.families import COMPILED, TOOLS
from tests.parts.clients.install import COMMANDS, installed

COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@dataclass(frozen=True, repr=False)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        """Everything a person saw, without colours."""
        return COLOURS.sub("", f"{self.out}\n{self.err}")

    def __repr__(self) -> str:
        return f"exit {self.code}\n--- out\n{self.out[-3000:]}\n--- err\n{self.err[-3000:]}"


@dataclass
class Client:
    """A tool of `TOOLS` with a home of its own, pointed at one registry."""

    tool: str
    home: Path
    registry: str
    token: str = ""
    env: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        installed()
        self.kind = TOOLS[self.tool]
        self.home.mkdir(parents=True, exist_ok=True)
        self.project = self.home / "project"
        self.project.mkdir(exist_ok=True)
        for path, text in self.kind.files(self).items():
            (self.home / path).write_text(text, encoding="utf-8")

    @property
    def npmrc(self) -> str:
        """The user's .npmrc as it is now."""
        return (self.home / ".npmrc").read_text(encoding="utf-8")

    def environment(self) -> dict[str, str]:
        """A clean environment: nothing of the machine's own npm settings."""
        return {
            "PATH": os.pathsep.join([str(COMMANDS), "/usr/local/bin", "/usr/bin", "/bin"]),
            "HOME": str(self.home),
            "LANG": "C.UTF-8",
            "XDG_CACHE_HOME": str(self.home / ".xdg-cache"),
            "XDG_DATA_HOME": str(self.home / ".xdg-data"),
            "NODE_COMPILE_CACHE": str(COMPILED),
            **self.kind.environment(self),
            **self.env,
        }

    def run(self, *words: str, cwd: Path | None = None, ok: bool = True, stdin: str = "", seconds: float = 120) -> Done:
        """Run one command; asserts that it succeeded unless `ok` is False."""
        done = subprocess.run(
            [*self.kind.words(), *words], cwd=cwd or self.project, env=self.environment(),
            capture_output=True, text=True, timeout=seconds, check=False, input=stdin,
        )  # fmt: skip
        result = Done(done.returncode, done.stdout, done.stderr)
        assert not ok or result.code == 0, f"{self.tool} {' '.join(words)}: {result}"
        return result

    def refused(self, *words: str, cwd: Path | None = None) -> Done:
        """Run one command that must fail."""
        done = self.run(*words, cwd=cwd, ok=False)
        assert done.code != 0, f"{self.tool} {' '.join(words)} was to fail: {done}"
        return done

    def converse(self, *words: str, answers: list[tuple[str, str]], seconds: float = 60) -> Done:
        """Run a command that asks questions: each answer is given when its prompt has been shown. Asserts success."""
        child = self.begin(*words, stdin=subprocess.PIPE)
        assert child.stdin is not None
        assert child.stdout is not None
        said = ""
        for prompt, answer in answers:
            place = len(said)
            while prompt not in said[place:] and (char := child.stdout.read(1)):
                said += char
            child.stdin.write(f"{answer}\n")
            child.stdin.flush()
        said += child.communicate(timeout=seconds)[0]
        assert child.returncode == 0, f"{self.tool} {' '.join(words)}: exit {child.returncode}\n{said}"
        return Done(child.returncode, said, "")

    def at_a_terminal(
        self, *words: str, answers: list[tuple[str, str]], watch: Callable[[str], None] = lambda _: None, seconds: float = 60
    ) -> Done:
        """As `converse`, with a real terminal: yarn and pnpm ask nobody else. `watch` is shown what it said so far.

        Does not assert success.
        """
        ours, theirs = pty.openpty()
        child = subprocess.Popen(
            [*self.kind.words(), *words], cwd=self.project, env={**self.environment(), "TERM": "xterm"},
            stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
        )  # fmt: skip
        os.close(theirs)
        said, left, place, deadline = "", list(answers), 0, time.monotonic() + seconds
        try:
            while (heard := _heard(ours, deadline)) is not None:
                said += COLOURS.sub("", heard)
                watch(said)
                if left and left[0][0] in said[place:]:
                    place = len(said)
                    time.sleep(0.2)  # a prompt is drawn before it listens
                    os.write(ours, f"{left.pop(0)[1]}\r".encode())
            code = child.wait(max(1.0, deadline - time.monotonic()))
        finally:
            os.close(ours)
            child.kill()
        assert not left, f"{self.tool} {' '.join(words)} never asked {left[0][0]!r}:\n{said}"
        return Done(code, said, "")

    def begin(self, *words: str, stdin: int = subprocess.DEVNULL) -> subprocess.Popen[str]:
        """Start a command and let it run; the caller reads and waits."""
        return subprocess.Popen(
            [*self.kind.words(), *words], cwd=self.project, env=self.environment(), text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=stdin, start_new_session=True,
        )  # fmt: skip

    def debug_logs(self) -> str:
        """What npm wrote about its own requests."""
        with contextlib.suppress(OSError):
            return "\n".join(path.read_text(errors="replace") for path in (self.home / ".npm-cache" / "_logs").glob("*.log"))
        return ""


def _heard(terminal: int, deadline: float) -> str | None:
    """The next piece a terminal shows; None when nobody is at its other end or the time is over."""
    if not select.select([terminal], [], [], max(0.0, deadline - time.monotonic()))[0]:
        return None
    try:
        return os.read(terminal, 4096).decode("utf-8", "replace") or None
    except OSError:  # how Linux says that the other end is closed
        return None
