"""Packuments made to hurt: dropped entries or 502, never a 500, and never much memory.

Rows U15, U22, U23, U27, U28 and U30 of the threats. Cool-down times for fresh versions (U27) are an option nobody built yet.
"""

import gzip
import json
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings as product

from packages.models import Package
from tests.npm.outside import connect
from tests.npm.team import Team, facts
from tests.parts import faults
from tests.parts.pack import Packed, pack
from tests.parts.recorder import Recorder
from upstreams.memory import LARGE
from upstreams.models import Pin, Rendering, UpstreamDocument
from upstreams.seal import seal
from upstreams.services.consult import STALE_LIFE

Document = dict[str, Any]
Change = Callable[[Document], object]
SHORT = "application/vnd.npm.install-v1+json"
ODD = {"__proto__": {"polluted": True}, "constructor": {"prototype": {}}, "hasOwnProperty": 1, "toString": None}


@pytest.fixture
def asked(team: Team, recorder: Recorder, loopback: None) -> Recorder:
    """A recorder that is the registry's public upstream."""
    connect(team, recorder)
    return recorder


def one(document: Document) -> Document:
    found: Document = document["versions"]["1.0.0"]
    return found


def copies(**changes: object) -> Change:
    """Further entries of `versions` by number, each like 1.0.0 but for its changes."""
    return lambda document: document["versions"].update({number: {**one(document), **change} for number, change in changes.items()})  # type: ignore[dict-item]


KEPT: dict[str, Change] = {
    "prototype names everywhere": lambda document: [part.update(ODD) for part in (document, one(document), document["versions"])],
    "prototype names as tags": lambda document: document["dist-tags"].update(dict.fromkeys(ODD, "1.0.0")),
    "prototype names as dependencies": lambda document: one(document).update(dependencies=dict.fromkeys(ODD, "1")),
    "a dist with prototype names": lambda document: one(document)["dist"].update(ODD),
    "dependencies a list": lambda document: one(document).update(dependencies=["a"], bin=5, scripts="x", engines=[], os={}),
    "dependencies of numbers": lambda document: one(document).update(dependencies={"a": 1, "b": None, "c": {"d": []}}),
    "NUL in texts": lambda document: [part.update(description="a\0b", readme="\0", keywords=["\0"]) for part in (document, one(document))],
    "NUL in names of fields": lambda document: one(document).update({"a\0b": 1}),
    "wrong types of everything else": lambda document: document.update(
        readme=5, maintainers="x", license=[], author=7, _attachments=1, users=[]
    ),
    "tags that are none": lambda document: document.update({"dist-tags": ["1.0.0"]}),
    "tags without a version": lambda document: document["dist-tags"].update(latest="9.9.9", next=None, old=["1.0.0"]),
    "times that are none": lambda document: document.update(time="now"),
    "times of other types": lambda document: document.update(time={"1.0.0": 5, "created": [], "modified": {}}),
    "times in the future": lambda document: document.update(time={"1.0.0": "9999-12-31T23:59:59.999Z", "modified": "99999-01-01"}),
    "numbers beyond any": lambda document: one(document).update(huge=10**300, dist={**one(document)["dist"], "unpackedSize": -(2**62)}),
    "a version that is no object": lambda document: document["versions"].update({"2.0.0": None, "2.0.1": 5, "2.0.2": "x", "2.0.3": []}),
    "numbers that are no versions": lambda document: document["versions"].update(
        dict.fromkeys(["", "1", "x", "9" * 30_000, "1.0.0\0"], one(document))
    ),
    "other names inside": copies(**{"2.0.0": {"name": "other", "version": "2.0.0"}, "2.0.1": {"name": None, "version": "2.0.1"}}),
    "other numbers inside": copies(**{"2.0.0": {}, "2.0.1": {"version": ["2.0.1"]}}),
    "no dist": copies(**{"2.0.0": {"version": "2.0.0", "dist": None}, "2.0.1": {"version": "2.0.1", "dist": "x"}}),
}


@pytest.mark.parametrize("case", KEPT)
def test_what_makes_no_sense_is_dropped_and_the_rest_served(team: Team, asked: Recorder, case: str) -> None:
    packed = asked.offer(pack("odd"))
    document = asked.document("odd")
    KEPT[case](document)
    asked.misbehave("odd", faults.garbage(json.dumps(document).encode()))
    before = facts()
    for accept in ("application/json", SHORT):
        answer = team.send("rita", "GET", "/odd", accept=accept)
        assert answer.status_code == 200, answer.content
        shown = answer.json()
        assert list(shown["versions"]) == ["1.0.0"]
        assert set(shown["dist-tags"].values()) == {"1.0.0"}
        assert shown["versions"]["1.0.0"]["dist"]["integrity"] == packed.integrity
    assert team.send("rita", "GET", "/odd/1.0.0").status_code == 200
    assert facts() == before
    assert team.send("rita", "GET", f"/odd/-/{packed.filename}").getvalue() == packed.tarball


def broken(change: bytes, by: bytes) -> Callable[[bytes], bytes]:
    return lambda body: body.replace(change, by, 1)


