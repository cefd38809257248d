"""Joining a workspace by a link: once, for five days, only while it may be given, through sign-in and sign-up."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from tests.parts.github import GitHub
from tests.web.conftest import PASSWORD, World
from tests.web.github import through
from workspaces.access import Role
from workspaces.models import Event, Invitation, Membership, User
from workspaces.services.invitations import MOST

PAGE = "/acme/people/invitations/"
LINK = re.compile(r"/account/invitations/[\w-]{43}/")


def invited(alice: Client, role: str = "publisher", email: str = "") -> str:
    """The path of a new invitation's link."""
    answer = alice.post(PAGE, {"role": role, "email": email})
    assert answer.status_code == 201, answer.content.decode()
    found = LINK.search(answer.content.decode())
    assert found is not None
    return found.group()


def role_of(name: str) -> Role | None:
    member = Membership.objects.filter(workspace__slug="acme", user__username=name).first()
    return Role(member.role) if member else None


def test_the_link_is_shown_once_and_only_its_digest_is_kept(alice: Client) -> None:
    link = invited(alice, email="mona@example.org")
    page = alice.get(PAGE).content.decode()
    assert "mona@example.org" in page
    assert link not in page
    secret = link.split("/")[-2]
    kept = Invitation.objects.get()
    assert secret not in str(vars(kept))
    assert timedelta(days=4, hours=23) < kept.expires_at - timezone.now() <= timedelta(days=5)
    event = Event.objects.get(action="invitation.created")
    assert (event.actor, event.object, event.new) == ("alice", "mona@example.org", {"role": "publisher"})
    assert "invitation of mona@example.org" in alice.post(PAGE, {"role": "reader", "email": "mona@example.org"}).content.decode()


def test_a_member_joins_with_one_click_and_the_link_is_used_up(alice: Client, sign_in: Callable[[str], Client]) -> None:
    link, mallory = invited(alice), sign_in("mallory")
    page = mallory.get(link).content.decode()
    assert "Join as mallory" in page
    assert role_of("mallory") is None  # a look changes nothing
    assert mallory.post(link)["Location"] == "/acme/"
    assert role_of("mallory") is Role.PUBLISHER
    told = [(one.actor, one.action) for one in Event.objects.order_by("-id")[:2]]
    assert told == [("mallory", "member.set"), ("mallory", "invitation.accepted")]
    Membership.objects.filter(user__username="mallory", workspace__slug="acme").delete()
    for again in (mallory.get(link), mallory.post(link), Client(headers={"accept": "text/html"}).get(link)):
        assert again.status_code == 410
        assert "was used already" in again.content.decode()
    assert role_of("mallory") is None


def test_who_belongs_already_does_not_use_the_link_up(alice: Client, sign_in: Callable[[str], Client]) -> None:
    link, rita = invited(alice), sign_in("rita")
    assert "You belong to it already" in rita.get(link).content.decode()
    assert rita.post(link).status_code == 409
    assert role_of("rita") is Role.READER
    assert sign_in("mallory").post(link).status_code == 302


def test_it_survives_signing_in(alice: Client, nobody: Client) -> None:
    link = invited(alice)
    page = nobody.get(link).content.decode()
    assert f'href="/login?next={link}"' in page
    answer = nobody.post("/login", {"username": "mallory", "password": PASSWORD, "next": link})
    assert answer["Location"] == link
    assert nobody.post(link).status_code == 302
    assert role_of("mallory") is Role.PUBLISHER


def test_it_survives_making_an_account_where_only_the_invited_may(alice: Client, nobody: Client, settings: Settings) -> None:
    settings.SIGNUP = "invited"
    cache.clear()
    link = invited(alice, "reader")
    assert nobody.get("/www/signup").status_code == 302
    assert f'href="/www/signup?next={link}"' in nobody.get(link).content.decode()
    assert f'name="next" value="{link}"' in nobody.get(f"/www/signup?next={link}").content.decode()
    fields = {"username": "mona", "email": "", "new": PASSWORD, "repeat": PASSWORD, "next": link}
    assert nobody.post("/www/signup", fields)["Location"] == link
    assert nobody.post(link).status_code == 302
    assert role_of("mona") is Role.READER
    cache.clear()  # whoever comes next signs up from the same address


def test_it_survives_making_an_account_with_github(hub: GitHub, alice: Client, nobody: Client, settings: Settings) -> None:
    settings.SIGNUP = "invited"
    link = invited(alice)
    nobody.get(link)
    assert through(nobody, link)["Location"] == "/www/signup"
    assert nobody.post("/www/signup", {"username": "mona", "email": ""})["Location"] == link
    assert nobody.post(link).status_code == 302
    assert role_of("mona") is Role.PUBLISHER


