"""What an upstream's trouble leaves for people, on both databases: one alert, acknowledged, and the log by kind."""

import pytest

from tests.parts import faults
from tests.parts.gate import Place
from tests.parts.recorder import Recorder
from upstreams.selectors.events import KINDS, QUIET


def test_trouble_is_one_alert_until_somebody_looked(place: Place, recorder: Recorder, other_recorder: Recorder) -> None:
    other_recorder.misbehave("*", faults.status(401))
    place.upstream(other_recorder, "partner", internal=True, patterns=["@partner/*"])
    for name in ("@partner/one", "@partner/two"):
        assert place.as_("rita").get(f"/{name.replace('/', '%2f')}").status == 503
    alerts = f"/api/v1/workspaces/{place.slug}/alerts/"
    (shown,) = place.api("rita").get(alerts).json()["results"]
    assert (shown["action"], shown["upstream"], shown["number"]) == ("alert.upstream_trouble", "partner", 1)
    assert "refused our credentials (401)" in shown["sentence"]
    assert place.api("bob").post(f"{alerts}{shown['id']}/acknowledge/", {}).status == 403
    for _ in range(2):
        assert place.api().post(f"{alerts}{shown['id']}/acknowledge/", {"note": "asked for a new token"}).status == 204
    assert place.api().get(alerts).json()["count"] == 0
    (seen,) = place.api().get(f"{alerts}?state=acknowledged").json()["results"]
    assert (seen["acknowledged"]["by"], seen["acknowledged"]["note"]) == ("alice", "asked for a new token")
    events = place.api().get(f"/api/v1/workspaces/{place.slug}/events/?action=alerts.acknowledged").json()
    assert events["count"] == 1


@pytest.mark.parametrize("kind", [QUIET, *KINDS])
def test_the_log_by_kind_is_a_part_of_the_log(kind: str, place: Place, recorder: Recorder) -> None:
    recorder.add("left-pad")
    place.upstream(recorder)
    place.claim("@acme/*")
    assert place.as_("rita").get("/left-pad/-/left-pad-1.0.0.tgz").status == 200
    events = f"/api/v1/workspaces/{place.slug}/events/"
    everything = {one["id"]: one["action"] for one in place.api().get(events).json()["results"]}
    part = {one["id"]: one["action"] for one in place.api().get(f"{events}?kind={kind}").json()["results"]}
    assert part.items() <= everything.items()
    assert ("version.pulled" in part.values()) == (kind == "pulled")
    assert ("claim.added" in part.values()) == (kind in {QUIET, "internal"})
