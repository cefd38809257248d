"""The real application: which packages it needs, kept once so that every server of every run has the same ones."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from bench import ROOT, TOOLS
from bench.clients import QUIET, Project
from bench.kept import HERE, Kept, outside
from bench.tools import NODE, NPM, PINS, PNPM
from bench.upstream import Upstream

APPLICATION = ROOT / "bench" / "application" / "package.json"
FOLDER = TOOLS / "kept"
TELLING = FOLDER / "application.json"
Json = dict[str, Any]


@dataclass(frozen=True)
class Closure:
    """What installing the application asks for. `lock` has the placeholder's addresses."""

    lock: Json
    asked: tuple[tuple[str, bool], ...]  # (path, whether in the abbreviated form)

    @property
    def manifest(self) -> Json:
        """The application's package.json."""
        read: Json = json.loads(APPLICATION.read_text(encoding="utf-8"))
        return read

    @property
    def versions(self) -> dict[str, str]:
        """Package -> the version at the top of the tree, or any."""
        found: dict[str, str] = {}
        for path, one in self.lock["packages"].items():
            if path and one.get("resolved", "").startswith(HERE):
                name = one["resolved"][len(HERE) + 1 :].partition("/-/")[0]
                found.setdefault(name, one["version"])
        return found

    def integrity(self, path: str) -> str:
        """The SRI of a tarball the application installs; empty for another."""
        return self._integrities.get(path, "")

    @property
    def _integrities(self) -> dict[str, str]:
        return {one["resolved"][len(HERE) + 1 :]: one["integrity"] for one in self.lock["packages"].values() if "integrity" in one}

    def lock_for(self, registry: str, kind: str) -> Json:
        """The lock file as made at `registry` ("full"), or without addresses ("bare")."""
        packages = {}
        for path, one in self.lock["packages"].items():
            own = dict(one)
            if "resolved" in own and kind == "bare":
                del own["resolved"]
            elif "resolved" in own:
                own["resolved"] = registry + own["resolved"][len(HERE) + 1 :]
            packages[path] = own
        return {**self.lock, "packages": packages}


def kept_closure() -> Closure | None:
    """The closure if it is kept already and is still the application's."""
    if not TELLING.exists():
        return None
    read = json.loads(TELLING.read_text(encoding="utf-8"))
    return Closure(read["lock"], tuple((path, short) for path, short in read["asked"])) if read["of"] == _stamp() else None


def keep() -> Closure:
    """Install the application once through a stand-in that fetches and keeps what is asked. Raises Failed, or urllib3's errors."""
    kept = Kept(FOLDER, outside([str(NODE), str(NPM)]))
    with Upstream(kept) as upstream:
        project = Project(TOOLS / "keeping", f"{upstream.url}/")
        try:
            project.put("package.json", json.loads(APPLICATION.read_text(encoding="utf-8")))
            project.run(NPM, "install", *QUIET)
            lock = json.loads(json.dumps(project.get("package-lock.json")).replace(upstream.url, HERE))
            other = Project(TOOLS / "keeping-pnpm", f"{upstream.url}/")
            other.put("package.json", project.get("package.json"))
            other.run(PNPM, "install", "--ignore-scripts", "--reporter", "silent")
            other.remove()
        finally:
            project.remove()
    told = {"of": _stamp(), "lock": lock, "asked": list(upstream.asked)}
    TELLING.write_text(json.dumps(told), encoding="utf-8")
    return Closure(lock, tuple(upstream.asked))


def _stamp() -> str:
    return hashlib.sha256(APPLICATION.read_bytes() + PINS.read_bytes()).hexdigest()
