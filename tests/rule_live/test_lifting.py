"""A public upstream was internal for a moment: what that leaves behind, who can take it back, and what stays closed."""

from tests.parts.gate import Place
from tests.parts.recorder import Recorder
from tests.rule_live.asking import assert_never_asked

NAMES = ("left-pad", "right-pad", "@open/thing")


def toggle(place: Place, made: dict[str, object], *, internal: bool) -> None:
    assert place.api().patch(f"{place.rest}upstreams/{made['id']}/", {"internal": internal}).status == 200


def lifting(place: Place, who: str = "alice", **more: object) -> tuple[int, dict[str, object]]:
    body = {"registry": place.registry, "upstream": "npm", **more}
    answer = place.api(who).post(f"/api/v1/workspaces/{place.slug}/tombstones/lift/", body)
    return answer.status, answer.json()


def moment(place: Place, recorder: Recorder) -> dict[str, object]:
    """The recorder as `npm`, internal while these names were installed, and public again."""
    for name in NAMES:
        recorder.add(name)
    made = place.upstream(recorder, "npm", internal=True)
    for name in NAMES:
        assert place.versions(name) == ["1.0.0"]
    assert place.as_("rita").get("/right-pad/-/right-pad-1.0.0.tgz").status == 200
    toggle(place, made, internal=False)
    recorder.forget()
    return made


def test_what_a_moment_left_is_listed_and_let_go_at_once(place: Place, recorder: Recorder) -> None:
    made = moment(place, recorder)
    assert_never_asked(place, recorder, "left-pad", who=("rita",))
    listed = place.api("rita").get(f"/api/v1/workspaces/{place.slug}/tombstones/?upstream=npm&registry={place.registry}").json()
    assert {one["name"]: (one["registry"], one["upstream"]) for one in listed["results"]} == dict.fromkeys(NAMES, (place.registry, "npm"))
    assert lifting(place, "bob")[0] == 403
    toggle(place, made, internal=True)
    status, refused = lifting(place)
    assert (status, refused["code"]) == (409, "upstream_internal")
    assert place.api().patch(f"{place.rest}upstreams/{made['id']}/", {"enabled": False}).status == 200
    assert lifting(place)[0] == 409
    assert place.api().patch(f"{place.rest}upstreams/{made['id']}/", {"enabled": True, "internal": False}).status == 200

    assert lifting(place) == (200, {"lifted": 3, "unticked": 0, "left": 0})
    recorder.forget()
    assert place.versions("left-pad") == ["1.0.0"]
    trace = place.api().get(f"{place.rest}packages/npm/left-pad/resolution/?ask=true").json()
    assert trace["internal"] is False
    assert_never_asked(place, recorder, "right-pad", who=("rita",))  # a version of it was pulled, and is internal
    events = place.api().get(f"/api/v1/workspaces/{place.slug}/events/?action=tombstones.removed").json()["results"]
    assert [sorted(event["new"]["names"]) for event in events] == [sorted(NAMES)]
    assert lifting(place)[0] == 404


def test_what_was_pulled_in_that_moment_is_unticked_on_request(place: Place, recorder: Recorder) -> None:
    moment(place, recorder)

    assert lifting(place, untick=True) == (200, {"lifted": 3, "unticked": 1, "left": 0})
    trace = place.api().get(f"{place.rest}packages/npm/right-pad/resolution/?ask=true").json()
    assert (trace["internal"], trace["shadowed"]) == (False, [])
    assert place.versions("right-pad") == ["1.0.0"]


def test_an_upstream_behind_a_chain_keeps_its_names_while_it_is_internal(place: Place, recorder: Recorder) -> None:
    recorder.add("deep")
    behind = place.second()
    made = behind.upstream(recorder, "npm", internal=True)
    body = {"name": "behind", "kind": "registry", "registry": behind.registry}
    assert place.api().post(f"{place.rest}upstreams/", body).status == 201
    assert place.versions("deep") == ["1.0.0"]
    assert lifting(place)[0] == 409
    toggle(behind, made, internal=False)
    assert lifting(place)[0] == 200
    recorder.forget()
    assert_never_asked(place, recorder, "deep", who=("rita",))  # the tombstone behind the chain stands yet
    assert lifting(behind)[0] == 200
    assert place.api().get(f"{place.rest}packages/npm/deep/resolution/?ask=true").json()["internal"] is False


def test_another_name_or_a_link_switched_off_opens_no_way(place: Place, recorder: Recorder) -> None:
    recorder.add("deep")
    behind = place.second()
    made = behind.upstream(recorder, "npm", internal=True)
    body = {"name": "behind", "kind": "registry", "registry": behind.registry}
    link = place.api().post(f"{place.rest}upstreams/", body).json()
    assert place.versions("deep") == ["1.0.0"]
    assert place.api().patch(f"{behind.rest}upstreams/{made['id']}/", {"name": "mirror"}).status == 200
    assert lifting(place)[0] == lifting(behind)[0] == 404  # nothing speaks of the former name any more
    listed = place.api().get(f"/api/v1/workspaces/{place.slug}/tombstones/?upstream=mirror").json()["results"]
    assert {one["registry"] for one in listed} == {place.registry, behind.registry}
    assert lifting(behind, upstream="mirror")[0] == 409
    assert place.api().patch(f"{place.rest}upstreams/{link['id']}/", {"enabled": False}).status == 200
    assert lifting(place, upstream="mirror")[0] == 409


def test_npm_is_told_who_can_change_it(place: Place, recorder: Recorder) -> None:
    made = moment(place, recorder)
    assert place.api().delete(f"{place.rest}upstreams/{made['id']}/").status == 204
    said = place.as_("rita").get("/@open%2fthing").json()["error"]
    assert "tombstone (internal upstream npm answered for it)" in said
    assert f"Admins and owners of the workspace can change that: {said.rpartition(' ')[2]}" in said
    assert said.endswith(f"/{place.slug}/registries/{place.registry}/npm/@open/thing/")
