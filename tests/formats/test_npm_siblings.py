"""`workspace:` and `catalog:` as they are written down for a registry."""

import pytest

from packages.formats.npm.siblings import catalogs_in, has_words, written_out

HEAD = "0.0.0-git.20240102030405.abcdef012345"
CATALOGS = {"default": {"react": "^18.2.0", "icons": "workspace:^"}, "old": {"react": "^17.0.0"}}


@pytest.mark.parametrize(
    ("word", "release", "head"),
    [
        ("workspace:*", "1.5.0", HEAD),
        ("workspace:", "1.5.0", HEAD),
        ("workspace:^", "^1.5.0", HEAD),
        ("workspace:~", "~1.5.0", HEAD),
        ("workspace:^1.2.0", "^1.2.0", HEAD),
        ("workspace:1.5.0", "1.5.0", HEAD),
        ("workspace:../icons", "1.5.0", HEAD),
        ("workspace:packages/icons", "1.5.0", HEAD),
        ("workspace:@acme/icons@*", "npm:@acme/icons@1.5.0", f"npm:@acme/icons@{HEAD}"),
        ("workspace:others@^", "npm:others@^1.5.0", f"npm:others@{HEAD}"),
        ("workspace:unknown@*", "workspace:unknown@*", "workspace:unknown@*"),
        ("^2.0.0", "^2.0.0", "^2.0.0"),
        ("catalog:", "^1.5.0", HEAD),
        ("catalog:missing", "catalog:missing", "catalog:missing"),
        ("file:../icons", "file:../icons", "file:../icons"),
    ],
)
def test_what_is_written(word: str, release: str, head: str) -> None:
    package = {"name": "app", "dependencies": {"icons": word}, "peerDependencies": {"icons": word}, "scripts": {"x": word}}
    for number, expected, is_exact in (("1.5.0", release, False), (HEAD, head, True)):
        siblings = dict.fromkeys(("icons", "@acme/icons", "others"), number)
        found = written_out(package, lambda name, siblings=siblings: siblings.get(name, ""), CATALOGS, is_exact=is_exact)  # type: ignore[misc]
        assert found["dependencies"] == found["peerDependencies"] == {"icons": expected}
        assert found["scripts"] == {"x": word}
    assert package["dependencies"] == {"icons": word}


def test_catalogs() -> None:
    read = catalogs_in("packages:\n  - packages/*\ncatalog:\n  react: ^18.2.0\ncatalogs:\n  old:\n    react: ^17.0.0\n    x: [1]\n")
    assert read == {"default": {"react": "^18.2.0"}, "old": {"react": "^17.0.0"}}
    package = {"dependencies": {"react": "catalog:"}, "devDependencies": {"react": "catalog:old"}}
    found = written_out(package, lambda _: "", read, is_exact=True)
    assert (found["dependencies"], found["devDependencies"]) == ({"react": "^18.2.0"}, {"react": "^17.0.0"})
    assert [catalogs_in(text) for text in ("", "a: &x b\nc: *x\n", "- 1", "{", "catalogs: 7")] == [{}] * 5


def test_what_has_no_such_words_is_left_alone() -> None:
    assert not has_words({"dependencies": {"a": "^1"}, "scripts": {"b": "workspace:*"}}, "workspace:")
    assert not has_words({"dependencies": ["workspace:*"]}, "workspace:")
    assert has_words({"peerDependencies": {"a": "workspace:^"}}, "workspace:")
