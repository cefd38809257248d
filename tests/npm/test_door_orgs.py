"""`npm org` and `npm team`: members and groups in npm's words, by the rules REST has for members."""

from collections.abc import Callable
from typing import Any

import pytest

from packages.models import Package
from registries.models import PackageRight
from tests.npm.team import Team, facts
from tests.parts.rows import rows
from workspaces.access import Role
from workspaces.models import Claim, Event, Group, GroupMember, Membership, User


def role(team: Team, who: str) -> int | None:
    found = Membership.objects.filter(workspace=team.space, user__username=who).first()
    return found.role if found else None


def org(team: Team, rest: str = "/user") -> str:
    return f"/-/org/{team.slug}{rest}"


def put(team: Team, who: str, user: str, role: str | None) -> Any:
    return team.send(who, "PUT", org(team), {"user": user} | ({"role": role} if role else {}))


def test_members_are_listed_in_npms_words(team: Team) -> None:
    for who in ("rita", "bob", "alice"):
        assert team.send(who, "GET", org(team)).json() == {"alice": "owner", "bob": "developer", "rita": "reader"}
    assert team.send("rita", "GET", f"/-/org/@{team.slug}/user").status_code == 200


def test_set_adds_and_changes(team: Team) -> None:
    answer = put(team, "alice", "mallory", None)
    assert answer.status_code == 200
    assert answer.json() == {"org": {"name": team.slug, "size": 4}, "user": "mallory", "role": "developer"}
    assert role(team, "mallory") == Role.PUBLISHER
    assert put(team, "alice", "@mallory", "admin").status_code == 200
    assert role(team, "mallory") == Role.ADMIN
    assert put(team, "mallory", "rita", "developer").status_code == 200
    assert put(team, "mallory", "rita", "reader").json()["role"] == "reader"
    assert role(team, "rita") == Role.READER
    assert put(team, "alice", "mallory", "owner").status_code == 200
    assert team.send("alice", "DELETE", org(team), {"user": "rita"}).status_code == 200
    assert role(team, "rita") is None
    assert Event.objects.filter(workspace=team.space, action__in=("member.set", "member.removed")).count() == 6


def test_refusals_of_set_and_rm_change_nothing(team: Team) -> None:
    team.person("adam", Role.ADMIN)
    before = facts()
    for who, code in {"": 401, "gth_wrong": 401, "mallory": 404, "rita": 403, "bob": 403}.items():
        assert put(team, who, "mallory", "developer").status_code == code, who
        assert team.send(who, "DELETE", org(team), {"user": "rita"}).status_code == code, who
    for who, user, to, code in [
        ("adam", "rita", "owner", 403),  # only owners make owners
        ("adam", "alice", "developer", 403),
        ("alice", "alice", "admin", 409),  # the last owner
        ("alice", "nobody-there", "developer", 400),
        ("alice", "rita", "emperor", 400),
        ("alice", "", "developer", 400),
        ("alice", "a\0b", "developer", 400),
    ]:
        assert put(team, who, user, to).status_code == code, (who, user, to)
    assert team.send("adam", "DELETE", org(team), {"user": "alice"}).status_code == 403
    assert team.send("alice", "DELETE", org(team), {"user": "alice"}).status_code == 409
    assert team.send("alice", "DELETE", org(team), {"user": "mallory"}).status_code == 404
    for body in (b"", b"[]", b"{", {"user": 1}, {"user": None}, {"user": "x" * 501}):
        assert team.send("alice", "PUT", org(team), body).status_code == 400, body
    for word in ("other", "@other", "%00", "x" * 300):
        answer = team.send("alice", "PUT", f"/-/org/{word}/user", {"user": "mallory"})
        assert answer.status_code == 404
    assert "this registry belongs to" in team.send("rita", "GET", "/-/org/other/user").json()["error"]
    assert team.send("alice", "POST", org(team), {}).status_code == 405
    assert facts() == before


