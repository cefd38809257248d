"""A repository with two modules, a branch `feat` and a tag `v1.2.0`, whose scripts would leave a trace if they ever ran."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.parts.gate import Place, made
from tests.parts.repository import GitServer, Repository

USER, PASSWORD = "deploy", "a-secret-of-the-forge"
ANYBODY = {"auth_type": "none", "username": "", "secret": ""}


@dataclass
class Modules:
    """The repository, its commits, and what its scripts would write."""

    repository: Repository
    trace: Path
    released: str
    main: str
    feat: str


def manifest(name: str, trace: Path, **more: Any) -> dict[str, Any]:
    """A package.json with every script there is."""
    scripts = {script: f"echo {script} >> {trace}" for script in ("prepare", "prepack", "prepublishOnly", "postpack")}
    return {"name": name, "version": "1.0.0", "main": "index.js", "scripts": scripts, **more}


@pytest.fixture
def modules(tmp_path: Path) -> Modules:
    repository = Repository(tmp_path / "forge")
    trace = tmp_path / "a-script-ran"
    released = repository.commit(
        {
            "package.json": {"name": "roof", "private": True, "version": "0.0.0", "workspaces": ["packages/*"]},
            "packages/mod/package.json": manifest("mod", trace),
            "packages/mod/index.js": "module.exports = 'released';\n",
            "packages/mod/README.md": "# mod\n\nA module.\n",
            "packages/mod/.npmignore": "secret.txt\n",
            "packages/mod/secret.txt": "not for anybody",
            "packages/other/package.json": manifest("@acme/other", trace, files=["lib"]),
            "packages/other/lib/index.js": "module.exports = 'other';\n",
            "packages/mod/test/fixtures/package.json": {"name": "left-pad", "version": "9.9.9"},
        }
    )
    repository.tag("v1.2.0")
    feat = repository.commit({"packages/mod/index.js": "module.exports = 'feat';\n"}, branch="feat")
    repository.git("checkout", "--quiet", "main")
    main = repository.commit({"packages/mod/index.js": "module.exports = 'main';\n"})
    return Modules(repository, trace, released, main, feat)


@pytest.fixture
def forge(modules: Modules) -> Iterator[GitServer]:
    """The repository over HTTP, with a password."""
    with GitServer(modules.repository.folder, username=USER, password=PASSWORD) as server:
        yield server


@pytest.fixture
def open_forge(forge: GitServer) -> GitServer:
    """The same without a password: with one an internal upstream needs patterns."""
    forge.wanted = ""
    return forge


@pytest.fixture
def add_git(forge: GitServer) -> Callable[..., dict[str, Any]]:
    """Add the repository as an upstream."""

    def add(place: Place, name: str = "modules", **fields: Any) -> dict[str, Any]:
        wish = {"name": name, "kind": "git", "format": "npm", "url": f"{forge.url}/modules.git", "priority": 10}
        signs_in = {"auth_type": "basic", "username": USER, "secret": PASSWORD}
        return made(place.api().post(place.rest + "upstreams/", {**wish, **signs_in, **fields}))

    return add
