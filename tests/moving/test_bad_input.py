"""What cannot be meant is 400 with the field, and changes nothing."""

from typing import Any

import pytest

from tests.moving.street import Street

WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no name": ({"name": None}, "name"),
    "a name that is none": ({"name": "a b"}, "name"),
    "a traversal": ({"name": "../../etc"}, "name"),
    "NUL": ({"name": "corp\0x"}, "name"),
    "a word for a list": ({"versions": "1.0.0"}, "versions"),
    "no versions at all": ({"versions": []}, "versions"),
    "an empty version": ({"versions": [""]}, "versions.0"),
    "a number": ({"versions": [1]}, "versions.0"),
    "too many": ({"versions": ["1.0.0"] * 201}, "versions"),
    "too long": ({"versions": ["1" * 257]}, "versions.0"),
    "yes": ({"dependencies": "yes"}, "dependencies"),
    "an unknown field": ({"force": True}, "force"),
}


@pytest.mark.parametrize("word", ["push", "pull"])
@pytest.mark.parametrize("wrong", WRONG)
def test_refused_by_field(street: Street, word: str, wrong: str) -> None:
    street.make("corp-x")
    change, field = WRONG[wrong]
    body = {"name": "corp-x", **({"to": "prod"} if word == "push" else {}), **change}
    answer = street.rest(word, {key: value for key, value in body.items() if value is not None})
    assert answer.status_code == 400, answer.content
    assert field in answer.json()["fields"]
    assert street.held("corp-x") == {"main": ["1.0.0"]}


@pytest.mark.parametrize(("kind", "status"), [("oci", 501), ("moonbit", 400), ("cargo", 404)])
def test_formats(street: Street, kind: str, status: int) -> None:
    assert street.rest("push", {"format": kind, "name": "corp-x", "to": "prod"}).status_code == status
    answer = street.rest("pull", {"format": kind, "name": "corp-x"})
    assert answer.status_code == status, "no module is called so"


@pytest.mark.parametrize(
    "asked", ["1 - " * 60 + "2", "||" * 128, " " * 200 + "9", "=9 " * 80, "9.9.9-" + "a" * 240, "%", "\u202e1.0.0", "' OR 1=1"]
)
def test_odd_words_mean_nothing(street: Street, asked: str) -> None:
    street.make("corp-x")
    answer = street.rest("push", {"name": "corp-x", "to": "prod", "versions": [asked]})
    assert answer.status_code == (200 if set(asked) == {"|"} else 404), answer.content  # an empty range is every release, as for npm