@pytest.mark.parametrize("wish", [{"read_only": True}, {"scopes": ["npm:*:*:*"]}, {"registries": []}])
def test_a_narrowed_token_manages_nobody(team: Team, wish: dict[str, Any]) -> None:
    token = team.token("alice", **({"registries": [team.registry.pk]} if "registries" in wish else wish))
    before = facts()
    assert put(team, token, "mallory", "developer").status_code == 403
    assert team.send(token, "DELETE", org(team), {"user": "rita"}).status_code == 403
    assert team.send(token, "PUT", org(team, "/team"), {"name": "devs"}).status_code == 403
    assert facts() == before
    assert team.send(token, "GET", org(team)).status_code == 200


def test_a_scope_is_the_organisation_once_it_is_claimed(team: Team) -> None:
    assert team.send("rita", "GET", "/-/org/acme/user").status_code == 404
    Claim.objects.create(workspace=team.space, pattern="@acme/*")
    for word in ("acme", "@acme", "%40acme"):
        assert team.send("rita", "GET", f"/-/org/{word}/user").json()["alice"] == "owner"
    assert team.send("alice", "PUT", "/-/org/acme/team", {"name": "devs"}).status_code == 201
    assert team.send("rita", "GET", "/-/org/acme/team?format=cli").json() == ["acme:devs"]


def test_teams(team: Team) -> None:
    made = team.send("alice", "PUT", org(team, "/team"), {"name": "devs", "description": "All of them"})
    assert (made.status_code, made.json()) == (201, {"name": "devs", "description": "All of them"})
    users = f"/-/team/{team.slug}/devs/user"
    assert team.send("alice", "PUT", users, {"user": "rita"}).status_code == 201
    assert team.send("alice", "PUT", users, {"user": "rita"}).status_code == 200
    assert team.send("alice", "PUT", users, {"user": "@bob"}).status_code == 201
    assert team.send("rita", "GET", f"{users}?format=cli").json() == ["bob", "rita"]
    assert team.send("rita", "GET", org(team, "/team?format=cli")).json() == [f"{team.slug}:devs"]
    assert team.send("rita", "GET", org(team, "/team")).json() == [{"name": "devs"}]  # as pnpm 12 asks
    assert team.send("rita", "GET", users).json() == [{"name": "bob"}, {"name": "rita"}]
    assert team.send("alice", "DELETE", users, {"user": "bob"}).status_code == 200
    assert team.send("rita", "GET", f"{users}?format=cli").json() == ["rita"]
    assert team.send("alice", "DELETE", f"/-/team/{team.slug}/devs").status_code == 200
    assert not Group.objects.exists()
    actions = list(Event.objects.filter(action__startswith="group.").order_by("id").values_list("action", flat=True))
    assert actions == ["group.created", "group.member_added", "group.member_added", "group.member_removed", "group.destroyed"]


def test_refusals_of_teams_change_nothing(team: Team) -> None:
    team.send("alice", "PUT", org(team, "/team"), {"name": "devs"})
    users, teams = f"/-/team/{team.slug}/devs/user", org(team, "/team")
    before = facts()
    for who, code in {"": 401, "gth_wrong": 401, "mallory": 404, "rita": 403, "bob": 403}.items():
        assert team.send(who, "PUT", teams, {"name": "ops"}).status_code == code
        assert team.send(who, "DELETE", f"/-/team/{team.slug}/devs").status_code == code
        assert team.send(who, "PUT", users, {"user": "rita"}).status_code == code
        assert team.send(who, "DELETE", users, {"user": "rita"}).status_code == code
        if code != 403:
            assert team.send(who, "GET", users).status_code == code
            assert team.send(who, "GET", teams).status_code == code
    assert team.send("alice", "PUT", teams, {"name": "devs"}).status_code == 409
    for name in ("", "Devs", "-x", "a b", "a/b", "x" * 41, "a\0", None, 7):
        assert team.send("alice", "PUT", teams, {"name": name}).status_code == 400, name
    assert team.send("alice", "PUT", teams, {"name": "ops", "description": "x" * 501}).status_code == 400
    for user, code in (("mallory", 404), ("nobody", 404), ("", 400), (3, 400)):
        assert team.send("alice", "PUT", users, {"user": user}).status_code == code
    assert team.send("alice", "DELETE", users, {"user": "rita"}).status_code == 404
    for method in ("GET", "PUT", "DELETE"):
        body = None if method == "GET" else {"user": "rita"}
        assert team.send("alice", method, f"/-/team/{team.slug}/ops/user", body).status_code == 404
        assert team.send("alice", method, "/-/team/other/devs/user", body).status_code == 404
    assert team.send("alice", "DELETE", f"/-/team/{team.slug}/ops").status_code == 404
    assert facts() == before


