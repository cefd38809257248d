"""Search and audit on both databases: a name is asked for outside, or never, as the rule's table says.

Row R5 of the threats.
"""

import gzip
import json

from tests.parts.gate import Place
from tests.parts.pack import pack
from tests.parts.recorder import Recorder

BULK = "/-/npm/v1/security/advisories/bulk"


def audit(place: Place, *names: str) -> dict[str, object]:
    body = gzip.compress(json.dumps({name: ["1.0.0"] for name in names}).encode())
    answer = place.as_("rita").request("POST", BULK, body=body, headers={"content-type": "application/json", "content-encoding": "gzip"})
    assert answer.status == 200, answer
    told: dict[str, object] = answer.json()
    return told


def search(place: Place, text: str, who: str = "rita") -> list[str]:
    answer = place.as_(who).get(f"/-/v1/search?text={text}&size=20")
    assert answer.status == 200, answer
    return [one["package"]["name"] for one in answer.json()["objects"]]


def test_what_leaves_and_what_never_does(place: Place, recorder: Recorder) -> None:
    place.upstream(recorder)
    place.claim("@acme/*")
    for name in ("lodash", "taken-over", "graph-outside"):
        recorder.add(name)
    recorder.warn_of("lodash")
    assert search(place, "graph") == []
    assert audit(place, "lodash") == {}
    assert recorder.seen == [], "both switches are off by default"

    changed = place.api().patch(place.rest, {"search_upstream": True, "audit_upstream": True})
    assert (changed.status, changed.json()["search_upstream"], changed.json()["audit_upstream"]) == (200, True, True)
    assert list(audit(place, "lodash", "@acme/new", "taken-over")) == ["lodash"]
    assert recorder.audited() == {"lodash": ["1.0.0"], "taken-over": ["1.0.0"]}
    assert search(place, "graph") == ["graph-outside"]

    place.publish(pack("taken-over"))
    place.publish(pack("graph-of-ours"))
    recorder.forget()
    audit(place, "lodash", "@acme/new", "taken-over")
    assert recorder.audited() == {"lodash": ["1.0.0"]}
    assert search(place, "graph") == ["graph-of-ours"], "the text meets an internal name now"
    assert not recorder.mentions("graph")
    assert place.gate.events(place, "registry.changed") == ["registry.changed"]


def test_pulled_versions_are_found_until_the_name_is_internal(place: Place, recorder: Recorder) -> None:
    place.upstream(recorder)
    recorder.add("left-hand", "1.0.0", "1.1.0", description="moves things", keywords=["hand"])
    for version in ("1.1.0", "1.0.0"):
        assert place.as_("rita").get(f"/left-hand/-/left-hand-{version}.tgz").status == 200
    answer = place.as_("rita").get("/-/v1/search?text=moves%20things").json()["objects"][0]["package"]
    assert (answer["name"], answer["version"], answer["maintainers"]) == ("left-hand", "1.1.0", [])
    place.claim("left-*")
    assert search(place, "moves") == search(place, "left-hand") == search(place, "") == []


def test_a_broad_search_is_ended_or_answered_in_time(place: Place) -> None:
    for number in range(3):
        place.publish(pack(f"many-{number}", description=" ".join(f"word{number}" for number in range(50))))
    answer = place.as_("rita").get("/-/v1/search?text=" + "%20".join("abcdefgmwo") + "&from=3")
    assert answer.status == 200
    assert len(search(place, "m%20w")) == 3
    assert place.as_("rita").get("/-/v1/search?text=many&from=2").json()["total"] == 3
    assert place.as_("rita").get("/-/v1/search?text=many&from=99").json()["total"] == 3
