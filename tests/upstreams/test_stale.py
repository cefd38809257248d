"""What is served in place of an upstream in trouble says so (row U24 of the threats), on both paths and both databases."""

import re

import pytest

from tests.parts import faults
from tests.parts.gate import Gate, Place
from tests.parts.pack import pack
from tests.parts.recorder import Fault, Recorder
from tests.parts.web_client import Answer

NPM_6 = re.compile(r'\s*(\d{3})\s+(\S+)\s+"(.*)"\s+"([^"]+)"')  # what npm 6.14 (npm-registry-fetch 4) takes for a warning
GZIP = {"accept-encoding": "gzip"}


def told(answer: Answer) -> tuple[str, str]:
    """X-Cache, and the code of the warning."""
    found = NPM_6.match(answer.headers.get("warning", ""))
    return answer.headers.get("x-cache", ""), found[1] if found else ""


@pytest.mark.parametrize("fault", [faults.status(500), faults.close, faults.garbage()], ids=["500", "close", "garbage"])
def test_a_stand_in_says_so_until_the_upstream_is_back(place: Place, gate: Gate, recorder: Recorder, fault: Fault) -> None:
    place.upstream(recorder)
    packed = recorder.offer(pack("lasting"))
    rita = place.as_("rita")
    assert rita.get("/lasting/-/lasting-1.0.0.tgz").body == packed.tarball
    fresh = [rita.request("GET", "/lasting", headers=GZIP) for _ in range(2)]
    assert [told(answer) for answer in fresh] == [("", "")] * 2
    gate.grow_old()
    recorder.misbehave("*", fault)
    recorder.misbehave("*", fault, where="tarball")

    stale = [rita.request("GET", "/lasting", headers=GZIP) for _ in range(3)]
    assert [(answer.status, told(answer)) for answer in stale] == [(200, ("stale", "111"))] * 3
    assert stale[-1].headers["x-gatehouse-path"] == "hot"
    unchanged = rita.request("GET", "/lasting", headers={**GZIP, "if-none-match": stale[0].headers["etag"]})
    assert (unchanged.status, told(unchanged)) == (304, ("stale", "111"))
    file = rita.get("/lasting/-/lasting-1.0.0.tgz")
    assert (file.body, told(file)) == (packed.tarball, ("", "")), "bytes never go stale"

    recorder.behave()
    gate.grow_old()
    healed = [rita.request("GET", "/lasting", headers=GZIP) for _ in range(2)]
    assert [told(answer) for answer in healed] == [("", "")] * 2