NAMELESS = "SELECT COUNT(*) FROM {} r LEFT JOIN packages_package p USING (registry_id, format, name) WHERE p.id IS NULL"
HOLDERLESS = (
    "SELECT COUNT(*) FROM registries_packageright r JOIN registries_registry g ON g.id = r.registry_id"
    " LEFT JOIN workspaces_membership m ON m.id = r.member_id LEFT JOIN workspaces_group o ON o.id = r.group_id"
    " WHERE COALESCE(m.workspace_id, o.workspace_id, 0) <> g.workspace_id"
)
GONE = "SELECT COUNT(*) FROM {} r LEFT JOIN workspaces_membership m ON m.id = r.member_id WHERE m.id IS NULL"
ORPHANS = (
    NAMELESS.format("registries_packageright"),
    NAMELESS.format("registries_restrictedname"),
    HOLDERLESS,
    GONE.format("workspaces_groupmember"),
    GONE.format("packages_star"),
)


def publishes(team: Team, who: str, version: str) -> int:
    return int(team.publish("@acme/foo", version, who=who).status_code)


def give(team: Team) -> None:
    """Let rita write @acme/foo as one of the devs."""
    of_devs = f"/-/team/{team.slug}/devs"
    grant = {"package": "@acme/foo", "permissions": "read-write"}
    team.send("alice", "PUT", org(team, "/team"), {"name": "devs"})
    assert team.send("alice", "PUT", f"{of_devs}/user", {"user": "rita"}).status_code in {200, 201}
    assert team.send("alice", "PUT", f"{of_devs}/package", grant).status_code == 200


def test_rights_end_at_once(team: Team) -> None:
    """threats A4: a group changes or goes, a right is revoked."""
    team.publish("@acme/foo")
    grants = f"/-/team/{team.slug}/devs/package"
    users = f"/-/team/{team.slug}/devs/user"
    give(team)
    assert publishes(team, "rita", "1.1.0") == 201
    endings: list[Callable[[], Any]] = [
        lambda: team.send("alice", "DELETE", users, {"user": "rita"}),
        lambda: team.send("alice", "DELETE", f"/-/team/{team.slug}/devs"),
        lambda: team.send("alice", "DELETE", grants, {"package": "@acme/foo"}),
        lambda: team.send("alice", "PUT", grants, {"package": "@acme/foo", "permissions": "read-only"}),
    ]
    for number, end in enumerate(endings):
        give(team)
        assert publishes(team, "rita", f"2.{number}.0") == 201
        assert end().status_code == 200
        assert publishes(team, "rita", f"2.{number}.1") == 403


def test_no_right_outlives_what_it_hangs_on(team: Team) -> None:
    """threats A4: a member leaves, a package is deleted, a person is; no row is left over."""
    team.publish("@acme/foo")
    give(team)
    team.send("rita", "PUT", "/@acme%2ffoo", {"_id": "@acme/foo", "users": {"rita": True}})
    put(team, "alice", "mallory", "admin")
    assert publishes(team, "rita", "3.0.0") == 201
    assert team.send("alice", "DELETE", org(team), {"user": "rita"}).status_code == 200
    assert publishes(team, "rita", "3.0.1") == 404
    put(team, "alice", "rita", "reader")
    assert publishes(team, "rita", "3.0.1") == 403  # nothing comes back with the membership
    give(team)
    team.send("alice", "POST", "/-/package/@acme%2ffoo/access", {"access": "restricted"})
    rev = team.send("alice", "GET", "/@acme%2ffoo?write=true").json()["_rev"]
    assert team.send("alice", "DELETE", f"/@acme%2ffoo/-rev/{rev}").status_code == 200
    assert not Package.objects.exists()
    assert not PackageRight.objects.exists()
    assert [rows(ask)[0][0] for ask in ORPHANS] == [0] * len(ORPHANS)
    User.objects.filter(username="rita").delete()
    assert not GroupMember.objects.exists()
    assert [rows(ask)[0][0] for ask in ORPHANS] == [0] * len(ORPHANS)
