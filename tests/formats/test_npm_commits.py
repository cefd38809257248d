"""Numbers and tags of what comes from a repository."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packages.formats.npm.commits import Head, Place, listed, number_of, release_of, tag_of
from packages.formats.npm.names import parse_known
from packages.formats.npm.versions import check_tag, is_version, sort_key

MOD, SCOPED = parse_known("mod"), parse_known("@acme/mod")
HEX = st.text("0123456789abcdef", min_size=40, max_size=40)
STAMP = st.datetimes().map(lambda at: at.strftime("%Y%m%d%H%M%S"))


@given(HEX, STAMP)
def test_a_number_is_a_version(commit: str, stamp: str) -> None:
    assert is_version(number_of(commit, stamp))


@given(HEX, HEX, STAMP, STAMP)
def test_a_later_commit_sorts_higher(one: str, other: str, first: str, second: str) -> None:
    low, high = sorted([first, second], key=int)
    if int(low) < int(high):
        assert sort_key(number_of(one, low)) < sort_key(number_of(other, high))


@pytest.mark.parametrize(
    ("commit", "ends"),
    [
        ("abcdef0123456789" + "0" * 24, ".abcdef012345"),
        ("012345678901234a" + "0" * 24, ".012345678901234a"),
        ("1" * 12 + "b" + "0" * 27, ".111111111111b"),
    ],
)
def test_as_many_digits_as_make_it_no_number(commit: str, ends: str) -> None:
    assert number_of(commit, "20240102030405") == f"0.0.0-git.20240102030405{ends}"


@pytest.mark.parametrize(
    ("tag", "name", "version"),
    [
        ("v1.2.0", MOD, "1.2.0"),
        ("1.2.0", MOD, "1.2.0"),
        ("v1.2.0-rc.1", MOD, "1.2.0-rc.1"),
        ("mod@1.2.0", MOD, "1.2.0"),
        ("@acme/mod@1.2.0", SCOPED, "1.2.0"),
        ("mod@1.2.0", SCOPED, None),
        ("other@1.2.0", MOD, None),
        ("mod@v1.2.0", MOD, None),
        ("v1.2", MOD, None),
        ("1.2.0.4", MOD, None),
        ("v01.2.0", MOD, None),
        ("1.2.0+build", MOD, None),
        ("release-1.2.0", MOD, None),
        ("vv1.2.0", MOD, None),
        ("mod@", MOD, None),
    ],
)
def test_tags_that_name_a_version(tag: str, name: object, version: str | None) -> None:
    found = release_of(tag, name)  # type: ignore[arg-type]
    assert (found[1] if found else None) == version


@pytest.mark.parametrize(
    ("branch", "tag"),
    [
        ("main", "main"),
        ("feat/new-things", "feat-new-things"),
        ("fix#12: it", "fix-12-it"),
        ("v2", "branch-v2"),
        ("1.x", "branch-1.x"),
        ("1.2.0", "branch-1.2.0"),
        ("x", "branch-x"),
        ("latest", "branch-latest"),
        ("constructor", "branch-constructor"),
        ("ünï", "n"),
        ("über", "ber"),
        ("日本", None),
        ("a" * 300, "a" * 100),
    ],
)
def test_a_branch_is_a_tag(branch: str, tag: str | None) -> None:
    assert tag_of(branch) == tag


@given(st.text(min_size=1))
def test_a_tag_is_one_npm_takes(branch: str) -> None:
    found = tag_of(branch)
    assert found is None or check_tag(found) == found


def test_what_is_listed() -> None:
    places = {"a" * 40: Place("a" * 40, "x"), "b" * 40: Place("b" * 40, "y")}
    stamps = {"a" * 40: "20240101000000", "b" * 40: "20230101000000"}
    heads = [Head(branch="main", commit="a" * 40), Head(branch="feat/a", commit="b" * 40), Head(branch="feat-a", commit="a" * 40)]
    heads.append(Head(branch="gone", commit="c" * 40))
    tags = {"v1.0.0": "a" * 40, "1.0.0": "b" * 40, "v2.0.0": "a" * 40, "mod@2.0.0": "b" * 40, "v3.0.0": "c" * 40}

    found = listed(MOD, heads, tags, places, stamps)

    main, feat = number_of("a" * 40, "20240101000000"), number_of("b" * 40, "20230101000000")
    assert found.tags == {"latest": main, "main": main, "feat-a": feat}
    assert {version: place.folder for version, place in found.versions.items()} == {main: "x", feat: "y", "1.0.0": "y", "2.0.0": "y"}
