"""Signing in and out, and where that may lead."""

from collections.abc import Iterator

import pytest
from django.core.cache import cache
from django.test import Client

from tests.web.conftest import HTML, PASSWORD, World
from workspaces.models import Event, User


@pytest.fixture(autouse=True)
def _fresh_throttle() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()  # whoever comes next signs in from the same address


def sent(password: str = PASSWORD, next_path: str = "", username: str = "alice") -> dict[str, str]:
    return {"username": username, "password": password, "next": next_path}


def test_a_good_password_opens_a_session(nobody: Client) -> None:
    answer = nobody.post("/login", sent())
    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert "acme" in nobody.get("/").content.decode()
    event = Event.objects.get(action="session.opened")
    assert (event.workspace_id, event.actor, event.object, event.new, event.ip) == (None, "alice", "alice", {"by": "password"}, "127.0.0.1")


def test_a_wrong_password_is_401_and_tells_nothing(nobody: Client) -> None:
    known, unknown = nobody.post("/login", sent("wrong wrong")), nobody.post("/login", sent("wrong wrong", username="nobody-here"))
    assert (known.status_code, unknown.status_code) == (401, 401)
    sentence = "User name or password is wrong."
    assert sentence in known.content.decode()
    assert sentence in unknown.content.decode()
    assert "sessionid" not in nobody.cookies


def test_ten_failures_throttle(nobody: Client) -> None:
    for _ in range(10):
        assert nobody.post("/login", sent("wrong wrong")).status_code == 401
    answer = nobody.post("/login", sent())
    assert (answer.status_code, answer["Retry-After"]) == (429, "60")


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "http:evil",
        "\t//evil.example",
        "/x\r\ny",
        "evil",
    ],
)
def test_next_leads_nowhere_else(nobody: Client, address: str) -> None:
    assert nobody.post("/login", sent(next_path=address))["Location"] == "/"


def test_next_leads_back(nobody: Client) -> None:
    asked = nobody.get("/acme/tokens/?x=1")
    assert asked["Location"] == "/login?next=/acme/tokens/%3Fx%3D1"
    assert 'value="/acme/tokens/?x=1"' in nobody.get(asked["Location"]).content.decode()
    assert nobody.post("/login", sent(next_path="/acme/tokens/?x=1"))["Location"] == "/acme/tokens/?x=1"


def test_the_session_key_changes_at_sign_in(nobody: Client) -> None:
    nobody.cookies["sessionid"] = "fixed-by-an-attacker-0000000000"
    nobody.post("/login", sent())
    assert nobody.cookies["sessionid"].value != "fixed-by-an-attacker-0000000000"


def test_signing_out_is_a_post(alice: Client) -> None:
    assert alice.get("/logout").status_code == 405
    assert alice.get("/").status_code == 200
    assert alice.post("/logout")["Location"] == "/login"
    assert alice.get("/").status_code == 302


def test_login_needs_the_csrf_token(world: World) -> None:
    client = Client(enforce_csrf_checks=True, headers={"accept": HTML})
    answer = client.post("/login", sent())
    assert answer.status_code == 403
    assert "form has expired" in answer.content.decode()


def test_a_deactivated_person_is_out_at_once(alice: Client, world: World) -> None:
    world.workspace.memberships.get(user__username="alice").user.__class__.objects.filter(username="alice").update(is_active=False)
    assert alice.get("/").status_code == 302


def test_the_admin_has_no_sign_in_of_its_own(nobody: Client, alice: Client, world: World) -> None:
    assert nobody.get("/admin/")["Location"].startswith("/admin/login/")
    assert nobody.get("/admin/login/?next=/admin/")["Location"] == "/login?next=/admin/login/%3Fnext%3D/admin/"
    assert nobody.post("/admin/login/", sent()).status_code == 302
    assert alice.get("/admin/", follow=True).status_code == 404


def test_an_operator_sets_passwords_in_the_admin_and_nothing_of_workspaces(world: World) -> None:
    User.objects.create_superuser("root", password=PASSWORD)
    client = Client(headers={"accept": HTML})
    there = client.get("/admin/", follow=True).redirect_chain[-1][0]
    assert client.post(there, {**sent(username="root"), "next": "/admin/login/?next=/admin/"}, follow=True).status_code == 200
    assert client.get("/admin/login/?next=//evil.example")["Location"] == "/"
    assert client.get("/admin/login/?next=/admin/")["Location"] == "/admin/"
    assert client.get("/admin/workspaces/user/").status_code == 200
    person = User.objects.get(username="bob")
    changed = {"password1": "another long one", "password2": "another long one", "usable_password": "true"}
    assert client.post(f"/admin/workspaces/user/{person.pk}/password/", changed).status_code == 302
    assert Client().post("/login", {"username": "bob", "password": "another long one"})["Location"] == "/"
    assert client.get(f"/admin/workspaces/workspace/{world.workspace.pk}/change/").status_code == 200
    assert client.get("/admin/workspaces/workspace/add/").status_code == 403
    assert client.post(f"/admin/workspaces/workspace/{world.workspace.pk}/delete/", {"post": "yes"}).status_code == 403
