"""Alerts over REST: read by members, acknowledged by admins, open again when the same happens again."""

from tests.api.cast import ACME, Cast
from workspaces.services.audit import SYSTEM, record

ALERTS = f"{ACME}alerts/"


def test_an_alert_is_told_acknowledged_and_told_again(cast: Cast) -> None:
    (shown,) = cast.get(ALERTS, "rita")["results"]
    assert (shown["action"], shown["sentence"], shown["number"]) == ("alert.upstream_trouble", "It refused us.", 1)
    assert (shown["registry"], shown["upstream"], shown["name"], shown["acknowledged"]) == ("main", "npm", "", None)
    assert cast.call("adam", "POST", f"{ALERTS}{shown['id']}/acknowledge/", {"note": "new token ordered"}).status_code == 204
    assert cast.get(ALERTS)["count"] == 0
    (kept,) = cast.get(f"{ALERTS}?state=acknowledged")["results"]
    assert (kept["acknowledged"]["by"], kept["acknowledged"]["note"]) == ("adam", "new token ordered")
    assert cast.get(f"{ACME}events/")["results"][0]["action"] == "alerts.acknowledged"
    record(SYSTEM, "alert.upstream_trouble", "acme/main npm", workspace=cast.acme, new={"sentence": "Again."})
    (again,) = cast.get(ALERTS)["results"]
    assert (again["sentence"], again["number"]) == ("Again.", 1)


def test_the_package_an_alert_is_about_is_named_in_parts(cast: Cast) -> None:
    record(SYSTEM, "alert.versions_shadowed", "acme/main npm @acme/foo@1.0.0", workspace=cast.acme, new={"versions": ["1.0.0"]})
    shown = cast.get(ALERTS)["results"][0]
    assert (shown["registry"], shown["format"], shown["name"], shown["version"]) == ("main", "npm", "@acme/foo", "1.0.0")


def test_bad_questions_are_refused(cast: Cast) -> None:
    answer = cast.call("alice", "GET", f"{ALERTS}?state=closed")
    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["state"])
    path = f"{ALERTS}{cast.alert.pk}/acknowledge/"
    assert cast.call("alice", "POST", path, {"note": "x" * 501}).status_code == 400
    assert cast.call("alice", "POST", path, {"note": 5}).status_code == 400
    assert cast.call("alice", "POST", f"{ALERTS}{cast.alert.pk + 1000}/acknowledge/", {}).status_code == 404
    assert cast.get(ALERTS)["count"] == 1


def test_events_are_chosen_by_kind_action_person_and_thing(cast: Cast) -> None:
    def seen(query: str) -> set[str]:
        return {event["action"] for event in cast.get(f"{ACME}events/?{query}")["results"]}

    record(SYSTEM, "version.pulled", "acme/main npm left-pad@1.0.0", workspace=cast.acme)
    assert "version.pulled" in seen("")
    assert "version.pulled" not in seen("kind=quiet")
    assert seen("kind=pulled") == {"version.pulled"}
    assert "claim.added" in seen("kind=internal")
    assert seen("action=claim.added&actor=alice") == {"claim.added"}
    assert seen("action=claim.added&actor=bob") == set()
    assert seen("object=LEFT-PAD@1&kind=pulled") == {"version.pulled"}
    answer = cast.call("alice", "GET", f"{ACME}events/?kind=nonsense")
    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["kind"])
