"""People who are shut out for now, of a workspace or of the installation: nothing of theirs works, and nothing is forgotten."""

from tests.api.cast import ACME, MAIN, Cast
from tests.parts.gate import Place
from tests.parts.pack import pack
from tokens.models import Token
from workspaces.models import Event, Membership

BOB = f"{ACME}members/bob/"


def test_a_member_rests_and_wakes(cast: Cast) -> None:
    assert cast.call("bob", "GET", MAIN).status_code == 200
    answer = cast.call("adam", "PATCH", BOB, {"active": False})
    assert (answer.status_code, answer.json()) == (200, {"username": "bob", "role": "publisher", "active": False})
    assert cast.call("bob", "GET", MAIN).status_code == 404, "a stranger"
    assert cast.call("bob", "GET", "/api/v1/workspaces/").json()["results"] == []
    assert cast.call("adam", "PATCH", BOB, {"active": True, "role": "reader"}).json()["role"] == "reader"
    assert cast.call("bob", "GET", MAIN).status_code == 200
    assert list(Event.objects.filter(object="bob", action__startswith="member.").order_by("id").values_list("action", flat=True))[-3:] == [
        "member.deactivated",
        "member.set",
        "member.activated",
    ]


def test_the_last_owner_stays_and_admins_do_not_touch_owners(cast: Cast) -> None:
    assert cast.call("adam", "PATCH", f"{ACME}members/alice/", {"active": False}).status_code == 403
    assert cast.call("alice", "PATCH", f"{ACME}members/alice/", {"active": False}).json()["code"] == "last_owner"
    assert cast.call("alice", "PATCH", BOB, {"role": "owner"}).status_code == 200
    assert cast.call("bob", "PATCH", f"{ACME}members/alice/", {"active": False}).status_code == 200
    assert cast.call("bob", "PATCH", BOB, {"active": False}).json()["code"] == "last_owner", "one who rests is no owner to rely on"
    assert Membership.objects.filter(workspace__slug="acme", is_active=False).count() == 1


def test_both_or_neither(cast: Cast) -> None:
    refused = cast.call("adam", "PATCH", BOB, {"active": False, "role": "owner"})
    assert refused.status_code == 403
    assert Membership.objects.get(workspace__slug="acme", user__username="bob").is_active


def test_an_operator_shuts_a_person_out_of_everything(cast: Cast) -> None:
    assert cast.call("root", "PATCH", "/api/v1/users/bob/", {"active": False}).json()["active"] is False
    assert cast.call("bob", "GET", "/api/v1/whoami/").status_code == 401
    assert Token.objects.filter(owner__username="bob").exists(), "nothing is forgotten"
    operator = "root"
    assert cast.call("root", "PATCH", f"/api/v1/users/{operator}/", {"active": False}).status_code == 409
    assert cast.call("root", "PATCH", "/api/v1/users/nobody/", {"active": False}).status_code == 404
    assert cast.call("root", "PATCH", "/api/v1/users/bob/", {"active": True}).status_code == 200
    assert cast.call("bob", "GET", "/api/v1/whoami/").status_code == 200


def test_the_hot_path_forgets_a_resting_member_at_once(place: Place) -> None:
    """Installs are answered from memory; the very next one of somebody who was shut out is a stranger's."""
    place.publish(pack("@acme/rest", "1.0.0"))
    reader = place.as_("rita")
    for _ in range(3):
        assert reader.get("/@acme%2frest").status == 200
    member = f"/api/v1/workspaces/{place.slug}/members/rita/"
    assert place.api().patch(member, {"active": False}).status == 200
    assert {reader.get(path).status for path in ("/@acme%2frest", "/@acme/rest/-/rest-1.0.0.tgz", "/-/whoami")} == {404}
    assert place.api().patch(member, {"active": True}).status == 200
    assert reader.get("/@acme%2frest").status == 200
