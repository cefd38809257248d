"""Upstream trouble: 502, 503, 504 and stale answers (CONTRACT.md section 3, threats.md U16 to U25)."""

import time
from typing import Any

import pytest

from tests.parts import faults
from tests.parts.census import Census
from tests.parts.gate import Gate, Place
from tests.parts.pack import Packed, pack
from tests.parts.recorder import Fault, Handler, Recorder
from tests.parts.web_client import BROKEN, Answer
from tests.rule_live.asking import proven

DOWN, LATE, WRONG, REFUSED = "upstream_unreachable", "upstream_timeout", "upstream_bad_answer", "upstream_unauthorized"
FORBIDDEN, MISMATCH = "upstream_forbidden_address", "upstream_integrity_mismatch"
EVENTS = {
    **dict.fromkeys((DOWN, LATE, WRONG), "upstream.trouble"),
    **dict.fromkeys((REFUSED, FORBIDDEN), "alert.upstream_trouble"),
    MISMATCH: "alert.checksum_wrong",
}

# What an upstream does: the status and the code a client gets. Whatever it is, nothing is stored, what was cached is still
# served, and the event of EVENTS is written.
PACKUMENT: dict[str, tuple[Fault, int, str]] = {
    "500": (faults.status(500), 503, DOWN),
    "502": (faults.status(502), 503, DOWN),
    "503": (faults.status(503), 503, DOWN),
    "429": (faults.status(429), 503, DOWN),
    "429 with Retry-After": (faults.status(429, retry_after="77"), 503, DOWN),
    "close": (faults.close, 503, DOWN),
    "truncated": (faults.truncated(b'{"name":"trouble","versions":{'), 503, DOWN),
    "hang": (faults.hang, 504, LATE),
    "drip": (faults.drip(b" " * 400), 504, LATE),
    "401": (faults.status(401), 502, REFUSED),
    "403": (faults.status(403), 502, REFUSED),
    "418": (faults.status(418), 502, WRONG),
    "html": (faults.garbage(), 502, WRONG),
    "empty": (faults.garbage(b""), 502, WRONG),
    "list": (faults.garbage(b"[]"), 502, WRONG),
    "null": (faults.garbage(b"null"), 502, WRONG),
    "broken utf-8": (faults.garbage(b'{"name":"\xff\xfe"}'), 502, WRONG),
    "deep": (faults.garbage(b"[" * 200_000), 502, WRONG),
    "another name": (faults.garbage(b'{"name":"other","versions":{"1.0.0":{"name":"other","version":"1.0.0","dist":{}}}}'), 502, WRONG),
    "too large": (faults.garbage(b'{"name":"trouble","pad":"' + b"x" * 9_000_000 + b'"}'), 502, WRONG),
    "says it is too large": (faults.truncated(b"{", 2**40), 502, WRONG),
    "gzip bomb": (faults.bomb(), 502, WRONG),
    "endless": (faults.endless(), 502, WRONG),
    "not gzip": (faults.status(200, b"plain", content_encoding="gzip"), 502, WRONG),
    "another encoding": (faults.status(200, b"plain", content_encoding="br"), 502, WRONG),
    "unasked 304": (faults.status(304, b""), 502, WRONG),
    "redirect loop": (faults.redirect("/trouble"), 502, WRONG),
    "redirect to a file": (faults.redirect("file:///etc/passwd"), 502, FORBIDDEN),
    "redirect to 169.254.169.254": (faults.redirect("http://169.254.169.254/latest/meta-data/"), 502, FORBIDDEN),
    "redirect to nothing": (faults.redirect(""), 502, WRONG),
}


def cached(place: Place, recorder: Recorder) -> Packed:
    """A package that is here before the trouble begins, its bytes too."""
    proven(place, recorder)
    packed = recorder.offer(pack("kept"))
    assert place.versions("kept") == ["1.0.0"]
    assert place.as_("rita").get("/kept/-/kept-1.0.0.tgz").body == packed.tarball
    return packed


def check(answer: Answer, status: int, code: str, recorder: Recorder) -> None:
    """The error in npm's form, naming the upstream and nothing it sent."""
    assert (answer.status, answer.json()["code"]) == (status, code), answer
    assert "public" in answer.json()["error"], "the sentence names the upstream"
    assert status != 503 or int(answer.headers["retry-after"]) > 0
    assert "Traceback" not in answer.text
    assert recorder.url not in answer.text
    assert 'trouble"}' not in answer.text


