"""What npm makes of a package.json, as tables; and which differences count. npm's own answers were taken from `npm publish` 6 to 12."""

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from packages.formats.errors import ContentInvalid
from packages.formats.npm.contents import look_into
from packages.formats.npm.differences import LIMIT, TEXT, differences
from packages.formats.npm.manifest import describe
from packages.formats.npm.names import parse_known
from packages.formats.npm.normalise import clean_version, inside, normalise
from packages.formats.npm.pulled import truth_of
from packages.formats.npm.repositories import known
from packages.formats.publication import StagedFile
from tests.parts.pack import tar_gz

HUB = {
    "repository": {"type": "git", "url": "git+https://github.com/acme/thing.git"},
    "bugs": {"url": "https://github.com/acme/thing/issues"},
    "homepage": "https://github.com/acme/thing#readme",
}
TABLE: list[tuple[dict[str, Any], tuple[str, ...], dict[str, Any]]] = [
    ({"name": "a", "bin": "./cli.js"}, (), {"name": "a", "bin": {"a": "cli.js"}}),
    ({"name": "@acme/a", "bin": "cli.js"}, (), {"name": "@acme/a", "bin": {"a": "cli.js"}}),
    ({"bin": {"a": "./bin/a.js", "b": "../b.js", "x/y": "c.js", "n": 5}}, (), {"bin": {"a": "bin/a.js", "b": "b.js", "y": "c.js"}}),
    ({"bin": ["./x/one.js"]}, (), {"bin": {"one.js": "x/one.js"}}),
    ({"bin": {}}, (), {}),
    ({"bin": 5}, (), {}),
    (
        {"directories": {"bin": "./tools"}},
        ("tools/one", "tools/deep/two.js", "tools/.hidden", "other"),
        {"directories": {"bin": "./tools"}, "bin": {"one": "tools/one", "two.js": "tools/deep/two.js"}},
    ),
    ({"directories": {"man": "man"}}, ("man/a.1", "man/readme"), {"directories": {"man": "man"}, "man": ["man/a.1"]}),
    ({"man": "./a.1"}, (), {"man": ["a.1"]}),
    ({}, ("binding.gyp",), {"scripts": {"install": "node-gyp rebuild"}, "gypfile": True}),
    ({"gypfile": False}, ("binding.gyp",), {"gypfile": False}),
    ({"scripts": {"preinstall": "x"}}, ("binding.gyp",), {"scripts": {"preinstall": "x"}}),
    ({}, ("src/binding.gyp",), {}),
    ({"scripts": {"test": "./node_modules/.bin/mocha", "bad": 5}}, (), {"scripts": {"test": "mocha"}}),
    ({"scripts": "nonsense"}, (), {}),
    ({}, ("server.js",), {"scripts": {"start": "node server.js"}}),
    ({"repository": "acme/thing"}, (), HUB),
    ({"repository": {"type": "git", "url": "https://github.com/acme/thing"}}, (), HUB),
    ({"repositories": ["acme/thing"]}, (), {"repositories": ["acme/thing"], **HUB}),
    ({"repository": "git@github.com:acme/thing.git"}, (), {**HUB, "repository": {"type": "git", "url": "git+ssh://git@github.com/acme/thing.git"}}),
    ({"repository": "https://git.example.org/x.git"}, (), {"repository": {"type": "git", "url": "https://git.example.org/x.git"}}),
    ({"bugs": "bugs@example.org"}, (), {"bugs": {"email": "bugs@example.org"}}),
    ({"bugs": {"web": "https://x.example.org/", "email": 5}}, (), {"bugs": {"url": "https://x.example.org/"}}),
    ({"homepage": "example.org"}, (), {"homepage": "http://example.org"}),
    ({"keywords": "one, two"}, (), {"keywords": ["one", "two"]}),
    ({"keywords": ["one", 5, ""], "files": ["a", None]}, (), {"keywords": ["one"], "files": ["a"]}),
    ({"author": "Ann <a@b.c> (https://d.e)"}, (), {"author": {"name": "Ann", "email": "a@b.c", "url": "https://d.e"}}),
    ({"dependencies": ["a@1", "b >=2"]}, (), {"dependencies": {"a": "1", "b": ">=2"}}),
    ({"dependencies": {"a": "acme/a", "b": 5}}, (), {"dependencies": {"a": "github:acme/a"}}),
    (
        {"dependencies": {"a": "1", "o": "2"}, "optionalDependencies": {"o": "2"}}, (),
        {"dependencies": {"a": "1"}, "optionalDependencies": {"o": "2"}},
    ),
    ({"bundledDependencies": ["a"]}, (), {"bundleDependencies": ["a"], "dependencies": {"a": "*"}}),
    ({"bundleDependencies": True, "dependencies": {"a": "1"}}, (), {"bundleDependencies": ["a"], "dependencies": {"a": "1"}}),
    ({"bundleDependencies": False}, (), {}),
    ({"main": "lib/x.js"}, ("lib/x.js", "lib/x.d.ts"), {"main": "lib/x.js", "types": "./lib/x.d.ts"}),
    ({"_hidden": 1, "modules": {}, "description": 5}, (), {}),
]  # fmt: skip


