"""Tags, deprecation, unpublishing.

Row N11 of the threats.
"""

from typing import Any

from packages.models import Version
from tests.npm.team import Team, facts


def test_tags(team: Team) -> None:
    team.publish("left")
    team.publish("left", "1.1.0")
    assert team.send("bob", "PUT", "/-/package/left/dist-tags/stable", b'"1.0.0"').status_code == 201
    assert team.send("rita", "GET", "/-/package/left/dist-tags").json() == {"latest": "1.1.0", "stable": "1.0.0"}
    assert team.send("bob", "POST", "/-/package/left/dist-tags/stable", b'"1.1.0"').status_code == 201
    assert team.send("bob", "DELETE", "/-/package/left/dist-tags/stable").status_code == 200
    before = facts()
    refusals = [
        ("bob", "stable", "DELETE", None, 404),
        ("bob", "latest", "DELETE", None, 409),
        ("rita", "x1", "PUT", b'"1.0.0"', 403),
        ("bob", "next", "PUT", b'"9.9.9"', 404),
        ("bob", "next", "PUT", b"{}", 400),
        ("bob", "1.0.0", "PUT", b'"1.0.0"', 400),
    ]
    for who, tag, method, body, status in refusals:
        assert team.send(who, method, f"/-/package/left/dist-tags/{tag}", body).status_code == status
    assert facts() == before


def test_deprecate_and_undeprecate(team: Team) -> None:
    team.publish("left")
    document = team.send("bob", "GET", "/left?write=true").json()
    document["versions"]["1.0.0"]["deprecated"] = "old"
    document["versions"]["1.0.0"]["dependencies"] = {"evil": "1"}
    assert team.send("rita", "PUT", "/left", document).status_code == 403
    assert team.send("bob", "PUT", "/left", document).status_code == 200
    shown = team.send("rita", "GET", "/left").json()["versions"]["1.0.0"]
    assert shown["deprecated"] == "old"
    assert "dependencies" not in shown
    document["versions"]["1.0.0"]["deprecated"] = ""
    assert team.send("bob", "PUT", "/left", document).status_code == 200
    assert "deprecated" not in team.send("rita", "GET", "/left").json()["versions"]["1.0.0"]
    assert team.send("bob", "PUT", "/never", {**document, "_id": "never", "name": "never"}).status_code == 404


def without(document: dict[str, Any], *versions: str) -> dict[str, Any]:
    """The document as npm sends it back to unpublish these."""
    return {**document, "versions": {key: value for key, value in document["versions"].items() if key not in versions}}


def test_unpublish_one_version(team: Team) -> None:
    for version in ("1.0.0", "1.1.0"):
        team.publish("@acme/bar", version)
    document = team.send("alice", "GET", "/@acme%2fbar?write=true").json()
    address = f"/@acme%2fbar/-rev/{document['_rev']}"
    before = facts()
    assert team.send("bob", "PUT", address, without(document, "1.1.0")).status_code == 403
    assert team.send("alice", "PUT", address, document).json()["removed"] == []
    assert facts() == before
    for _ in range(2):  # the second is npm's retry
        assert team.send("alice", "PUT", address, without(document, "1.1.0")).status_code == 200
    for prefix in ("", f"/{team.slug}/r/main"):
        assert team.send("alice", "DELETE", f"{prefix}/@acme/bar/-/bar-1.1.0.tgz/-rev/9-x").status_code == 200
    assert list(Version.objects.values_list("version", flat=True)) == ["1.0.0"]
    assert team.send("rita", "GET", "/@acme/bar").json()["dist-tags"] == {"latest": "1.0.0"}
    assert team.publish("@acme/bar", "1.1.0").status_code == 403


def test_a_stale_unpublish_deletes_nothing(team: Team) -> None:
    team.publish("left")
    team.publish("left", "1.1.0")
    document = team.send("alice", "GET", "/left?write=true").json()
    team.publish("left", "1.2.0")
    before = facts()
    for rev in (document["_rev"], "1-x", "x", "0"):
        assert team.send("alice", "PUT", f"/left/-rev/{rev}", without(document, "1.0.0")).status_code == 409
        assert team.send("alice", "DELETE", f"/left/-rev/{rev}").status_code == 409
    fresh = team.send("alice", "GET", "/left?write=true").json()
    assert team.send("alice", "PUT", f"/left/-rev/{fresh['_rev']}", without(fresh, "1.0.0", "1.1.0")).status_code == 400
    bodies: list[object] = [{**fresh, "name": "other"}, {**fresh, "versions": []}, b"{", {"maintainers": 1}, {"users": []}]
    for body in bodies:
        assert team.send("alice", "PUT", f"/left/-rev/{fresh['_rev']}", body).status_code in {400, 422}
    with_data = {**fresh, "_attachments": {"left-1.0.0.tgz": {"data": "AAAA"}}}
    assert team.send("alice", "PUT", f"/left/-rev/{fresh['_rev']}", with_data).status_code == 400
    assert facts() == before


def test_unpublish_all(team: Team) -> None:
    team.publish("left")
    rev = team.send("alice", "GET", "/left?write=true").json()["_rev"]
    assert team.send("bob", "DELETE", f"/left/-rev/{rev}").status_code == 403
    assert team.send("alice", "DELETE", f"/left/-rev/{rev}").status_code == 200
    assert team.send("alice", "DELETE", f"/left/-rev/{rev}").status_code == 404
    assert not Version.objects.exists()
