"""Grammars of npm's names, versions and tags, as tables.

Rows N5 and N9 of the threats.
"""

import time

import pytest

from packages.formats.errors import NameInvalid, TagInvalid, VersionInvalid
from packages.formats.npm.names import parse_known, parse_new
from packages.formats.npm.versions import check_tag, check_version, is_same

BAD_NAMES: list[object] = [
    "",
    " ",
    ".",
    "..",
    ".a",
    "_a",
    "A",
    "a b",
    "a/b",
    "@a",
    "@/a",
    "@a/",
    "@a/b/c",
    "@.a/b",
    "@a/.b",
    "@a/_b",
    "a\n",
    "a\0",
    "é",
    "a\u200b",
    "../a",
    "a%2fb",
    "a\\b",
    "x" * 215,
    "x" * 300,
    "@" + "a" * 300 + "/b",
    "node_modules",
    "favicon.ico",
    "__proto__",
    "constructor",
    "prototype",
    "hasownproperty",
    "@constructor/a",
    "@a/constructor",
    "a'b",
    "a(b",
    "a*",
    "a:b",
    "a@1",
    None,
    5,
    ["a"],
    {},
]


@pytest.mark.parametrize("name", BAD_NAMES)
def test_bad_names(name: object) -> None:
    with pytest.raises(NameInvalid):
        parse_new(name)


@pytest.mark.parametrize("name", ["UPPER", "@Acme/Bar", "jQuery", "a'b", "x" * 214, "constructor", "hasOwnProperty", "@types/prototype"])
def test_old_names_may_be_read(name: str) -> None:
    assert parse_known(name).full == name


@pytest.mark.parametrize(
    "name", ["node_modules", "Node_Modules", "@acme/node_modules", "favicon.ico", "_old", ".old", "__proto__", "@_a/b"]
)
def test_names_that_never_were(name: str) -> None:
    with pytest.raises(NameInvalid):
        parse_known(name)


@pytest.mark.parametrize(
    ("said", "version", "expected"),
    [
        ("1.0.0", "1.0.0", True),
        ("v1.0.0", "1.0.0", True),
        ("=1.0.0", "1.0.0", True),
        (" = v1.0.0-rc.1 ", "1.0.0-rc.1", True),
        ("v=v1.0.0", "1.0.0", True),
        ("1.0.1", "1.0.0", False),
        ("v1.0", "1.0.0", False),
        ("x1.0.0", "1.0.0", False),
        ("=" * 300 + "1.0.0", "1.0.0", False),
        (None, "1.0.0", False),
        (1, "1", False),
    ],
)
def test_how_old_manifests_spell_their_version(said: object, version: str, expected: bool) -> None:  # noqa: FBT001 - a table
    assert is_same(said, version) is expected


BAD_VERSIONS: list[object] = [
    "",
    "1",
    "1.0",
    "1.0.0.0",
    "v1.0.0",
    "=1.0.0",
    "01.0.0",
    "1.01.0",
    "1.0.0-",
    "1.0.0+",
    "1.0.0-01",
    "1.0.0-a..b",
    "1.0.0 ",
    " 1.0.0",
    "1.0.0\n",
    "1.0.0\0",
    "latest",
    "*",
    "^1.0.0",
    f"{2**53}.0.0",
    "9" * 400 + ".0.0",
    "1.0.0-" + "a" * 300,
    "\uff11.0.0",
    "../1.0.0",
    "__proto__",
    None,
    1,
    1.0,
    [],
    {},
]


@pytest.mark.parametrize("text", BAD_VERSIONS)
def test_bad_versions(text: object) -> None:
    with pytest.raises(VersionInvalid):
        check_version(text)


@pytest.mark.parametrize("text", ["0.0.0", "1.0.0-0", "1.0.0-a.b-c.0", "1.0.0+b", "1.0.0-x+y.00", f"{2**53 - 1}.0.0"])
def test_good_versions(text: str) -> None:
    assert check_version(text) == text


def test_hostile_versions_cost_nothing() -> None:
    began = time.process_time()
    for text in ("1." * 15_000, "1.0.0-" + "0" * 30_000, "1.0.0-" + "a." * 15_000, "1.0.0-" + "-" * 30_000, "1.0.0-" + "1." * 120 + "!"):
        with pytest.raises(VersionInvalid):
            check_version(text)
    assert time.process_time() - began < 0.05


BAD_TAGS: list[object] = [
    "",
    "1.0.0",
    "v1",
    "v1.2.3",
    "x",
    "1.x",
    "^1",
    ">1",
    "a b",
    "a/b",
    "a\n",
    "é",
    "x" * 129,
    "__proto__",
    "constructor",
    "-a",
    "..",
    None,
    5,
]


@pytest.mark.parametrize("tag", BAD_TAGS)
def test_bad_tags(tag: object) -> None:
    with pytest.raises(TagInvalid):
        check_tag(tag)


@pytest.mark.parametrize("tag", ["latest", "next", "beta.1", "release-2", "v", "vnext"])
def test_good_tags(tag: str) -> None:
    assert check_tag(tag) == tag
