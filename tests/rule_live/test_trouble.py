"""Upstream trouble: 502, 503, 504 and stale answers (CONTRACT.md section 3, threats.md U16 to U25)."""

import time

import pytest

from tests.parts import faults
from tests.parts.gate import Gate, Place
from tests.parts.pack import pack
from tests.parts.recorder import Fault, Recorder
from tests.rule_live.asking import proven

PACKUMENT: dict[str, tuple[Fault, int]] = {
    "500": (faults.status(500), 503),
    "502": (faults.status(502), 503),
    "503": (faults.status(503), 503),
    "429": (faults.status(429), 503),
    "close": (faults.close, 503),
    "hang": (faults.hang, 504),
    "drip": (faults.drip(b" " * 400), 504),
    "401": (faults.status(401), 502),
    "403": (faults.status(403), 502),
    "418": (faults.status(418), 502),
    "html": (faults.garbage(), 502),
    "empty": (faults.garbage(b""), 502),
    "list": (faults.garbage(b"[]"), 502),
    "null": (faults.garbage(b"null"), 502),
    "broken utf-8": (faults.garbage(b'{"name":"\xff\xfe"}'), 502),
    "deep": (faults.garbage(b"[" * 200_000), 502),
    "another name": (faults.garbage(b'{"name":"other","versions":{"1.0.0":{"name":"other","version":"1.0.0","dist":{}}}}'), 502),
    "too large": (faults.garbage(b'{"name":"trouble","pad":"' + b"x" * 9_000_000 + b'"}'), 502),
    "gzip bomb": (faults.bomb(), 502),
    "endless": (faults.endless(), 502),
    "not gzip": (faults.status(200, b"plain", content_encoding="gzip"), 502),
    "unasked 304": (faults.status(304, b""), 502),
    "redirect loop": (faults.redirect("/trouble"), 502),
    "redirect to a file": (faults.redirect("file:///etc/passwd"), 502),
    "redirect to nothing": (faults.redirect(""), 502),
}


@pytest.mark.parametrize("fault", PACKUMENT)
def test_metadata(place: Place, gate: Gate, recorder: Recorder, fault: str) -> None:
    proven(place, recorder)
    wrong, expected = PACKUMENT[fault]
    recorder.misbehave("trouble", wrong)
    began = time.monotonic()
    answer = place.as_("rita").get("/trouble")

    assert answer.status == expected, answer
    assert time.monotonic() - began < 15
    assert "public" in answer.json()["error"], "the sentence names the upstream"
    assert expected != 503 or int(answer.headers["retry-after"]) > 0
    assert "Traceback" not in answer.text
    assert recorder.url not in answer.text
    recorder.behave()
    recorder.add("trouble")
    assert place.versions("trouble") == ["1.0.0"], "trouble is not remembered as an answer"


def test_a_real_404_is_a_404_and_remembered(place: Place, recorder: Recorder) -> None:
    proven(place, recorder)
    for _ in range(5):
        assert place.as_("rita").get("/never-was").status == 404

    assert len(recorder.asked("never-was")) == 1


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (faults.status(500), 503),
        (faults.hang, 504),
        (faults.status(403), 502),
        (faults.garbage(b"no tarball"), 502),
        (faults.garbage(b""), 502),
    ],
    ids=["500", "hang", "403", "other bytes", "empty"],
)
def test_tarballs(place: Place, gate: Gate, recorder: Recorder, fault: Fault, expected: int) -> None:
    proven(place, recorder)
    packed = recorder.offer(pack("bumpy"))
    recorder.misbehave("bumpy", fault, where="tarball")
    before = gate.census()
    answer = place.as_("rita").get("/bumpy/-/bumpy-1.0.0.tgz")

    assert answer.status == expected, answer
    assert gate.census().blobs == before.blobs
    recorder.behave()
    assert place.as_("rita").get("/bumpy/-/bumpy-1.0.0.tgz").body == packed.tarball


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
