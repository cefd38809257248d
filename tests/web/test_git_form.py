"""Adding a Git repository in the browser."""

from collections.abc import Callable

from django.test import Client

from tests.web.addresses import MAIN, text
from tests.web.conftest import World
from upstreams.models import Upstream
from upstreams.seal import unseal

REPOSITORY = {
    "kind": "git", "name": "modules", "url": "https://git.example.org/x.git", "priority": "5", "patterns": "@acme/*", "enabled": "on",
    "internal": "on", "auth_type": "basic", "username": "deploy", "secret": "a token\r\n",
}  # fmt: skip
KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\r\nabc\r\n-----END OPENSSH PRIVATE KEY-----\r\ngit.example.org ssh-ed25519 AAAA\r\n"


def test_a_repository_is_added_shown_and_changed(alice: Client, world: World) -> None:
    page = text(alice, f"{MAIN}upstreams/")
    assert "Add a Git repository" in page
    assert "also a path on the server" in page
    assert alice.post(f"{MAIN}upstreams/", REPOSITORY).status_code == 302
    made = Upstream.objects.get(name="modules")
    assert (made.kind, made.url, made.priority, made.is_internal) == ("git", "https://git.example.org/x.git", 5, True)
    assert unseal(bytes(made.secret_sealed)) == "a token"
    assert "https://git.example.org/x.git" in text(alice, f"{MAIN}upstreams/").replace("<wbr>", "")
    shown = text(alice, f"{MAIN}upstreams/{made.pk}/")
    assert "a token" not in shown
    assert "Repository" in shown
    assert alice.post(f"{MAIN}upstreams/{made.pk}/", {**REPOSITORY, "priority": "9", "secret": ""}).status_code == 302
    made.refresh_from_db()
    assert (made.priority, made.kind, unseal(bytes(made.secret_sealed))) == (9, "git", "a token")


def test_a_private_key_with_the_hosts_own(alice: Client, world: World) -> None:
    ssh = {**REPOSITORY, "url": "git@git.example.org:x.git", "auth_type": "bearer", "username": "", "secret": KEY}
    assert alice.post(f"{MAIN}upstreams/", ssh).status_code == 302
    assert unseal(bytes(Upstream.objects.get(name="modules").secret_sealed)) == KEY.strip()


def test_what_is_refused_is_said_at_its_form(alice: Client, world: World) -> None:
    wrongs: tuple[dict[str, str], ...] = ({"url": "ext::sh"}, {"url": "/srv/git/x.git"}, {"name": "No"}, {"secret": ""}, {"patterns": ""})
    for wrong in wrongs:
        answer = alice.post(f"{MAIN}upstreams/", {**REPOSITORY, **wrong})
        assert answer.status_code == 400, wrong
        assert '<details class="card fold" open><summary>Add a Git' in answer.content.decode()
    assert Upstream.objects.count() == 1


def test_readers_are_not_offered_it(sign_in: Callable[[str], Client], world: World) -> None:
    rita = sign_in("rita")
    assert "Add a Git repository" not in text(rita, f"{MAIN}upstreams/")
    assert rita.post(f"{MAIN}upstreams/", REPOSITORY).status_code in {403, 404}
