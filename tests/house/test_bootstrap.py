"""The first run makes what the contract says, once; later runs change nothing and bring nothing back."""

import pytest

from config.bootstrap import INSTALLER, bootstrap
from config.greeting import greeting
from registries.models import Registry
from tokens.models import Token
from tokens.services.authenticate import actor_of_token
from upstreams.models import Upstream
from upstreams.services.sources import remove_upstream
from workspaces.access import Action, Role
from workspaces.errors import Invalid
from workspaces.models import Event, Membership, User, Workspace

pytestmark = pytest.mark.django_db
PUBLIC = "https://registry.example.org"


def counts() -> list[int]:
    return [model.objects.count() for model in (User, Workspace, Membership, Registry, Upstream, Token, Event)]


def run(password: str | None = None, upstream: str | None = PUBLIC) -> tuple[str | None, str | None]:
    made = bootstrap(username="admin", password=password, npm_upstream_url=upstream)
    return made.password, made.token


def test_the_first_run_makes_what_the_contract_says() -> None:
    password, token = run()
    admin = User.objects.get()
    assert (admin.username, admin.is_superuser, admin.is_staff) == ("admin", True, True)
    assert password is not None
    assert len(password) == 20
    assert admin.check_password(password)
    registry = Registry.objects.get()
    assert (str(registry), registry.is_internal, registry.visibility, registry.is_default) == ("team/main", True, "private", True)
    assert Membership.objects.get(user=admin, workspace=registry.workspace).role == Role.OWNER
    upstream = Upstream.objects.get()
    assert (upstream.name, upstream.kind, upstream.url, upstream.priority) == ("npm", "url", PUBLIC, 100)
    assert token is not None
    assert actor_of_token(token, "").may(Action.PUBLISH, registry)


def test_a_second_run_changes_nothing_and_tells_no_secret() -> None:
    run()
    before = counts()
    assert run() == (None, None)
    assert counts() == before


def test_the_operators_own_password_is_not_printed() -> None:
    password, token = run(password="correct-horse-battery")
    assert password is None
    assert User.objects.get().check_password("correct-horse-battery")
    text = greeting(
        address="http://localhost:8000", username="admin", made=bootstrap(username="admin", password=None, npm_upstream_url=None)
    )
    assert "registry=http://localhost:8000/team/r/main/" in text
    assert "_authToken" not in text
    assert str(token) not in text


def test_without_a_known_upstream_there_is_none_until_there_is() -> None:
    run(upstream=None)
    assert not Upstream.objects.exists()
    run()
    assert Upstream.objects.get().url == PUBLIC


def test_what_somebody_removed_is_not_brought_back() -> None:
    run()
    remove_upstream(actor=INSTALLER, upstream=Upstream.objects.get())
    run()
    assert not Upstream.objects.exists()


def test_an_operator_under_another_name_is_enough() -> None:
    User.objects.create_superuser("root-of-it", password="correct-horse-battery")
    assert run() == (None, None)
    assert list(User.objects.values_list("username", flat=True)) == ["root-of-it"]
    assert Registry.objects.count() == 1


@pytest.mark.parametrize(("username", "password"), [("BAD NAME", None), ("admin", "short")])
def test_a_bad_administrator_leaves_nothing_behind(username: str, password: str | None) -> None:
    with pytest.raises(Invalid):
        bootstrap(username=username, password=password, npm_upstream_url=PUBLIC)
    assert counts() == [0] * 7
