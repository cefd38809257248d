"""Patterns: what `*` and `?` mean, against a naive reading of them, and that no pattern takes long."""

import itertools

import pytest

from workspaces.access import matches


def naive(pattern: str, name: str) -> bool:
    """The meaning, spelled out."""
    if not pattern:
        return not name
    if pattern[0] == "*":
        return any(naive(pattern[1:], name[start:]) for start in range(len(name) + 1))
    return bool(name) and pattern[0] in {"?", name[0]} and naive(pattern[1:], name[1:])


@pytest.mark.parametrize(
    ("pattern", "name", "expected"),
    [
        ("*", "", True),
        ("*", "@acme/any\nthing", True),
        ("@acme/*", "@acme/", True),
        ("@acme/*", "@acmee/x", False),
        ("a?c", "a/c", True),
        ("a?c", "a\nc", True),
        ("a?c", "ac", False),
        ("a.c", "abc", False),
        ("*.js", "x.js\n", False),
        ("@Acme/*", "@aCME/Foo", True),
        ("*ab*ab", "ab", False),
        ("*ab*ab", "abab", True),
        ("[a]*", "a", False),
        ("a**b", "ab", True),
    ],
)
def test_what_a_pattern_means(pattern: str, name: str, expected: bool) -> None:  # noqa: FBT001 - a table
    assert matches(pattern, name) is expected
    assert naive(pattern.lower(), name.lower()) is expected


def test_every_short_pattern_means_what_it_says() -> None:
    patterns = ["".join(word) for length in range(5) for word in itertools.product("ab*?", repeat=length)]
    names = ["".join(word) for length in range(5) for word in itertools.product("ab", repeat=length)]
    wrong = [(pattern, name) for pattern in patterns for name in names if matches(pattern, name) is not naive(pattern, name)]
    assert wrong == []


@pytest.mark.timeout(20)
@pytest.mark.parametrize("pattern", ["*a" * 60 + "*b", "*a*" * 60 + "b", "*?" * 60 + "b", "*" * 200 + "b", "a*" * 107 + "b"])
def test_no_pattern_takes_long(pattern: str) -> None:
    assert not matches(pattern, "a" * 214)
    assert matches(pattern, "a" * 213 + "b")
