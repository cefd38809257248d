"""What is packed of a repository is what `npm pack` packs of the same folder: the files, their modes, and the same bytes each time."""

import hashlib
import io
import json
import subprocess
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from packages.formats.npm.commits import Place
from packages.formats.npm.names import parse_known
from packages.formats.npm.pulled import truth_of
from packages.formats.publication import StagedFile
from tests.parts.clients import Client
from tests.parts.repository import Repository
from upstreams.clients.git.objects import Objects
from upstreams.services.git.packing import manifest_of, measured, parcel, tarball

pytestmark = pytest.mark.npm

COMMON = (
    "index.js", "lib/a.js", "lib/b.ts", "lib/deep/c.js", "test/t.js", "README.md", "readme.txt", "LICENSE", "Licence.md", "docs/README.md",
    "CHANGELOG.md", ".npmrc", "lib/.npmrc", "package-lock.json", "lib/package-lock.json", "yarn.lock", ".DS_Store", "lib/.DS_Store",
    "x.orig", "._z", ".eslintrc", "dist/out.js", "dist/out.js.map", "node_modules/dep/index.js", "build/config.gypi", "npm-debug.log",
    "copying", ".foo.swp", "lib/CVS/x", "a b.js", "bin/run.js", "ünï.js", ".github/w.yml", "pnpm-lock.yaml", "bun.lockb", "bun.lock",
    ".husky/_/x", "archived-packages/x", "lib/.git-blame-ignore-revs", "License.txt", "readme~", "lib/LICENSE",
)  # fmt: skip


def package(**more: Any) -> dict[str, Any]:
    return {"name": "mod", "version": "1.0.0", **more}


def with_(**files: object) -> dict[str, object]:
    return {"package.json": package(), **{name.replace("__", "/"): text for name, text in files.items()}}


BUNDLED = {
    "package.json": package(bundleDependencies=["dep", "missing"], dependencies={"dep": "1"}),
    "node_modules/dep/package.json": {"name": "dep", "version": "1.0.0", "dependencies": {"sub": "1", "@s/own": "1"}},
    "node_modules/dep/.npmignore": "index.js\n",
    "node_modules/dep/node_modules/@s/own/package.json": {"name": "@s/own", "version": "1.0.0"},
    "node_modules/dep/node_modules/@s/own/x.js": "",
    "node_modules/sub/package.json": {"name": "sub", "version": "1.0.0", "files": ["a.js"]},
    "node_modules/sub/a.js": "",
    "node_modules/sub/b.js": "",
    "node_modules/other/package.json": {"name": "other", "version": "1.0.0"},
}
WORKSPACES = {
    "package.json": package(name="root", workspaces=["packages/*"]),
    "packages/a/package.json": package(name="a"),
    "packages/a/x.js": "",
    "packages/a/y.log": "",
    "packages/a/dist/z.js": "",
    "packages/a/.npmignore": "x.js\n",
    "packages/b/package.json": package(name="b", files=["dist"]),
    "packages/b/dist/q.js": "",
    "packages/b/w.js": "",
    ".gitignore": "*.log\ndist\n",
}
LAYOUTS: dict[str, Mapping[str, object]] = {
    "plain": with_(),
    "a folder and a pattern": {"package.json": package(files=["lib", "dist/*.js"])},
    "a pattern and an exception": {"package.json": package(files=["lib/*", "!lib/deep", "index.js"])},
    "dotted paths": {"package.json": package(files=["./lib/", "/dist"], main="./bin/run.js")},
    "nothing but main": {"package.json": package(files=[], main="lib/a.js")},
    "main without its ending": {"package.json": package(files=["dist"], main="lib/a")},
    "browser": {"package.json": package(files=["dist"], browser="lib/b.ts")},
    "everything of a kind": {"package.json": package(files=["**/*.js"])},
    "everything but tests": {"package.json": package(files=["**/*.js", "!test/**", "!**/deep/**"])},
    "npmignore": {**with_(), ".npmignore": "*.ts\n/test\n# c\n!dist/out.js.map\n*.map\ndocs/\n"},
    "gitignore and an inner npmignore": {**with_(), ".gitignore": "dist\nlib/*\n!lib/a.js\n", "lib/.npmignore": "deep\n"},
    "npmignore beats gitignore": {**with_(), ".gitignore": "dist\n", ".npmignore": "lib\n"},
    "files and an inner npmignore": {"package.json": package(files=["lib"]), "lib/.npmignore": "deep\n*.ts", ".npmignore": "lib/a.js"},
    "files and an inner gitignore": {"package.json": package(files=["lib"]), "lib/.gitignore": "*.ts\n!b.ts\n"},
    "braces": {"package.json": package(files=["*.{js,md}", "lib/{a,b}.*"])},
    "stars and sets": {"package.json": package(files=["lib/**/c.js", "d?st", "[i]ndex.js"])},
    "a star": {"package.json": package(files=["*"])},
    "a dot": {"package.json": package(files=["."])},
    "what is never in": {"package.json": package(files=["lib/deep/c.js", "package-lock.json", "yarn.lock", "lib/package-lock.json"])},
    "ignored and taken back": {**with_(), ".npmignore": "lib/*\n!lib/deep\nlib/deep/*\n!lib/deep/c.js\n*.md\n!docs/*.md\n"},
    "everything ignored": {**with_(), ".npmignore": "**\n!dist/**\n"},
    "only folders": {**with_(), ".npmignore": "lib/\nout.js/\ntest\n"},
    "upper case": {**with_(), ".npmignore": "LIB\nReadme.MD\n"},
    "bundled": BUNDLED,
    "bundled, all": {**BUNDLED, "package.json": package(bundleDependencies=True, dependencies={"sub": "1"})},
}