WITHIN = "deep and within the parser's bounds"  # a large one is refused when it is read as a whole: the next test
REFUSED: dict[str, Callable[[bytes], bytes]] = {
    "NaN": broken(b'"1-0"', b"NaN"),
    "Infinity": broken(b'"1-0"', b"-Infinity"),
    "half a surrogate": broken(b'"1-0"', rb'"\ud800"'),
    "bytes that are no UTF-8": broken(b'"1-0"', b'"\xed\xa0\x80"'),
    "a raw control character": broken(b'"1-0"', b'"\x00"'),
    "deep in a field": broken(b'"1-0"', b"[" * 100_000 + b"]" * 100_000),
    WITHIN: broken(b'"1-0"', b"[" * 900 + b"]" * 900),
    "a trailing comma": lambda body: body[:-1] + b",}",
    "two documents": lambda body: body + body,
    "cut": lambda body: body[: len(body) // 2],
    "versions a list": lambda _: b'{"name":"odd","versions":[]}',
    "versions null": lambda _: b'{"name":"odd","versions":null}',
    "no versions": lambda _: b'{"name":"odd"}',
    "name in capitals": broken(b'"name": "odd"', b'"name": "ODD"'),
    "name a list": lambda _: b'{"name":["odd"],"versions":{}}',
    "millions of pieces": lambda _: b'{"name":"odd","versions":{},"x":[' + b"[]," * 1_000_001 + b"1]}",
}


# A large one is read past, not taken apart.
@pytest.mark.parametrize(("case", "filling"), [(case, size) for case in REFUSED for size in (0, LARGE) if not (size and case == WITHIN)])
def test_what_is_no_packument_is_a_502_and_nothing_is_kept(team: Team, asked: Recorder, case: str, filling: int) -> None:
    asked.add("odd")
    sent = REFUSED[case](json.dumps(asked.document("odd") | {"readme": "x" * filling}).encode())
    asked.misbehave("odd", faults.garbage(sent))
    before = facts()
    answer = team.send("rita", "GET", "/odd")
    assert (answer.status_code, answer.json()["error"].startswith("Upstream public ")) == (502, True), answer.content[:300]
    assert (facts(), Pin.objects.count(), UpstreamDocument.objects.count(), Package.objects.count()) == (before, 0, 0, 0)


def test_a_large_one_that_nests_too_deeply_is_refused_when_it_is_read(team: Team, asked: Recorder) -> None:
    packed = asked.offer(pack("deep"))
    sent = json.dumps(asked.document("deep") | {"readme": "x" * LARGE}).encode()[:-1] + b',"x":' + b"[" * 300 + b"]" * 300 + b"}"
    asked.misbehave("deep", faults.garbage(sent))
    answer = team.send("rita", "GET", "/deep")
    assert (answer.status_code, answer.json()["error"]) == (502, "Upstream public did not send JSON that can be used.")
    assert team.send("rita", "GET", "/deep/-/deep-1.0.0.tgz").getvalue() == packed.tarball


def test_a_document_is_kept_as_it_was_compressed(team: Team, asked: Recorder) -> None:
    asked.add("packed")
    sent = gzip.compress(json.dumps(asked.document("packed")).encode(), 9)
    asked.misbehave("packed", faults.status(200, sent, content_encoding="gzip"))
    assert team.send("rita", "GET", "/packed").status_code == 200
    assert bytes(UpstreamDocument.objects.get().body) == sent


def test_a_document_whose_gzip_does_not_end_is_kept_whole(team: Team, asked: Recorder) -> None:
    """The JSON is complete, the checksum behind it is missing: what is kept can be read again."""
    asked.add("cut")
    document = json.dumps(asked.document("cut")).encode()
    asked.misbehave("cut", faults.status(200, gzip.compress(document)[:-8], content_encoding="gzip"))
    assert team.send("rita", "GET", "/cut").status_code == 200
    assert gzip.decompress(bytes(UpstreamDocument.objects.get().body)) == document
    assert team.send("rita", "GET", "/cut", accept=SHORT).status_code == 200
    assert len(asked.asked("cut")) == 1


def test_fifty_thousand_versions_are_served(team: Team, asked: Recorder) -> None:
    asked.add("many")
    document = asked.document("many")
    template = json.dumps({key: one(document)[key] for key in ("name", "version", "dist")})
    versions = ",".join(f'"1.0.{n}":' + template.replace('"version": "1.0.0"', f'"version": "1.0.{n}"') for n in range(50_000))
    asked.misbehave("many", faults.garbage(f'{{"name":"many","dist-tags":{{"latest":"1.0.49999"}},"versions":{{{versions}}}}}'.encode()))
    shown = team.send("rita", "GET", "/many", accept=SHORT).json()
    assert (len(shown["versions"]), shown["dist-tags"]) == (50_000, {"latest": "1.0.49999"})


@pytest.mark.parametrize(
    "bomb", [faults.bomb(), faults.endless(), faults.garbage(b" " * (60 * 1024 * 1024))], ids=["gzip", "endless", "long"]
)
def test_a_bomb_takes_little_memory(team: Team, asked: Recorder, settings: Any, bomb: Any) -> None:
    settings.METADATA_LIMIT = 8 * 1024 * 1024
    asked.misbehave("bomb", bomb)
    tracemalloc.start()
    try:
        answer = team.send("rita", "GET", "/bomb")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (answer.status_code, "more than 8,388,608 bytes" in answer.json()["error"]) == (502, True), answer.content
    assert peak < 40 * 1024 * 1024, f"{peak:,}"


SECRET = 'a-secret-of-"ours"-\\42'


@pytest.mark.parametrize("auth", ["bearer", "basic"])
@pytest.mark.parametrize("where", ["a field", "a key", "escaped", "the header's own text"])
def test_an_upstream_that_repeats_our_credentials_is_withheld(
    team: Team, recorder: Recorder, loopback: None, auth: str, where: str
) -> None:
    upstream = connect(team, recorder, auth_type=auth, username="us", secret_sealed=seal(SECRET))
    recorder.add("echo")
    document = recorder.document("echo")

    def echo(handler: Any, _: object) -> None:
        own = handler.headers["Authorization"].partition(" ")[2] if where == "the header's own text" else SECRET
        one(document).update({own: 1} if where == "a key" else {"description": f"you said {own}!"})
        body = json.dumps(document)
        handler.send(200, (body.replace("secret", r"\u0073ecret") if where == "escaped" else body).encode())

    recorder.misbehave("echo", echo)
    answer = team.send("rita", "GET", "/echo")
    assert (answer.status_code, answer.json()["error"]) == (502, "Upstream public sent our own credentials back; its answer is withheld.")
    assert not UpstreamDocument.objects.filter(upstream=upstream).exists()
    recorder.behave()
    assert team.send("rita", "GET", "/echo").status_code == 200


def test_headers_of_metadata_are_ours(team: Team, asked: Recorder) -> None:
    asked.add("chatty")
    evil = {
        "set_cookie": "a=b",
        "x_accel_redirect": "/etc/passwd",
        "link": "</x>; rel=next",
        "refresh": "0; url=//x",
        "content_type": "text/html",
    }
    evil |= {
        "access_control_allow_origin": "*",
        "npm_notice": "buy",
        "x_powered_by": "y",
        "location": "//x",
        "content_security_policy": "x",
    }
    asked.misbehave("chatty", faults.status(200, json.dumps(asked.document("chatty")).encode(), **evil))
    answer = team.send("rita", "GET", "/chatty")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    told = {name.lower(): value for name, value in answer.headers.items()}
    assert not [name for name, value in evil.items() if told.get(name.replace("_", "-")) == value]
    assert not {"set-cookie", "x-accel-redirect", "link", "refresh", "npm-notice", "x-powered-by"} & told.keys()


@pytest.mark.parametrize(
    "said",
    [
        {"cache_control": "max-age=1000000000000000"},
        {"cache_control": "no-store, max-age=0", "pragma": "no-cache"},
        {"date": "Fri, 31 Dec 2100 23:59:59 GMT", "expires": "Fri, 31 Dec 2100 23:59:59 GMT"},
        {"age": "99999999999", "date": "Thu, 01 Jan 1970 00:00:00 GMT"},
        {"etag": "x" * 10_000, "last_modified": "Fri, 31 Dec 2100 23:59:59 GMT"},
    ],
    ids=["for ever", "never", "2100", "1970", "odd validators"],
)
def test_our_own_clock_decides_how_long_an_answer_counts(team: Team, asked: Recorder, said: dict[str, str]) -> None:
    asked.add("timed")
    asked.misbehave("timed", faults.status(200, json.dumps(asked.document("timed")).encode(), **said))
    begun = datetime.now(UTC)
    assert [team.send("rita", "GET", "/timed").status_code for _ in range(2)] == [200, 200]
    row = UpstreamDocument.objects.get(name="timed")
    assert row.fresh_until - row.fetched_at == product.METADATA_FRESH
    assert begun <= row.fetched_at <= datetime.now(UTC)
    assert len(asked.asked("timed")) == 1
    assert len(row.etag) <= 500
    assert timedelta(days=30) == STALE_LIFE


def test_always_not_modified(team: Team, asked: Recorder) -> None:
    asked.misbehave("same", faults.status(304, b""))
    assert team.send("rita", "GET", "/same").status_code == 502  # it has no validator of ours to compare with
    assert not UpstreamDocument.objects.exists()
    asked.behave()
    packed: Packed = asked.offer(pack("same"))
    assert team.send("rita", "GET", "/same").status_code == 200
    UpstreamDocument.objects.update(etag="", last_modified="")
    grow_old()
    asked.misbehave("same", faults.status(304, b""))
    answer = team.send("rita", "GET", "/same")
    assert (answer.status_code, answer.headers["x-cache"], list(answer.json()["versions"])) == (200, "stale", [packed.version])


def grow_old() -> None:
    """What upstreams said is no longer fresh."""
    past = datetime(2020, 1, 1, tzinfo=UTC)
    UpstreamDocument.objects.update(fresh_until=past)
    Rendering.objects.update(fresh_until=past)