def test_a_closed_installation_offers_no_account(alice: Client, nobody: Client, settings: Settings) -> None:
    settings.SIGNUP = "closed"
    page = nobody.get(invited(alice)).content.decode()
    assert "/www/signup" not in page
    assert "its operator makes them" in page


def test_an_expired_link_is_over_and_lets_nobody_sign_up(alice: Client, nobody: Client, settings: Settings) -> None:
    settings.SIGNUP = "invited"
    link = invited(alice)
    Invitation.objects.update(expires_at=timezone.now())
    answer = nobody.get(link)
    assert answer.status_code == 410
    assert "has expired" in answer.content.decode()
    assert nobody.get("/www/signup").status_code == 302
    assert "None: every link" in alice.get(PAGE).content.decode()


def test_a_withdrawn_link_is_over(alice: Client, sign_in: Callable[[str], Client]) -> None:
    link, made = invited(alice), Invitation.objects.get()
    address = f"{PAGE}{made.pk}/withdraw/"
    assert "Withdraw the invitation?" in alice.post(address).content.decode()
    assert alice.post(address, {"confirm": "yes"}).status_code == 302
    assert sign_in("mallory").post(link).status_code == 410
    assert alice.post(address, {"confirm": "yes"}).status_code == 404
    assert Event.objects.filter(action="invitation.withdrawn").count() == 1


def test_of_another_workspace_nothing_can_be_withdrawn(alice: Client, sign_in: Callable[[str], Client]) -> None:
    invited(alice)
    number = Invitation.objects.get().pk
    assert sign_in("mallory").post(f"/globex/people/invitations/{number}/withdraw/", {"confirm": "yes"}).status_code == 404
    assert Invitation.objects.get().ended_at is None


def _demoted() -> None:
    Membership.objects.filter(user__username="bob").update(role=Role.PUBLISHER)


def _removed() -> None:
    Membership.objects.filter(user__username="bob").delete()


def _deactivated() -> None:
    User.objects.filter(username="bob").update(is_active=False)


@pytest.mark.parametrize("fall", [_demoted, _removed, _deactivated])
def test_a_word_holds_while_whoever_gave_it_may_give_it(fall: Callable[[], None], world: World, sign_in: Callable[[str], Client]) -> None:
    Membership.objects.filter(user__username="bob").update(role=Role.ADMIN)
    link = invited(sign_in("bob"))
    fall()
    assert sign_in("mallory").post(link).status_code == 410
    assert role_of("mallory") is None


def test_only_an_owner_invites_an_owner(world: World, sign_in: Callable[[str], Client]) -> None:
    Membership.objects.filter(user__username="bob").update(role=Role.ADMIN)
    answer = sign_in("bob").post(PAGE, {"role": "owner", "email": ""})
    assert answer.status_code == 403
    assert "Only an owner invites an owner." in answer.content.decode()
    assert not Invitation.objects.exists()


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"role": "king"},
        {"role": "reader", "email": "not an address"},
        {"role": "reader", "email": "a\x00@example.org"},
        {"role": "reader", "email": "a@example.org\r\nBcc: b@example.org"},
        {"role": "reader", "email": "x" * 1_000_000 + "@example.org"},
        {"role": "reader", "email": "<script>alert(1)</script>@example.org"},
    ],
)
def test_what_cannot_be_invited(fields: dict[str, str], alice: Client) -> None:
    answer = alice.post(PAGE, fields)
    assert answer.status_code == 400
    assert "<script>alert" not in answer.content.decode()
    assert not Invitation.objects.exists()


def test_there_is_an_end_to_open_links(alice: Client, world: World) -> None:
    until = timezone.now() + timedelta(days=1)
    Invitation.objects.bulk_create(
        Invitation(workspace=world.workspace, digest=str(number), role=Role.READER, expires_at=until) for number in range(MOST)
    )
    assert alice.post(PAGE, {"role": "reader", "email": ""}).status_code == 409
    Invitation.objects.filter(digest="7").update(ended_at=timezone.now())
    invited(alice)


@pytest.mark.parametrize("secret", ["nothing", "%00", "x" * 4000, "%F0%9F%90%89", "%3Cscript%3E"])
def test_strange_links(secret: str, alice: Client, nobody: Client) -> None:
    for client in (alice, nobody):
        answer = client.get(f"/account/invitations/{secret}/")
        assert answer.status_code == 404
        assert "<script>" not in answer.content.decode()
