"""Where credentials and connections may go (threats.md U1 to U14)."""

import pytest

from tests.parts import faults
from tests.parts.gate import Gate, Place
from tests.parts.pack import pack
from tests.parts.recorder import Recorder
from tests.rule_live.asking import proven

SECRET = "s3cr3t-of-the-partner"
AUTH = {
    "bearer": {"auth_type": "bearer", "secret": SECRET},
    "basic": {"auth_type": "basic", "username": "gatehouse", "secret": SECRET},
}


@pytest.mark.parametrize("kind", AUTH)
def test_credentials_are_sent_to_their_upstream(place: Place, recorder: Recorder, kind: str) -> None:
    recorder.demand(kind, "gatehouse", secret=SECRET)
    packed = recorder.offer(pack("behind-a-lock"))
    answer = place.upstream(recorder, **AUTH[kind])

    assert SECRET not in str(answer)
    assert place.versions("behind-a-lock") == ["1.0.0"]
    assert place.as_("rita").get("/behind-a-lock/-/behind-a-lock-1.0.0.tgz").body == packed.tarball


def test_refused_credentials_are_a_502(place: Place, recorder: Recorder) -> None:
    recorder.demand("bearer", secret="another")
    place.upstream(recorder, **AUTH["bearer"])
    answer = place.as_("rita").get("/behind-a-lock")

    assert answer.status == 502, answer
    assert SECRET not in answer.text


@pytest.mark.parametrize("where", ["packument", "tarball"])
def test_a_redirect_elsewhere_carries_none(place: Place, recorder: Recorder, other_recorder: Recorder, where: str) -> None:
    packed = pack("moved-away")
    for one in (recorder, other_recorder):
        one.offer(packed)
    path = "/moved-away" if where == "packument" else f"/moved-away/-/{packed.filename}"
    recorder.misbehave("moved-away", faults.redirect(other_recorder.url + path), where=where)
    place.upstream(recorder, **AUTH["bearer"])

    assert place.versions("moved-away") == ["1.0.0"]
    assert place.as_("rita").get(f"/moved-away/-/{packed.filename}").body == packed.tarball
    assert other_recorder.seen
    assert all("authorization" not in one.headers for one in other_recorder.seen)
    assert not other_recorder.mentions(SECRET)
    assert recorder.mentions(SECRET)


def test_a_redirect_within_the_origin_carries_them(place: Place, recorder: Recorder) -> None:
    recorder.demand("bearer", secret=SECRET)
    recorder.add("new-home")
    recorder.misbehave("old-home", faults.redirect("/new-home"))
    place.upstream(recorder, **AUTH["bearer"])
    place.as_("rita").get("/old-home")

    assert recorder.asked("new-home")[0].headers["authorization"] == f"Bearer {SECRET}"


def test_a_tarball_on_another_host_gets_none(place: Place, recorder: Recorder, other_recorder: Recorder) -> None:
    packed = other_recorder.offer(pack("cdn-hosted"))
    recorder.offer(packed, tarball=f"{other_recorder.url}/cdn-hosted/-/{packed.filename}")
    place.upstream(recorder, **AUTH["bearer"])
    shown = place.as_("rita").get("/cdn-hosted").json()["versions"]["1.0.0"]["dist"]["tarball"]

    assert shown.startswith(place.url), "clients are sent to us, and to nobody else"
    assert place.as_("rita").get(f"/cdn-hosted/-/{packed.filename}").body == packed.tarball
    assert all("authorization" not in one.headers for one in other_recorder.seen)


def test_the_clients_own_credentials_stay_here(place: Place, recorder: Recorder) -> None:
    proven(place, recorder)
    recorder.add("asked-by-rita")
    place.as_("rita").request(
        "GET", "/asked-by-rita", headers={"cookie": "sessionid=abc", "npm-otp": "123456", "x-forwarded-for": "10.1.2.3"}
    )
    place.as_("rita").get("/asked-by-rita/-/asked-by-rita-1.0.0.tgz")

    assert recorder.asked("asked-by-rita")
    assert not recorder.mentions(place.tokens["rita"])
    for header in ("authorization", "cookie", "npm-otp", "x-forwarded-for", "referer"):
        assert all(header not in one.headers for one in recorder.seen), header


