"""Signatures and attestations at the npm door: our own, the upstreams', rotation, and who may ask."""

import base64
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.test import Client, override_settings

from packages.models import SigningKey, Version
from packages.services import signing
from packages.services.signing import keyid_of, sign_missing, unsigned
from registries.services import Changes, change_registry
from tests.npm.team import Team, facts
from tests.parts.pack import pack
from tests.parts.recorder import Recorder
from upstreams.clients.guard import parse_network
from upstreams.models import Upstream
from upstreams.services.sources import create_upstream
from upstreams.services.wishes import UpstreamWish
from workspaces.models import Claim, Event

INSTALL = "application/vnd.npm.install-v1+json"
THEIRS = {"keyid": "SHA256:theirs", "keytype": "ecdsa-sha2-nistp256", "scheme": "ecdsa-sha2-nistp256", "key": "QUJD", "expires": None}
SIGNATURES = [{"keyid": "SHA256:theirs", "sig": "MEUCIQ=="}]
PROVENANCE = {"predicateType": "https://slsa.dev/provenance/v1"}


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    """An upstream on loopback, which this process may reach; nothing remembered of earlier ones."""
    cache.clear()
    with Recorder() as found, override_settings(ALLOWED_PRIVATE_NETWORKS=(parse_network("127.0.0.0/8"),)):
        yield found


def join(team: Team, recorder: Recorder, **wish: Any) -> Upstream:
    """Make the recorder an upstream of the registry."""
    return create_upstream(actor=team.actor("alice"), registry=team.registry, wish=UpstreamWish(name="public", url=recorder.url, **wish))


def keys(team: Team, who: str = "rita") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = team.send(who, "GET", "/-/npm/v1/keys").json()["keys"]
    return found


def is_signed(document: dict[str, Any], listed: list[dict[str, Any]]) -> str:
    """Check a version's one signature as npm does; returns the keyid. Raises InvalidSignature."""
    (signature,) = document["dist"]["signatures"]
    key = next(key for key in listed if key["keyid"] == signature["keyid"])
    public = load_der_public_key(base64.b64decode(key["key"]))
    assert isinstance(public, ec.EllipticCurvePublicKey)
    assert (key["keytype"], key["scheme"]) == ("ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256")
    assert key["keyid"] == keyid_of(base64.b64decode(key["key"]))
    what = f"{document['name']}@{document['version']}:{document['dist']['integrity']}"
    public.verify(base64.b64decode(signature["sig"]), what.encode(), ec.ECDSA(SHA256()))
    return str(signature["keyid"])


@pytest.mark.parametrize("name", ["left", "@acme/bar"])
def test_what_is_published_is_signed_on_every_route(team: Team, name: str) -> None:
    assert keys(team) == []
    assert team.publish(name).status_code == 201
    listed = keys(team)
    assert [key["expires"] for key in listed] == [None]
    for accept in ("application/json", INSTALL):
        assert is_signed(team.send("rita", "GET", f"/{name}", accept=accept).json()["versions"]["1.0.0"], listed)
    assert is_signed(team.send("rita", "GET", f"/{name}/1.0.0").json(), listed)


def test_a_client_cannot_bring_a_signature_along(team: Team) -> None:
    lie = {"signatures": [{"keyid": "SHA256:evil", "sig": "AAAA"}], "attestations": {"url": "https://evil.example.org/"}}
    assert team.publish("left", dist=lie).status_code == 201
    dist = team.send("rita", "GET", "/left/1.0.0").json()["dist"]
    assert [one["keyid"] for one in dist["signatures"]] == [keys(team)[0]["keyid"]]
    assert "attestations" not in dist


def test_each_workspace_has_a_key_of_its_own(team: Team) -> None:
    other = Team()
    for one in (team, other):
        one.publish("@acme/bar")
    assert keys(team)[0]["keyid"] != keys(other)[0]["keyid"]


def test_the_private_half_is_sealed(team: Team) -> None:
    team.publish("left")
    row = SigningKey.objects.get(workspace=team.space)
    assert b"PRIVATE" not in bytes(row.private_sealed)
    assert b"PRIVATE" not in team.send("rita", "GET", "/-/npm/v1/keys").content