def repository_of(files: Mapping[str, object], folder: Path) -> Repository:
    made = Repository(folder / "r")
    made.commit({**dict.fromkeys(COMMON, "x"), **files})
    return made


def theirs(client: Client, folder: Path) -> dict[str, int]:
    """What npm itself packs: path -> mode."""
    said = json.loads(client.run("pack", "--json", "--ignore-scripts", cwd=folder).out)
    one = said[0] if isinstance(said, list) else next(iter(said.values()))
    with tarfile.open(folder / one["filename"]) as archive:
        return {member.name: member.mode for member in archive}


def ours(made: Repository, folder: str = "", version: str = "1.0.0") -> bytes:
    place = Place(made.git("rev-parse", "HEAD"), folder)
    with Objects(made.bare, "test") as objects:
        found = parcel(objects, "test", place, version)
        data = b"".join(tarball(objects, "test", found))
        told = measured(objects, "test", found)
        assert told is not None
        assert told.shasum == hashlib.sha1(data, usedforsecurity=False).hexdigest()
    return data


def listed(data: bytes) -> dict[str, int]:
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        assert {member.mtime for member in archive} == {499162500}
        return {member.name: member.mode for member in archive}


@pytest.fixture
def client(tmp_path: Path) -> Client:
    return Client("npm", tmp_path / "home", "http://127.0.0.1:9/")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_same_files_as_npm_pack(layout: str, client: Client, tmp_path: Path) -> None:
    made = repository_of(LAYOUTS[layout], tmp_path)

    assert listed(ours(made)) == theirs(client, made.work)


@pytest.mark.parametrize("folder", ["packages/a", "packages/b"])
def test_the_same_files_of_a_workspace(folder: str, client: Client, tmp_path: Path) -> None:
    made = repository_of(WORKSPACES, tmp_path)

    assert listed(ours(made, folder)) == theirs(client, made.work / folder)


def test_the_same_bytes_each_time_and_commands_can_be_run(tmp_path: Path) -> None:
    made = repository_of({"package.json": package(bin={"run": "./bin/run.js"})}, tmp_path)
    made.git("update-index", "--chmod=+x", "lib/a.js")
    made.git("commit", "--quiet", "-m", "x")
    made.git("push", "--quiet", str(made.bare), "main")
    data = ours(made)

    assert ours(made) == data
    modes = listed(data)
    assert (modes["package/bin/run.js"], modes["package/lib/a.js"], modes["package/index.js"]) == (0o755, 0o755, 0o644)


def test_links_and_submodules_stay_out(tmp_path: Path) -> None:
    made = repository_of(with_(), tmp_path)
    (made.work / "link.js").symlink_to("index.js")
    (made.work / "out").symlink_to("/etc")
    made.git("update-index", "--add", "--cacheinfo", f"160000,{made.git('rev-parse', 'HEAD')},module")
    made.commit({})
    names = listed(ours(made))

    assert not {"package/link.js", "package/out", "package/module"} & set(names)
    assert not [name for name in names if name.startswith(("package/out/", "package/module"))]


def test_a_release_says_its_own_number_and_nothing_else_changes(tmp_path: Path) -> None:
    made = repository_of({"package.json": '{"name":"mod",  "version":"1.0.0", "x": 1.50}\n'}, tmp_path)

    for version, expected in (("1.0.0", b'{"name":"mod",  "version":"1.0.0", "x": 1.50}\n'), ("2.0.0", None)):
        with tarfile.open(fileobj=io.BytesIO(ours(made, version=version))) as archive:
            file = archive.extractfile("package/package.json")
            assert file is not None
            text = file.read()
        assert json.loads(text)["version"] == version
        assert expected is None or text == expected


MANIFESTS: tuple[dict[str, Any], ...] = (
    package(),
    package(bin="./bin/run.js", repository="acme/mod", author="A <a@example.org>", keywords="a b", man="./m.1"),
    package(directories={"bin": "bin"}, dependencies={"a": "acme/a"}, optionalDependencies={"a": "1"}, files=["bin"]),
    package(bundledDependencies=["dep"], scripts={"postinstall": "node x"}, private=True, types="./x.d.ts"),
    package(license={"type": "MIT"}, engines=["node >= 1"], bugs="https://example.org", funding="https://example.org"),
)


@pytest.mark.parametrize("number", range(len(MANIFESTS)))
def test_the_manifest_shown_is_what_the_tarball_says(number: int, tmp_path: Path) -> None:
    made = repository_of({"package.json": MANIFESTS[number], "AUTHORS": "B <b@example.org>\n", "binding.gyp": "{}"}, tmp_path)
    place = Place(made.git("rev-parse", "HEAD"), "")
    version = "0.0.0-git.20240101000000.abcdefabcdef"
    with Objects(made.bare, "test") as objects:
        shown = manifest_of(objects, parcel(objects, "test", place, version), place)
    content = ours(made, version=version)
    file = StagedFile(path=Path(), content=content, size=len(content), sha1="", sha256="", sha512="")

    assert truth_of(parse_known("mod"), version, shown, file)[1] == []


def test_npm_installs_what_was_packed(client: Client, tmp_path: Path) -> None:
    made = repository_of(BUNDLED, tmp_path)
    path = tmp_path / "mod.tgz"
    path.write_bytes(ours(made))

    client.run("install", "--offline", "--no-audit", str(path))

    assert (client.project / "node_modules/mod/node_modules/sub/a.js").exists()
    assert subprocess.run(["tar", "-tzf", str(path)], check=True, capture_output=True, timeout=20).stdout
