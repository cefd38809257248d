"""Lines of ignore files: what they mean, and that no line makes the reader slow."""

import time

import pytest

from packages.formats.npm.rules import Asked, lines_of, rules_of

FILE, NAMED, FOLDER = Asked.FILE, Asked.NAMED, Asked.FOLDER


def left(text: str, path: str, asked: Asked = FILE) -> bool:
    return rules_of(lines_of(text)).judge(path, asked, included=True)


@pytest.mark.parametrize(
    ("text", "out", "kept"),
    [
        ("*.ts", ("a.ts", "b/c.ts", ".ts", "A.TS"), ("a.tsx", "ts")),
        ("/test", ("test",), ("b/test", "tests")),
        ("test", ("test", "a/test"), ("test/x", "tests")),
        ("a/b", ("a/b",), ("x/a/b", "a/b/c")),
        ("a/**", ("a/b", "a/b/c"), ("b/a/c",)),
        ("**/a", ("a", "x/a", "x/y/a"), ("a/b",)),
        ("a/**/b", ("a/b", "a/x/b", "a/x/y/b"), ("a/x", "b")),
        ("**/a/**", ("a/b", "x/a/b/c"), ("a",)),
        ("a/**/b/**/c", ("a/b/c", "a/x/b/y/z/c"), ("a/c", "b/c")),
        ("?.js", ("a.js",), ("ab.js", ".js")),
        ("[a-c].js", ("b.js", "B.js"), ("d.js",)),
        ("[!a].js", ("b.js",), ("a.js",)),
        ("{a,b/{c,d}}", ("a", "b/c", "b/d"), ("c", "b")),
        ("*.md\n!docs/*.md", ("a.md", "x/a.md"), ("docs/a.md",)),
        ("# a\n\n  \n#b", (), ("a", "b", "# a")),
        ("!!a", ("a",), ("b",)),
        ("a\\*", ("a*",), ("ab",)),
        ("[", (), ("a",)),
        ("dir/", (), ("dir", "dir/a")),
    ],
)
def test_what_a_line_leaves_out(text: str, out: tuple[str, ...], kept: tuple[str, ...]) -> None:
    assert [path for path in out if left(text, path)] == []
    assert [path for path in kept if not left(text, path)] == []


def test_a_folder_is_entered_while_something_in_it_may_be_in() -> None:
    rules = rules_of(("*", "!lib/deep/*.js", "!**/x"))
    assert rules.judge("lib", FOLDER, included=True)
    assert rules.judge("lib/deep", FOLDER, included=True)
    assert rules.judge("other", FOLDER, included=True), "for x may be there"
    assert not rules.judge("lib", FILE, included=True)
    assert not rules_of(("*", "!lib/deep/*.js")).judge("other", FOLDER, included=True)
    assert not left("dir/", "a/dir", FOLDER)
    assert not left("a/**", "a", NAMED)


@pytest.mark.parametrize(
    "line",
    [
        "*a" * 400 + "b",
        "**/a/" * 180 + "b",
        "{" + ",".join("a" * 3) + "}" * 50,
        "{a,b}" * 150,
        "[" * 900,
        "!" * 900 + "*a*a*a*a*a*b",
        "*" * 900,
        "?" * 900,
        "x" * 5000,
    ],
)
def test_no_line_is_slow(line: str) -> None:
    begun = time.process_time()
    for path in ("a/" * 2000 + "a", "a" * 4000, "/".join("aaaaaaaaaa" for _ in range(300))):
        for asked in Asked:
            left(line, path, asked)

    assert time.process_time() - begun < 5, "bounded; most take milliseconds"
