"""Rights on packages, asked for as npm asks."""

from typing import Any

from registries.models import Registry
from tests.npm.team import Team


def about(name: str, rest: str) -> str:
    return f"/-/package/{name}/{rest}"


def set_access(team: Team, who: str, body: object, name: str = "@acme%2fbar") -> Any:
    return team.send(who, "POST", about(name, "access"), body)


def make_public(team: Team) -> None:
    Registry.objects.filter(pk=team.registry.pk).update(visibility="public")


def owners(team: Team, who: str, names: list[str], *, rev: str = "", name: str = "@acme%2fbar", reader: str = "rita") -> Any:
    rev = rev or team.send(reader, "GET", f"/{name}").json()["_rev"]
    body = {"_id": "@acme/bar", "_rev": rev, "maintainers": [{"name": one, "email": ""} for one in names]}
    return team.send(who, "PUT", f"/{name}/-rev/{rev}", body)


def maintainers(team: Team) -> list[str]:
    return [one["name"] for one in team.send("rita", "GET", "/@acme%2fbar").json()["maintainers"]]


def team_of(team: Team, *members: str, permission: str = "read-write") -> None:
    team.send("alice", "PUT", f"/-/org/{team.slug}/team", {"name": "devs"})
    for member in members:
        team.send("alice", "PUT", f"/-/team/{team.slug}/devs/user", {"user": member})
    body = {"package": "@acme/bar", "permissions": permission}
    assert team.send("alice", "PUT", f"/-/team/{team.slug}/devs/package", body).status_code == 200