def nothing_new(before: Census, after: Census) -> bool:
    """Nothing of what went wrong is stored: only events are added."""
    events = "workspaces_event"
    rows = {table for table in after.rows if after.rows[table] != before.rows[table]}
    assert rows <= {events}, rows
    return (before.blobs, before.staged) == (after.blobs, after.staged)


def events_of(place: Place) -> list[dict[str, Any]]:
    """The audit log as REST gives it, oldest first."""
    found: list[dict[str, Any]] = place.api().get(f"/api/v1/workspaces/{place.slug}/events/").json()["results"]
    return found[::-1]


def told(gate: Gate, place: Place) -> list[tuple[str, str]]:
    """What the audit log says of upstreams in trouble: action and code."""
    found = [one for one in events_of(place) if one["action"] in EVENTS.values()]
    return [(one["action"], one["new"].get("code", MISMATCH)) for one in found]


@pytest.mark.parametrize("fault", PACKUMENT)
def test_metadata(place: Place, gate: Gate, recorder: Recorder, fault: str) -> None:
    kept = cached(place, recorder)
    wrong, expected, code = PACKUMENT[fault]
    gate.grow_old()
    recorder.misbehave("*", wrong)
    before, began = gate.census(), time.monotonic()
    answer = place.as_("rita").get("/trouble")

    check(answer, expected, code, recorder)
    assert time.monotonic() - began < 15
    assert fault != "429 with Retry-After" or answer.headers["retry-after"] == "77"
    assert place.versions("kept") == ["1.0.0"], "what was cached is still served"
    assert place.as_("rita").get("/kept/-/kept-1.0.0.tgz").body == kept.tarball
    assert nothing_new(before, gate.census())
    assert told(gate, place) == [(EVENTS[code], code)]
    recorder.behave()
    recorder.add("trouble")
    assert place.versions("trouble") == ["1.0.0"], "trouble is not remembered as an answer"


def test_a_real_404_is_a_404_and_remembered(place: Place, recorder: Recorder) -> None:
    proven(place, recorder)
    for _ in range(5):
        assert place.as_("rita").get("/never-was").status == 404

    assert len(recorder.asked("never-was")) == 1


def another_package(handler: Handler, _: object) -> None:
    """A tarball whose package.json names somebody else, under the right integrity."""
    handler.send(200, OTHER.tarball)


OTHER = pack("somebody-else")
BREAKS = 0  # instead of a status: what is read behind a long download breaks, and does not end
TARBALL: dict[str, tuple[Fault, int, str]] = {
    "500": (faults.status(500), 503, DOWN),
    "429 with Retry-After": (faults.status(429, retry_after="77"), 503, DOWN),
    "hang": (faults.hang, 504, LATE),
    "drip": (faults.drip(b" " * 400), 504, LATE),
    "403": (faults.status(403), 502, REFUSED),
    "404": (faults.status(404), 502, WRONG),
    "other bytes": (faults.garbage(b"no tarball"), 502, MISMATCH),
    "empty": (faults.garbage(b""), 502, MISMATCH),
    "truncated": (faults.truncated(b"\x1f\x8b"), 503, DOWN),
    "says it is too large": (faults.truncated(b"\x1f\x8b", 2**40), 502, WRONG),
    "endless": (faults.endless(), BREAKS, WRONG),
    "gzip bomb": (faults.bomb(), BREAKS, WRONG),
    "redirect loop": (faults.redirect("/bumpy/-/bumpy-1.0.0.tgz"), 502, WRONG),
    "redirect to a file": (faults.redirect("file:///etc/passwd"), 502, FORBIDDEN),
    "another package": (another_package, 502, WRONG),
}


@pytest.mark.parametrize("fault", TARBALL)
def test_tarballs(place: Place, gate: Gate, recorder: Recorder, fault: str) -> None:
    kept = cached(place, recorder)
    wrong, expected, code = TARBALL[fault]
    lies = {"integrity": OTHER.integrity, "shasum": OTHER.shasum} if wrong is another_package else {}
    recorder.offer(pack("bumpy"), **lies)
    recorder.misbehave("*", wrong, where="tarball")
    before = gate.census()
    if expected == BREAKS:
        with pytest.raises(BROKEN):
            place.as_("rita").get("/bumpy/-/bumpy-1.0.0.tgz")
    else:
        check(place.as_("rita").get("/bumpy/-/bumpy-1.0.0.tgz"), expected, code, recorder)
    assert place.as_("rita").get("/kept/-/kept-1.0.0.tgz").body == kept.tarball, "what was cached is still served"
    assert nothing_new(before, gate.census())
    assert told(gate, place) == [(EVENTS[code], code)]
    recorder.behave()
    if not lies:
        assert place.as_("rita").get("/bumpy/-/bumpy-1.0.0.tgz").body == pack("bumpy").tarball


