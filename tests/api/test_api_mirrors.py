"""Mirror jobs over REST, below the workers."""

import json
from typing import Any

import pytest
from django.conf import settings

from api.admit import admit
from api.views.mirrors import MirrorsView
from tests.api.cast import MAIN, Cast, assemble, census
from upstreams.models import Mirror, MirrorItem

MIRRORS = MAIN + "mirrors/"
LOCK = json.dumps({"lockfileVersion": 3, "packages": {"node_modules/left-pad": {"version": "1.3.0"}}})


@pytest.fixture
def cast(db: None) -> Cast:
    made = assemble()
    Mirror.objects.all().delete()
    return made


def test_a_job_as_the_contract_says(cast: Cast) -> None:
    answer = cast.call("bob", "POST", MIRRORS, {"upstream": "npm", "patterns": ["left-*", "right-pad"], "dependencies": True})
    assert answer.status_code == 202, answer.content
    told = answer.json()
    expected: dict[str, Any] = {"state": "queued", "total": 2, "done": 0, "failed": 0, "errors": [], "upstream": "npm", "asked_by": "bob"}
    assert {key: told[key] for key in expected} == expected
    assert (told["patterns"], told["dependencies"]) == (["left-*", "right-pad"], True)
    assert cast.get(f"{MIRRORS}{told['id']}/", "rita") == told
    assert cast.get(MIRRORS, "rita")["results"] == [told]
    assert cast.call("bob", "DELETE", f"{MIRRORS}{told['id']}/").status_code == 204
    assert cast.get(f"{MIRRORS}{told['id']}/", "rita")["state"] == "cancelled"
    again = cast.call("bob", "POST", f"{MIRRORS}{told['id']}/retry/", {})
    assert (again.status_code, again.json()["total"]) == (202, 2)


def test_what_failed_is_told_in_few_sentences(cast: Cast) -> None:
    job = Mirror.objects.create(registry=cast.main, upstream=cast.upstream, state="failed", total=200, failed=190)
    for number in range(100):
        MirrorItem.objects.create(mirror=job, name=f"gone-{number:03}", version="1.0.0", state="failed", trouble="It is gone.")
    for number in range(90):
        MirrorItem.objects.create(mirror=job, name=f"odd-{number:03}", state="failed", trouble=f"Odd {number}.")
    errors = cast.get(f"{MIRRORS}{job.pk}/")["errors"]
    assert errors[0] == "gone-000@1.0.0, gone-001@1.0.0, gone-002@1.0.0 and 97 more: It is gone."
    assert errors[1] == "odd-000: Odd 0."
    assert errors[-1] == "41 more, for 41 further reasons."
    assert len(errors) == 51
    assert len(cast.get(MIRRORS)["results"][0]["errors"]) == 6


def test_a_lock_file_as_text(cast: Cast) -> None:
    answer = cast.call("bob", "POST", MIRRORS, {"upstream": "npm", "lock": LOCK, "lock_name": "package-lock.json"})
    assert answer.status_code == 202, answer.content
    assert answer.json()["listed"].startswith("package-lock.json, 1 entries")
    assert MirrorItem.objects.values_list("name", "version").get() == ("left-pad", "1.3.0")
    same = cast.call("bob", "POST", MIRRORS, {"upstream": "npm", "lock": LOCK, "lock_name": "package-lock.json"})
    assert (same.status_code, same.json()["code"]) == (409, "mirror_underway")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"upstream": "nobody"}, "upstream"),
        ({"upstream": None}, "upstream"),
        ({"patterns": []}, "patterns"),
        ({"patterns": "left-*"}, "patterns"),
        ({"patterns": ["x"] * 201}, "patterns"),
        ({"patterns": ["a b"]}, "name"),
        ({"patterns": ["x\u202e*"]}, "patterns"),
        ({"patterns": [7]}, "patterns.0"),
        ({"dependencies": "yes"}, "dependencies"),
        ({"lock": "hello"}, "lock"),
        ({"versions": "??"}, "versions"),
        ({"versions": "a b"}, "versions"),
        ({"versions": "^^1"}, "versions"),
        ({"patterns": ["left-pad@??"]}, "patterns"),
        ({"state": "done"}, "state"),
    ],
)
def test_refused_naming_the_field(cast: Cast, change: dict[str, Any], field: str) -> None:
    before = census()
    answer = cast.call("bob", "POST", MIRRORS, {"upstream": "npm", "patterns": ["left-*"], **change})
    assert answer.status_code == 400, answer.content
    assert field in answer.json()["fields"], answer.content
    assert census() == before


@pytest.mark.parametrize(("kind", "status"), [("disabled", 400), ("oci", 501), ("registry", 400)])
def test_upstreams_that_are_not_mirrored(cast: Cast, kind: str, status: int) -> None:
    rows = type(cast.upstream).objects.filter(pk=cast.upstream.pk)
    changes: dict[str, dict[str, Any]] = {"disabled": {"is_enabled": False}, "oci": {"format": "oci"}, "registry": {"kind": "registry"}}
    rows.update(**changes[kind])
    answer = cast.call("bob", "POST", MIRRORS, {"upstream": "npm", "patterns": ["left-*"]})
    assert answer.status_code == status, answer.content
    assert answer.json()["error"].endswith(".")


def test_a_job_that_is_over_is_not_cancelled(cast: Cast) -> None:
    job = Mirror.objects.create(registry=cast.main, upstream=cast.upstream, state="done", total=1, done=1)
    for path, method in (("", "DELETE"), ("cancel/", "POST"), ("retry/", "POST")):
        assert cast.call("bob", method, f"{MIRRORS}{job.pk}/{path}", {} if method == "POST" else None).status_code == 409


def test_a_lock_file_of_some_megabytes(cast: Cast) -> None:
    packages = {f"node_modules/pkg-{number}": {"version": "1.0.0", "integrity": "x" * 200} for number in range(8000)}
    body = {"upstream": "npm", "lock": json.dumps({"lockfileVersion": 3, "packages": packages})}
    answer = cast.call("bob", "POST", MIRRORS, body)
    assert (answer.status_code, answer.json().get("total")) == (202, 8000), answer.content


def test_its_sender_is_known_before_a_long_body_comes(cast: Cast) -> None:
    address = "/api/v1/workspaces/acme/registries/main/mirrors/"
    answer = admit("POST", address, {"content-length": "9000000"}, "192.0.2.1")
    assert not isinstance(answer, int)
    assert answer.status_code == 401
    assert admit("GET", address, {}, "192.0.2.1") == settings.SMALL_BODY_LIMIT


@pytest.mark.parametrize(("who", "status"), [("rita", 403), ("mallory", 404), ("bob", 0)])
def test_and_may_order(cast: Cast, who: str, status: int) -> None:
    answer = admit("POST", MIRRORS, {"authorization": cast.secret(who), "content-length": "9000000"}, "192.0.2.1")
    assert (answer if isinstance(answer, int) else answer.status_code) == (status or MirrorsView.body_limit)
