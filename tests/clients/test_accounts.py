"""profile, token and what is not here yet, with the npm that people have: one sentence, sent once, and nothing changed."""

import json
from collections.abc import Callable

import pytest

from tests.clients.projects import write_package
from tests.parts.clients import Client, Done
from tests.parts.gate import Gate, Place
from tests.parts.gatehouse import PASSWORD
from tests.parts.pack import pack

pytestmark = [pytest.mark.npm, pytest.mark.parametrize("gate", ["sqlite"], indirect=True)]
Clients = Callable[..., Client]
LATER = {
    "stage list": "Staged publishing is not here yet",
    "stage approve 5f0b3c7e-0000-4000-8000-000000000000": "Staged publishing is not here yet",
    "stage reject 5f0b3c7e-0000-4000-8000-000000000000": "Staged publishing is not here yet",
    "stage publish": "Staged publishing is not here yet",
    "trust list left": "Trusted publishing is not here yet",
    "trust github left --file x.yml --repository acme/left --allow-publish --yes": "Trusted publishing is not here yet",
    "trust revoke left --id 5f0b3c7e-0000-4000-8000-000000000000": "Trusted publishing is not here yet",
}


def newcomer(place: Place, name: str) -> None:
    """A person of the test's own, so that nobody else's profile changes."""
    person = f"{name}-{place.slug[-6:]}"
    place.tokens[name] = place.gate.person(person)
    assert place.api().post(f"/api/v1/workspaces/{place.slug}/members/", {"username": person, "role": "publisher"}).status == 201


def child(client: Client, token: str) -> Client:
    """The same npm with another token."""
    return Client(client.tool, client.home / "child", client.registry, token)


def set_email(ann: Client, address: str) -> Done:
    """npm 6 asks for the password first (and then does not send it)."""
    words = ("profile", "set", "email", address)
    return ann.at_a_terminal(*words, answers=[("Password:", PASSWORD)]) if ann.tool == "npm-6" else ann.run(*words, ok=False)


@pytest.mark.parametrize("tool", ["npm-6", "npm-10", "npm-12"])
def test_profile(place: Place, client: Clients, gate: Gate, tool: str) -> None:
    newcomer(place, "ann")
    ann = client(tool, place, "ann")
    ann.run("profile", "set", "fullname", "Ann", "Other")
    assert "Ann Other" in ann.run("profile", "get").said
    assert "Set email to ann@other.example.org" in set_email(ann, "ann@other.example.org").said
    assert json.loads(ann.run("profile", "get", "--json").out)["email"] == "ann@other.example.org"
    assert "not enabled" in ann.run("profile", "disable-2fa").said
    with gate.unchanged():
        assert "is not kept" in ann.refused("profile", "set", "homepage", "https://ann.example.org").said
        assert "e-mail address" in set_email(ann, "nonsense").said
    if tool == "npm-12":
        answers = [("Current password:", PASSWORD), ("New password:", "battery staple horse"), ("Again:", "battery staple horse")]
        done = ann.at_a_terminal("profile", "set", "password", answers=answers)
        assert (done.code, "Set password" in done.said) == (0, True), done
        with gate.unchanged():
            done = ann.at_a_terminal("profile", "enable-2fa", answers=[("password:", "battery staple horse")])
            assert (done.code, "A second factor cannot be set up here yet" in done.said) == (1, True), done


def test_the_token_of_npm_10(place: Place, client: Clients, gate: Gate) -> None:
    place.publish(pack("left"))
    bob = client("npm-10", place, "bob")
    done = bob.at_a_terminal("token", "create", "--read-only", "--cidr=127.0.0.0/8", answers=[("password:", PASSWORD)])
    assert (done.code, "Created read only token gth_" in done.said) == (0, True), done
    secret = next(word for word in done.said.split() if word.startswith("gth_"))
    reader = child(bob, secret)
    assert reader.run("view", "left", "version").out.strip() == "1.0.0"
    with gate.unchanged():
        assert "E403" in reader.refused("publish", cwd=write_package(reader.home / "mine", "left", "2.0.0")).said
    listed = next(one for one in json.loads(bob.run("token", "list", "--json").out) if secret.startswith(one["token"]))
    assert (listed["readonly"], listed["cidr_whitelist"]) == (True, ["127.0.0.0/8"])
    assert "Removed 1 token" in bob.run("token", "revoke", listed["key"][:8]).said
    assert "E401" in reader.refused("whoami").said