def test_rotation(team: Team) -> None:
    team.publish("left")
    old = keys(team)[0]["keyid"]
    call_command("signing-keys", "rotate", team.slug)
    team.publish("left", "1.0.1")
    listed = keys(team)
    versions = team.send("rita", "GET", "/left").json()["versions"]
    assert is_signed(versions["1.0.0"], listed) == old
    new = is_signed(versions["1.0.1"], listed)
    assert new != old
    ends = {key["keyid"]: key["expires"] for key in listed}
    assert ends[new] is None
    end = datetime.fromisoformat(ends[old])
    assert timedelta() < end - datetime.now(UTC) <= signing.OVERLAP
    event = Event.objects.get(action="signing_key.rotated", workspace=team.space)
    assert (event.old, event.new) == ({"keyid": old}, {"keyid": new})


def test_only_what_is_there_can_be_rotated(team: Team) -> None:
    before = facts()
    with pytest.raises(CommandError, match="There is no workspace nowhere"):
        call_command("signing-keys", "rotate", "nowhere")
    assert facts() == before
    assert SigningKey.objects.count() == 0


def test_versions_from_before_are_signed_in_batches(
    team: Team, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(signing, "BATCH", 2)
    for number in range(5):
        team.publish("left", f"1.0.{number}")
    Version.objects.update(signed_by="", signature="")
    Version.objects.filter(version="1.0.4").update(origin=Version.Origin.PULLED)
    assert "signatures" not in team.send("rita", "GET", "/left").json()["versions"]["1.0.0"]["dist"]
    assert unsigned() == 4
    assert sign_missing(limit=3) == 3
    call_command("signing-keys", "sign-missing")
    assert "1 versions signed" in capsys.readouterr().out
    listed, versions = keys(team), team.send("rita", "GET", "/left").json()["versions"]
    assert all(is_signed(versions[f"1.0.{number}"], listed) for number in range(4))
    assert sign_missing() == 0


def test_another_oauth_password_replaces_the_key_and_publishing_goes_on(team: Team) -> None:
    team.publish("left")
    signing._opened.clear()  # as a process that starts anew
    with override_settings(OAUTH_PASSWORD="another"):
        assert team.publish("left", "1.0.1").status_code == 201
    listed, versions = keys(team), team.send("rita", "GET", "/left").json()["versions"]
    assert is_signed(versions["1.0.0"], listed) != is_signed(versions["1.0.1"], listed)


def test_who_may_ask_for_keys(team: Team) -> None:
    for who, status in {"": 401, "mallory": 404, "gth_wrong": 401, "rita": 200}.items():
        for path in ("/-/npm/v1/keys", "/-/npm/v1/attestations/left@1.0.0"):
            answer = team.send(who, "GET", path)
            assert answer.status_code == (404 if path.endswith("0") and status == 200 else status), (who, path)
            assert (b'"keys"' in answer.content) is (answer.status_code == 200)


def test_the_upstreams_keys_stand_beside_ours(team: Team, recorder: Recorder) -> None:
    join(team, recorder)
    team.publish("@acme/bar")
    ours = keys(team)[0]["keyid"]
    cache.clear()
    recorder.answers["/-/npm/v1/keys"] = {"keys": [THEIRS, {**THEIRS, "keyid": ours}, {"keyid": 5}, {**THEIRS, "keyid": "b", "x": 1}]}
    listed = {key["keyid"]: key for key in keys(team)}
    assert set(listed) == {ours, "SHA256:theirs", "b"}
    assert listed[ours]["key"] != THEIRS["key"], "an upstream may not stand in for our own key"
    assert listed["SHA256:theirs"] == THEIRS
    recorder.forget()
    keys(team)
    assert not recorder.seen, "remembered for a while"


def test_an_upstream_in_trouble_only_misses_its_keys(team: Team, recorder: Recorder) -> None:
    join(team, recorder)
    team.publish("@acme/bar")
    recorder.answers["/-/npm/v1/keys"] = ["garbage"]
    cache.clear()
    answer = team.send("rita", "GET", "/-/npm/v1/keys")
    assert (answer.status_code, len(answer.json()["keys"])) == (200, 1)
    assert "(public)" in answer.headers["npm-notice"]
    change_registry(actor=team.actor("alice"), registry=team.registry, changes=Changes(visibility="public"))
    visitor = Client().get(f"/{team.slug}/r/main/-/npm/v1/keys")
    assert visitor.status_code == 200
    assert "public)" not in visitor.headers["npm-notice"], "where packages come from is told to members only"


def test_a_disabled_upstream_is_not_asked_for_keys(team: Team, recorder: Recorder) -> None:
    join(team, recorder, enabled=False)
    assert keys(team) == []
    assert not recorder.seen


def test_signatures_and_attestations_of_upstreams_pass_through(team: Team, recorder: Recorder) -> None:
    join(team, recorder)
    url = f"{recorder.url}/-/npm/v1/attestations/@org%2fsigned@1.0.0"
    packed = recorder.offer(pack("@org/signed"), signatures=SIGNATURES, attestations={"url": url, "provenance": PROVENANCE})
    bundle = {"attestations": [{"predicateType": PROVENANCE["predicateType"], "bundle": {"mediaType": "x"}}]}
    recorder.answers["/-/npm/v1/attestations/@org/signed@1.0.0"] = bundle
    ours = f"http://testserver/{team.slug}/r/main/-/npm/v1/attestations/@org%2fsigned@1.0.0"
    for _ in range(2):  # before and after its bytes are here
        for accept in ("application/json", INSTALL):
            dist = team.send("rita", "GET", "/@org%2fsigned", accept=accept).json()["versions"]["1.0.0"]["dist"]
            assert dist["signatures"] == SIGNATURES
            assert dist["attestations"] == {"url": ours, "provenance": PROVENANCE}
        assert team.send("rita", "GET", "/@org/signed/1.0.0").json()["dist"]["signatures"] == SIGNATURES
        assert team.send("rita", "GET", f"/@org/signed/-/{packed.filename}").getvalue() == packed.tarball
    for path in ("@org%2fsigned@1.0.0", "@org/signed@1.0.0"):
        assert team.send("rita", "GET", f"/-/npm/v1/attestations/{path}").json() == bundle
    assert team.send("rita", "GET", "/-/npm/v1/attestations/@org%2fsigned@9.9.9").status_code == 404


def test_attestations_of_internal_names_are_never_asked_for(team: Team, recorder: Recorder) -> None:
    join(team, recorder)
    Claim.objects.create(workspace=team.space, pattern="@acme/*")
    team.publish("@acme/bar")
    recorder.offer(pack("@acme/bar"), attestations={"url": "x"})
    for who in ("rita", "bob"):
        for path in ("@acme%2fbar@1.0.0", "@acme/bar@2.0.0", "@ACME/bar@1.0.0", "@acme/unborn@1.0.0"):
            assert team.send(who, "GET", f"/-/npm/v1/attestations/{path}").status_code == 404
    assert team.send("bob", "GET", "/-/npm/v1/attestations/unborn@1.0.0", npm_command="publish").status_code == 404
    assert not recorder.mentions("acme")
    assert not recorder.mentions("unborn")


def test_a_signature_over_a_longer_spelling_of_the_integrity_stays_good(team: Team, recorder: Recorder) -> None:
    join(team, recorder)
    packed = pack("spelled")
    spelling = f"sha1-{base64.b64encode(bytes.fromhex(packed.shasum)).decode()} {packed.integrity}"
    recorder.offer(packed, signatures=SIGNATURES, integrity=spelling)
    for _ in range(2):
        dist = team.send("rita", "GET", "/spelled/1.0.0").json()["dist"]
        assert (dist["integrity"], dist["signatures"]) == (spelling, SIGNATURES)
        assert team.send("rita", "GET", f"/spelled/-/{packed.filename}").getvalue() == packed.tarball
