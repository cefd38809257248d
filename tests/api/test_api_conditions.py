"""ETags, If-Match and If-None-Match: two people who change one thing, and nothing is overwritten."""

import threading
from typing import Any

import pytest

from tests.api.cast import ACME, FOO, MAIN, Cast, census
from tests.parts.gate import Gate

WRITES = {
    "": {"name": "Other"},
    "members/bob/": {"role": "reader"},
    "secrets/PARTNER_TOKEN/": {"value": "y"},
    "registries/main/": {"description": "other"},
    "registries/main/packages/npm/@acme/foo/versions/1.0.0/": {"deprecated": "old"},
}


def test_a_single_object_has_one_and_a_list_has_none(cast: Cast) -> None:
    for path in WRITES:
        first, second = (cast.call("alice", "GET", ACME + path) for _ in range(2))
        assert first.headers["ETag"] == second.headers["ETag"]
        again = cast.call("alice", "GET", ACME + path, **{"If-None-Match": f'"x", {first.headers["ETag"]}'})
        assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", first.headers["ETag"])
        assert cast.call("alice", "GET", ACME + path, **{"If-None-Match": '"x"'}).status_code == 200
    assert "ETag" not in cast.call("alice", "GET", ACME + "members/").headers


@pytest.mark.parametrize("path", WRITES)
def test_a_write_holds_for_what_was_seen(cast: Cast, path: str) -> None:
    seen = cast.call("alice", "GET", ACME + path).headers["ETag"]
    before = census()
    for stale in ('"stale"', 'W/"stale"', f"W/{seen}", ""):
        refused = cast.call("alice", "PATCH", ACME + path, WRITES[path], **{"If-Match": stale})
        assert (refused.status_code, refused.json()["code"]) == (412, "changed_meanwhile")
    assert census() == before, "nothing is overwritten"
    changed = cast.call("alice", "PATCH", ACME + path, WRITES[path], **{"If-Match": seen})
    assert changed.status_code == 200
    if "secrets" not in path:
        assert changed.headers["ETag"] != seen
    assert changed.headers["ETag"] == cast.call("alice", "GET", ACME + path).headers["ETag"]
    second = cast.call("alice", "PATCH", ACME + path, WRITES[path], **{"If-Match": seen})
    assert second.status_code == 412 or "secrets" in path


def test_so_does_a_deletion(cast: Cast) -> None:
    path = FOO + "versions/1.0.0/"
    before = census()
    assert cast.call("alice", "DELETE", path, **{"If-Match": '"x"'}).status_code == 412
    assert census() == before
    seen = cast.call("alice", "GET", path).headers["ETag"]
    assert cast.call("alice", "DELETE", path, **{"If-Match": seen}).status_code == 204
    assert cast.call("alice", "DELETE", path, **{"If-Match": seen}).status_code == 404
    assert cast.call("alice", "PATCH", MAIN, {"description": "any"}, **{"If-Match": "*"}).status_code == 200


def test_who_may_not_learns_nothing_by_it(cast: Cast) -> None:
    for who, status in (("nobody", 401), ("bad", 401), ("mallory", 404), ("rita", 403), ("bob", 403), ("readonly", 403)):
        assert cast.call(who, "PATCH", MAIN, {"description": "x"}, **{"If-Match": '"x"'}).status_code == status
    assert cast.call("alice", "PATCH", MAIN, {"description": 5}, **{"If-Match": '"x"'}).status_code == 400


def test_of_two_at_the_same_moment_one_changes_it(gate: Gate) -> None:
    """On both databases, with two processes: the others are told (412), and exactly one change is in the log."""
    place = gate.workspace()
    for round_number in range(5):
        caller = place.api("alice")
        seen = caller.get(place.rest).headers["ETag"]
        answers: list[Any] = []

        def change(number: int, seen: str = seen, found: list[Any] = answers, turn: int = round_number) -> None:
            body = {"description": f"{turn} by {number}"}
            found.append((number, place.api("alice").request("PATCH", place.rest, body=body, headers={"If-Match": seen})))

        threads = [threading.Thread(target=change, args=(number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        won = [number for number, answer in answers if answer.status == 200]
        assert len(won) == 1, [answer.status for _, answer in answers]
        assert {answer.status for _, answer in answers} <= {200, 412}
        assert caller.get(place.rest).json()["description"] == f"{round_number} by {won[0]}"