@pytest.mark.parametrize(("package", "files", "expected"), TABLE, ids=[json.dumps(row[0])[:60] for row in TABLE])
def test_as_npm_does(package: dict[str, Any], files: tuple[str, ...], expected: dict[str, Any]) -> None:
    before = json.dumps(package)
    assert normalise(package, files) == expected
    assert json.dumps(package) == before, "what is normalised is not changed itself"
    assert normalise(expected, files) == expected, "once is enough"
    assert differences(normalise(package, files), package, normalise(package, files)) == []
    assert differences(package, package, normalise(package, files)) == [], "a client that does nothing tells no lie"


def test_authors_and_descriptions() -> None:
    assert normalise({}, (), "# us\nAnn <a@b.c>\n\nBo\n")["contributors"] == [{"name": "Ann", "email": "a@b.c"}, {"name": "Bo"}]
    assert describe("# heading\n\nWhat this\nis.\n\nMore.") == "What this is."
    assert describe("# heading only") == ""


@pytest.mark.parametrize(
    ("said", "clean"),
    [
        ("1.2.3", "1.2.3"),
        (" =v1.2.3 ", "1.2.3"),
        ("1.2.3beta", "1.2.3-beta"),
        ("01.2.3", "1.2.3"),
        ("1.2.3+b", "1.2.3"),
        ("1.2", ""),
        (5, ""),
    ],
)
def test_versions_as_npm_cleans_them(said: object, clean: str) -> None:
    assert clean_version(said) == clean


@pytest.mark.parametrize(
    ("path", "kept"), [("../../x", "x"), ("/x", "x"), ("c:\\x", "c/x"), ("./a/../b", "b"), ("..", ""), ("bin/", "bin/")]
)
def test_no_path_leads_out(path: str, kept: str) -> None:
    assert inside(path) == kept


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=8) | st.sampled_from(["acme/x", "./a", "1.0.0", "gist:1"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
FIELDS = sorted({key for row in TABLE for key in row[0]} | {"engines", "os", "license", "funding", "peerDependencies", "directories"})


@settings(max_examples=150, deadline=None)
@given(package=st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=6), other=st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=6))
def test_nothing_said_is_too_odd(package: dict[str, Any], other: dict[str, Any]) -> None:
    truth = normalise(package, ("binding.gyp", "a/b"))
    assert normalise(truth, ("binding.gyp", "a/b")) == truth
    assert differences(package, package, normalise(package)) == []
    for one in differences(other, package, truth):
        json.dumps(one)
        assert "\0" not in json.dumps(one)


def test_differences_are_bounded() -> None:
    many = {f"dependency-{number:03}": "x" * 5000 for number in range(200)}
    found = differences({"dependencies": many}, {}, {})
    assert len(found) == LIMIT + 1
    assert all(len(one["document"]) <= TEXT + 1 for one in found)
    assert found[-1] == {"field": "…", "document": "and 150 more", "tarball": None}
    assert differences({"scripts": {"a\0b": "c\0d"}}, {}, {}) == [{"field": "scripts.a\ufffdb", "document": "c\ufffdd", "tarball": None}]


@pytest.mark.parametrize(
    "text", ["acme/thing", "https://github.com/acme/thing/tree/main", "git@github.com:acme/thing.git", "github:acme/thing"]
)
def test_one_place_in_many_spellings(text: str) -> None:
    found = known(text)
    assert found is not None
    assert found.page == "https://github.com/acme/thing"


@pytest.mark.parametrize(
    "text", ["./acme/thing", "@acme/thing", "a/b/c", "https://example.org/a/b", "1.x || 2.x", "x" * 5000, "~1.2", "file:../x/y"]
)
def test_no_repository(text: str) -> None:
    assert known(text) is None


def written(*files: tuple[str, bytes]) -> StagedFile:
    return of(tar_gz(dict(files)))


def of(content: bytes) -> StagedFile:
    return StagedFile(path=Path(), content=content, size=len(content), sha1="", sha256="", sha512="")


def test_of_two_package_json_the_later_is_installed() -> None:
    first, second = (json.dumps({"name": "a", "version": "1.0.0", "scripts": {"install": word}}).encode() for word in ("good", "evil"))
    file = written(("package/package.json", first), ("other/package.json", second))
    manifest, found = truth_of(parse_known("a"), "1.0.0", json.loads(first), file)
    assert manifest["scripts"] == {"install": "evil"}
    assert [one["field"] for one in found] == ["scripts.install"]


def test_a_build_nobody_mentioned() -> None:
    package = {"name": "a", "version": "1.0.0"}
    file = written(("package/package.json", json.dumps(package).encode()), ("package/binding.gyp", b"{}"))
    manifest, found = truth_of(parse_known("a"), "1.0.0", package, file)
    assert manifest["hasInstallScript"] is True
    assert [one["field"] for one in found] == ["hasInstallScript"]
    said = {**package, "scripts": {"install": "node-gyp rebuild"}, "gypfile": True}
    assert truth_of(parse_known("a"), "1.0.0", said, file) == (said, [])


@pytest.mark.parametrize("tail", [b"\0" * 100, b"garbage"])
def test_bytes_behind_the_end_are_passed_over(tail: bytes) -> None:
    content = tar_gz({"package/package.json": b'{"name":"a"}'})
    assert look_into(BytesIO(content + tail)).package == {"name": "a"}
    with pytest.raises(ContentInvalid):
        look_into(BytesIO(content + tar_gz({"package/package.json": b'{"name":"b"}'})))
