"""What clients ask a token for, as a table."""

import pytest

from packages.formats.oci.scopes import LONGEST, MOST, parse_scopes


@pytest.mark.parametrize(("texts", "expected"), [
    ([], []),
    ([""], []),
    (["repository:acme/main/app:pull"], ["repository:acme/main/app:pull"]),
    (["repository:a/b:pull,push repository:a/c:pull"], ["repository:a/b:pull,push", "repository:a/c:pull"]),
    (["repository:a/b:pull", "repository:a/b:pull,push"], ["repository:a/b:pull,push"]),
    (["repository:a/b:pull repository:a/b:delete"], ["repository:a/b:delete,pull"]),
    (["repository(plugin):a/b:pull"], ["repository:a/b:pull"]),
    (["repository:localhost:5000/a/b:pull"], ["repository:localhost:5000/a/b:pull"]),
    (["registry:catalog:*"], ["registry:catalog:*"]),
    (["repository:a/b:*"], ["repository:a/b:*"]),
    (["repository:a/b:"], ["repository:a/b:"]),
    (["repository:a/b", "repository", ":a:pull", "repository::pull", "  ", "re pository:a:pull"], ["pository:a:pull"]),
    ([f"repository:{'a' * LONGEST}:pull", "repository:b:pull"], ["repository:b:pull"]),
])  # fmt: skip
def test_scopes(texts: list[str], expected: list[str]) -> None:
    assert [str(one) for one in parse_scopes(texts)] == expected


def test_there_is_an_end_to_them() -> None:
    asked = [f"repository:r{number}:pull" for number in range(MOST * 2)]
    found = parse_scopes([" ".join(asked), "repository:r0:push"])
    assert len(found) == MOST
    assert found[0].actions == {"pull", "push"}
