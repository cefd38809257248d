"""The thin path and Django answer alike for every kind of caller, and it is known which of them answered."""

from dataclasses import dataclass

import pytest

from tests.parts.gate import Gate, Place, made
from tests.parts.gatehouse import ADMIN, PASSWORD
from tests.parts.pack import pack
from tests.parts.recorder import ABBREVIATED, Recorder
from tests.parts.web_client import Answer, Caller, basic

GZIP = {"accept-encoding": "gzip"}
SLOW = {"npm-otp": "0"}  # a header the thin path does not know; it means nothing here
PACKAGE, BARE = "@acme/hot", "hot"
SAME = ("etag", "content-type", "content-length", "content-encoding", "cache-control", "vary", "last-modified", "content-disposition")


@dataclass
class Setting:
    """A published package in a private and a public registry, warmed up."""

    gate: Gate
    private: Place
    public: Place


@pytest.fixture(scope="module")
def setting(gate: Gate) -> Setting:
    private = gate.workspace()
    public = private.second("open", visibility="public")
    for place in (private, public):
        place.publish(pack(PACKAGE))
        place.publish(pack(PACKAGE, "1.1.0", files={"big.bin": bytes(range(256)) * 4096}))
    for place in (private, public):  # only now: a publish makes the name old in the whole workspace
        for path, headers in questions():
            place.as_("alice").request("GET", path, headers=headers)
    return Setting(gate, private, public)


def questions() -> list[tuple[str, dict[str, str]]]:
    """Everything the thin path knows to answer."""
    plain = "/@acme%2fhot"
    return [
        (plain, GZIP),
        ("/@acme/hot", GZIP),
        ("/@acme%2Fhot", {**GZIP, "accept": ABBREVIATED}),
        (f"{plain}/-/{BARE}-1.0.0.tgz", {}),
        (f"{plain}/-/{BARE}-1.1.0.tgz", {}),
    ]


def token(place: Place, who: str, **fields: object) -> str:
    answer = made(place.api(who).post("/api/v1/tokens/", {"name": "hot", **fields}))
    return f"Bearer {answer['token']}"


def callers(setting: Setting, place: Place) -> dict[str, str]:
    """Authorization headers of every kind of caller."""
    tokens, slug = place.tokens, place.slug
    service = made(place.api().post(f"/api/v1/workspaces/{slug}/tokens/", {"name": "ci", "role": "reader"}))["token"]
    revoked = made(place.api("rita").post("/api/v1/tokens/", {"name": "gone"}))
    assert place.api("rita").delete(f"/api/v1/tokens/{revoked['id']}/").status == 204
    operator = made(setting.gate.admin.post("/api/v1/tokens/", {"name": "op"}))["token"]
    return {
        "nobody": "",
        "garbage": "Bearer gth_" + "0" * 46,
        "not a token of ours": "Bearer abc",
        "revoked": f"Bearer {revoked['token']}",
        "stranger": f"Bearer {tokens['mallory']}",
        "reader": f"Bearer {tokens['rita']}",
        "publisher": f"Bearer {tokens['bob']}",
        "owner": f"Bearer {tokens['alice']}",
        "operator": f"Bearer {operator}",
        "service": f"Bearer {service}",
        "read-only": token(place, "bob", read_only=True),
        "scoped to it": token(place, "bob", scopes=["npm:package:@acme/*:read"]),
        "scoped to write it": token(place, "bob", scopes=["npm:package:@acme/hot:write"]),
        "scoped elsewhere": token(place, "bob", scopes=["npm:package:@other/*:read"]),
        "scoped to OCI": token(place, "bob", scopes=["oci:*:*:pull"]),
        "no scope at all": token(place, "bob", scopes=[]),
        "this registry": token(place, "bob", registries=[f"{slug}/{place.registry}"]),
        "no registry": token(place, "bob", registries=[]),
        "another registry": token(place, "bob", registries=[f"{slug}/{'open' if place.registry == 'main' else 'main'}"]),
        "this address": token(place, "bob", cidrs=["127.0.0.0/8"]),
        "another address": token(place, "bob", cidrs=["10.9.8.0/24"]),
        "Basic with a token": basic("x", tokens["rita"]),
        "Basic with a password": basic(ADMIN, PASSWORD),
    }


def may_read(kind: str, *, public: bool) -> bool:
    good = {"reader", "publisher", "owner", "operator", "service", "read-only", "scoped to it", "scoped to write it"}
    good |= {"this registry", "this address"}
    return kind in good or (public and kind in {"nobody", "stranger"})


def is_hot(answer: Answer) -> bool:
    return answer.headers.get("x-gatehouse-path") == "hot"


@pytest.mark.parametrize("visibility", ["private", "public"])
def test_every_caller_hears_the_same_from_both(setting: Setting, visibility: str) -> None:
    place = setting.private if visibility == "private" else setting.public
    for kind, authorization in callers(setting, place).items():
        caller = Caller(setting.gate.url + place.path, authorization)
        for method in ("GET", "HEAD"):
            for path, headers in questions():
                fast = caller.request(method, path, headers=headers)
                slow = caller.request(method, path, headers={**headers, **SLOW})
                where = f"{kind}: {method} {path}"
                assert not is_hot(slow), where
                assert (fast.status, fast.body) == (slow.status, slow.body), where
                assert {name: fast.headers.get(name) for name in SAME} == {name: slow.headers.get(name) for name in SAME}, where
                expected = may_read(kind, public=visibility == "public")
                assert is_hot(fast) is expected, f"{where}: {fast.status}"
                if expected:
                    assert fast.status == 200, where
                elif not kind.startswith("Basic"):
                    assert fast.status in {401, 403, 404}, where