@pytest.mark.parametrize("where", ["packument", "tarball"])
def test_the_same_trouble_is_told_once(place: Place, gate: Gate, recorder: Recorder, where: str) -> None:
    proven(place, recorder)
    for number in range(12):
        recorder.add(f"flood-{number}")
    recorder.misbehave("*", faults.status(403), where=where)
    for number in range(12):  # from both processes
        name = f"flood-{number}"
        assert place.as_("rita").get(f"/{name}" if where == "packument" else f"/{name}/-/{name}-1.0.0.tgz").status == 502

    (event,) = [one for one in events_of(place) if one["action"] == "alert.upstream_trouble"]
    assert (event["actor"], event["object"]) == ("gatehouse", f"{place.slug}/main public")
    assert event["new"]["sentence"] == "Upstream public refused our credentials (403)."
    assert event["new"]["about"].startswith("flood-0")


@pytest.mark.parametrize(
    "fault", [faults.status(500), faults.close, faults.status(404), faults.garbage()], ids=["500", "close", "404", "garbage"]
)
def test_stale_metadata_is_served_when_upstream_is_down(place: Place, gate: Gate, recorder: Recorder, fault: Fault) -> None:
    proven(place, recorder)
    packed = recorder.offer(pack("lasting"))
    assert place.versions("lasting") == ["1.0.0"]
    assert place.as_("rita").get("/lasting/-/lasting-1.0.0.tgz").status == 200
    gate.grow_old()
    recorder.misbehave("*", fault)
    recorder.misbehave("*", fault, where="tarball")

    assert place.versions("lasting") == ["1.0.0"]
    assert place.as_("rita").get("/lasting/-/lasting-1.0.0.tgz").body == packed.tarball


def test_what_was_never_seen_is_503_while_upstream_is_gone(place: Place, recorder: Recorder) -> None:
    proven(place, recorder)
    recorder.stop()
    answer = place.as_("rita").get("/unheard-of")

    assert answer.status == 503, answer
    assert int(answer.headers["retry-after"]) > 0
    assert place.versions("plainly-public") == ["1.0.0"]


def test_headers_of_upstream_are_not_passed_on(place: Place, recorder: Recorder) -> None:
    proven(place, recorder)
    packed = recorder.offer(pack("chatty"))
    evil = {"set_cookie": "a=b", "x_accel_redirect": "/etc/passwd", "link": "</x>; rel=next", "content_type": "text/html"}
    recorder.misbehave("chatty", faults.status(200, packed.tarball, **evil), where="tarball")
    answer = place.as_("rita").get("/chatty/-/chatty-1.0.0.tgz")

    assert answer.status == 200, answer
    assert not {"set-cookie", "x-accel-redirect", "link"} & {key.lower() for key in answer.headers}
    assert "html" not in answer.headers["content-type"]


def test_entries_that_make_no_sense_are_dropped(place: Place, recorder: Recorder) -> None:
    proven(place, recorder)
    good = recorder.offer(pack("half-mad"))
    document = recorder.document("half-mad")
    document["versions"] |= {"not-a-version": {}, "2.0.0": None, "3.0.0": {"name": "half-mad", "version": "3.0.0"}, "__proto__": {"a": 1}}
    document["dist-tags"] |= {"latest": "3.0.0", "odd": "9.9.9", "1.0.0": "1.0.0"}
    document["time"] = {"1.0.0": 12, "created": None}
    import json

    recorder.misbehave("half-mad", faults.garbage(json.dumps(document).encode()))
    shown = place.as_("rita").get("/half-mad").json()

    assert sorted(shown["versions"]) == ["1.0.0"]
    assert shown["dist-tags"]["latest"] == "1.0.0"
    assert place.as_("rita").get("/half-mad/-/half-mad-1.0.0.tgz").body == good.tarball