@pytest.mark.parametrize("tool", ["npm", "npm-12"])
def test_the_granular_token(place: Place, client: Clients, gate: Gate, tool: str) -> None:
    place.publish(pack("left"))
    place.publish(pack("right"))
    bob = client(tool, place, "bob")
    create = ("token", "create", f"--password={PASSWORD}", "--json")
    wish = ("--name=ci", "--packages=left", "--packages-and-scopes-permission=read-write", "--expires=7", "--cidr=127.0.0.0/8")
    made = json.loads(bob.run(*create, *wish).out)
    assert made["expires"]
    narrow = child(bob, made["token"])
    assert narrow.run("view", "left", "version").out.strip() == "1.0.0"
    assert "E403" in narrow.refused("view", "right").said
    narrow.run("publish", cwd=write_package(narrow.home / "left", "left", "2.0.0"))
    with gate.unchanged():
        assert "E403" in narrow.refused("publish", cwd=write_package(narrow.home / "right", "right", "2.0.0")).said
        assert "E403" in narrow.refused("token", "create", f"--password={PASSWORD}").said
        for refused, text in (
            ((*create, "--orgs=acme", "--orgs-permission=read-write"), "A token for organisations cannot be had"),
            ((*create, "--packages=le*", "--packages-and-scopes-permission=read-only"), "is not a package name"),
            ((*create, "--packages-and-scopes-permission=read-only"), "Name `packages` or `scopes`"),
            ((*create, "--expires=-5"), "number of days"),
            (("token", "create", "--password=wrong-wrong"), "The password is wrong."),
        ):
            assert text in bob.refused(*refused).said
    unbounded = bob.run("token", "create", f"--password={PASSWORD}", "--read-only")
    assert "everything you may" in unbounded.said, "npm does not send --read-only"
    assert "Removed 1 token" in bob.run("token", "revoke", made["token"]).said
    assert "E401" in narrow.refused("whoami").said


@pytest.mark.parametrize("tool", ["npm", "npm-12"])
def test_what_is_not_here_yet(place: Place, client: Clients, gate: Gate, tool: str) -> None:
    bob = client(tool, place, "bob")
    write_package(bob.project, "new-idea")
    with gate.unchanged():
        for command, text in LATER.items():
            said = bob.refused(*command.split()).said
            assert text in said, command
            assert said.count(text) == 1, "said once, and so asked once"
            assert "do not have permission" not in said
    assert "Ok" in bob.run("doctor", "connection").said
    assert bob.run("outdated").said.strip() == ""


@pytest.mark.parametrize("tool", ["npm", "npm-12"])
def test_a_publish_from_ci_goes_on_with_its_token(place: Place, client: Clients, tool: str) -> None:
    """npm offers the identity token of its CI first, at the root of the host; refused, it says nothing and publishes."""
    bob = client(tool, place, "bob")
    bob.env |= {"CI": "true", "GITHUB_ACTIONS": "true", "NPM_ID_TOKEN": "eyJhbGciOiJub25lIn0.eyJhIjoxfQ.x"}
    done = bob.run("publish", "--loglevel=verbose", cwd=write_package(bob.home / "built", f"built-{tool}"))
    assert "/-/npm/v1/oidc/token/exchange/package/" in done.said
    assert "Trusted publishing is not here yet" in done.said
    assert place.versions(f"built-{tool}") == ["1.0.0"]