def test_a_moved_address_drops_the_secret(place: Place, recorder: Recorder, other_recorder: Recorder) -> None:
    made = place.upstream(recorder, **AUTH["bearer"])
    path = f"{place.rest}upstreams/{made['id']}/"
    refused = place.api().patch(path, {"url": other_recorder.url})
    assert (refused.status, refused.json()["code"]) == (400, "secret_required"), refused
    place.as_("rita").get("/whatever")

    assert not other_recorder.seen
    assert place.api().patch(path, {"url": other_recorder.url, "secret": "a new one"}).status == 200
    place.as_("rita").get("/whatever-else")
    assert other_recorder.mentions("a new one")
    assert not other_recorder.mentions(SECRET)


def test_no_secret_in_answers_or_logs(place: Place, gate: Gate, recorder: Recorder) -> None:
    place.upstream(recorder, **AUTH["bearer"])
    recorder.misbehave("*", faults.status(500))
    place.as_("rita").get("/fails")
    said = place.api().get(place.rest + "upstreams/").text + place.api().get(f"/api/v1/workspaces/{place.slug}/events/").text

    assert SECRET not in said
    assert SECRET not in gate.server.log()


FORBIDDEN = [
    "http://127.0.0.1:9", "http://localhost:9", "http://[::1]:9", "http://2130706433:9", "http://0x7f.1:9", "http://0177.0.0.1:9",
    "http://127.1:9", "http://[::ffff:127.0.0.1]:9", "http://169.254.169.254", "http://10.0.0.1", "http://192.168.1.1", "http://172.16.0.1",
    "http://100.64.0.1", "http://0.0.0.0:9", "http://[fd00::1]", "http://[fe80::1]", "http://[64:ff9b::7f00:1]", "http://foo.localhost:9",
    "file:///etc/passwd", "ftp://registry.example.org", "http://user:pw@registry.example.org", "gopher://127.0.0.1", "http://", "not a url",
]  # fmt: skip


@pytest.mark.parametrize("address", FORBIDDEN)
def test_a_private_address_is_refused_when_saved(strict_gate: Gate, strict_place: Place, address: str) -> None:
    with strict_gate.unchanged():
        answer = strict_place.api().post(
            strict_place.rest + "upstreams/", {"name": "inside", "kind": "url", "format": "npm", "url": address}
        )

    assert answer.status == 400, answer
    assert "url" in answer.json()["fields"]


def test_a_private_address_is_refused_when_connecting(strict_gate: Gate, strict_place: Place, public: Recorder, recorder: Recorder) -> None:
    recorder.add("sink")
    wish = {"name": "edited", "kind": "url", "format": "npm", "url": public.url}
    assert strict_place.api().post(strict_place.rest + "upstreams/", wish).status == 201
    strict_gate.execute("UPDATE upstreams_upstream SET url = ? WHERE name = 'edited'", recorder.url)
    answer = strict_place.as_("rita").get("/sink")

    assert answer.status == 502, answer
    assert not recorder.seen, "no connection is made"


@pytest.mark.parametrize("where", ["packument", "tarball", "dist"])
def test_a_redirect_to_a_private_address_is_refused(
    strict_gate: Gate, strict_place: Place, public: Recorder, recorder: Recorder, where: str
) -> None:
    packed = pack(f"lured-{where}")
    recorder.offer(packed)
    address = f"{recorder.url}/{packed.name}" + ("" if where == "packument" else f"/-/{packed.filename}")
    public.offer(packed, **({"tarball": address} if where == "dist" else {}))
    if where != "dist":
        public.misbehave(packed.name, faults.redirect(address), where=where)
    wish = {"name": "trusted", "kind": "url", "format": "npm", "url": public.url}
    assert strict_place.api().post(strict_place.rest + "upstreams/", wish).status == 201
    caller = strict_place.as_("rita")
    answer = caller.get(f"/{packed.name}" + ("" if where == "packument" else f"/-/{packed.filename}"))

    assert answer.status == 502, answer
    assert public.asked(packed.name)
    assert not recorder.seen, "no connection is made"
