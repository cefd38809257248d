"""A Git repository as an upstream, with real npm: versions, tags, bytes, and what happens when it changes or goes away."""

import io
import json
import tarfile
from collections.abc import Callable
from typing import Any

import pytest

from tests.git.conftest import Modules
from tests.parts.clients import Client
from tests.parts.gate import Place

pytestmark = pytest.mark.npm
Add = Callable[..., dict[str, Any]]
Npm = Callable[..., Client]


def test_versions_and_tags(place: Place, modules: Modules, add_git: Add, npm: Npm) -> None:
    add_git(place)
    bob = npm(place, "bob")
    main, feat = modules.repository.version(modules.main), modules.repository.version(modules.feat)

    shown = json.loads(bob.run("view", "mod", "versions", "dist-tags", "--json").out)

    assert sorted(shown["versions"]) == sorted([main, feat, "1.2.0"])
    assert shown["dist-tags"] == {"latest": main, "main": main, "feat": feat}


@pytest.mark.parametrize(("wanted", "text"), [("latest", "main"), ("feat", "feat"), ("1.2.0", "released")])
def test_install(place: Place, modules: Modules, add_git: Add, npm: Npm, wanted: str, text: str) -> None:
    add_git(place)
    bob = npm(place, "bob")

    bob.run("install", f"mod@{wanted}")

    installed = bob.project / "node_modules" / "mod"
    assert text in (installed / "index.js").read_text()
    assert not (installed / "secret.txt").exists()
    assert json.loads((installed / "package.json").read_text())["version"] == (
        "1.2.0" if wanted == "1.2.0" else json.loads(bob.run("view", f"mod@{wanted}", "version", "--json").out)
    )
    lock = json.loads((bob.project / "package-lock.json").read_text())
    assert lock["packages"]["node_modules/mod"]["integrity"].startswith("sha512-")
    assert not modules.trace.exists(), "a script of the repository ran"


def test_every_module_of_the_default_branch_and_no_example(place: Place, modules: Modules, add_git: Add) -> None:
    add_git(place)

    assert "1.2.0" in place.versions("@acme/other")
    assert place.as_("rita").get("/left-pad").status == 404
    assert place.as_("rita").get("/roof").status == 404
    tarball = place.as_("rita").get("/@acme/other/-/other-1.2.0.tgz")
    with tarfile.open(fileobj=io.BytesIO(tarball.body)) as archive:
        assert sorted(archive.getnames()) == ["package/lib/index.js", "package/package.json"]