def test_validators_mean_the_same_on_both(setting: Setting) -> None:
    caller = setting.private.as_("rita")
    for path, headers in questions():
        etag = caller.request("GET", path, headers=headers).headers["etag"]
        for listed in (etag, f"W/{etag}", f'"other", {etag}', "*", '"other"'):
            fast = caller.request("GET", path, headers={**headers, "if-none-match": listed})
            slow = caller.request("GET", path, headers={**headers, "if-none-match": listed, **SLOW})
            assert fast.status == slow.status == (200 if listed == '"other"' else 304), (path, listed)
            assert (is_hot(fast), is_hot(slow)) == (True, False)
            assert fast.body == slow.body


def both_workers(caller: Caller, path: str, headers: dict[str, str], tries: int = 12) -> list[Answer]:
    """The same question often enough, on connections of its own, to reach every worker process."""
    return [caller.request("GET", path, headers=headers) for _ in range(tries)]


def test_a_revoked_token_ends_at_once_on_every_process(setting: Setting) -> None:
    place = setting.private
    issued = made(place.api("rita").post("/api/v1/tokens/", {"name": "short"}))
    caller = Caller(setting.gate.url + place.path, f"Bearer {issued['token']}")
    assert all(is_hot(answer) for answer in both_workers(caller, "/@acme%2fhot", GZIP))
    assert place.api("rita").delete(f"/api/v1/tokens/{issued['id']}/").status == 204
    assert {answer.status for answer in both_workers(caller, "/@acme%2fhot", GZIP)} == {401}


def test_a_removed_member_ends_at_once(gate: Gate) -> None:
    place = gate.workspace()
    place.publish(pack(PACKAGE))
    rita = place.as_("rita")
    assert is_hot(both_workers(rita, "/@acme%2fhot", GZIP)[-1])
    assert place.api().delete(f"/api/v1/workspaces/{place.slug}/members/rita/").status == 204
    assert {answer.status for answer in both_workers(rita, "/@acme%2fhot", GZIP)} == {404}


def test_a_publish_and_a_tag_show_at_once_on_every_process(gate: Gate) -> None:
    place = gate.workspace()
    place.publish(pack(PACKAGE))
    rita = place.as_("rita")
    for minor in range(1, 4):
        before = both_workers(rita, "/@acme%2fhot", {**GZIP, "accept": ABBREVIATED}, 4)[-1]
        assert is_hot(before)
        place.publish(pack(PACKAGE, f"1.{minor}.0"))
        after = both_workers(rita, "/@acme%2fhot", {"accept-encoding": "identity"}, 6)
        assert all(f"1.{minor}.0" in answer.json()["versions"] for answer in after)
        assert all(answer.headers["etag"] != before.headers["etag"] for answer in both_workers(rita, "/@acme%2fhot", GZIP, 4))


def test_a_registry_made_private_closes_at_once(gate: Gate) -> None:
    place = gate.workspace(visibility="public")
    place.publish(pack(PACKAGE))
    nobody = place.as_("")
    assert is_hot(both_workers(nobody, "/@acme%2fhot", GZIP)[-1])
    assert place.api().patch(place.rest, {"visibility": "private"}).status == 200
    assert {answer.status for answer in both_workers(nobody, "/@acme%2fhot", GZIP)} == {401}


def test_a_claim_hides_what_was_pulled_at_once(gate: Gate, recorder: Recorder) -> None:
    place = gate.workspace()
    recorder.add("plain-thing")
    place.upstream(recorder)
    rita, tarball = place.as_("rita"), "/plain-thing/-/plain-thing-1.0.0.tgz"
    for path, headers in (("/plain-thing", GZIP), (tarball, {})):
        assert rita.request("GET", path, headers=headers).status == 200
        assert is_hot(both_workers(rita, path, headers)[-1])
    place.claim("plain-*")
    for path, headers in (("/plain-thing", GZIP), (tarball, {})):
        assert {answer.status for answer in both_workers(rita, path, headers)} == {404}


def test_an_unpublished_version_is_gone_at_once(gate: Gate) -> None:
    place = gate.workspace()
    place.publish(pack(PACKAGE))
    place.publish(pack(PACKAGE, "1.1.0"))
    rita, tarball = place.as_("rita"), "/@acme%2fhot/-/hot-1.1.0.tgz"
    both_workers(rita, "/@acme%2fhot", GZIP, 2)
    assert is_hot(both_workers(rita, tarball, {})[-1])
    gone = place.api().delete(f"{place.rest}packages/npm/@acme%2Fhot/versions/1.1.0/")
    assert gone.status == 204
    assert {answer.status for answer in both_workers(rita, tarball, {})} == {404}
