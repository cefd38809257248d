"""A browser between Gatehouse and the tests' GitHub."""

from typing import Any

import urllib3
from django.test import Client

from tests.parts.github import Person
from tokens.services.authenticate import actor_of_user
from tokens.services.identities import Visitor, link
from workspaces.models import User

BEGIN, BACK = "/www/login/providers/github", "/www/login/providers/github/callback"


def consent(address: str) -> str:
    """What a browser does at GitHub: it follows there, and is sent back to a path of ours."""
    answer = urllib3.request("GET", address, redirect=False, retries=False)
    assert answer.status == 302, address
    back = answer.headers["location"]
    assert back.startswith(f"http://testserver{BACK}?")
    return back.removeprefix("http://testserver")


def to_github(client: Client, after: str = "") -> str:
    """Press the button; where the browser comes back to."""
    answer = client.post(BEGIN, {"next": after})
    assert answer.status_code == 302
    return consent(answer["Location"])


def through(client: Client, after: str = "") -> Any:
    """There and back."""
    return client.get(to_github(client, after))


def linked(name: str, person: Person) -> None:
    """That person's account, linked."""
    visitor = Visitor(provider="github", uid=str(person.id), login=person.login, token="gho_old")
    assert link(actor=actor_of_user(User.objects.get(username=name)), visitor=visitor)


def who(client: Client) -> str:
    """Whose session it is."""
    answer = client.get("/account/")
    return str(answer.context["user"].username) if answer.status_code == 200 else ""
