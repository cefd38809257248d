"""The history of a served index: one for all hosts, always going on, nothing in it that may not be seen."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from packages.models import Version
from packages.services.versions import set_internal, unpublish_version
from registries.models import Registry, RestrictedName
from registries.services import Changes
from tests.moonbit.gits import git
from tests.moonbit.modules import mirror, publish_module, source
from tests.npm.team import Team
from tests.parts.moonbit import MoonRegistry
from upstreams.clients import local_git
from upstreams.models import IndexCommit
from upstreams.services.modules import served
from upstreams.services.modules.served import served_index
from upstreams.services.settings import change_registry
from workspaces.services.spaces import add_claim

pytestmark = pytest.mark.usefixtures("here")


def registry(team: Team) -> Registry:
    """As the gate gives it: read anew."""
    return Registry.objects.select_related("workspace").get(pk=team.registry.pk)


def head(team: Team) -> str:
    return git(served_index(registry(team)), "rev-parse", "main").stdout.strip()


def shown(team: Team) -> dict[str, str]:
    """The files of the newest commit."""
    folder = served_index(registry(team))
    names = git(folder, "ls-tree", "-r", "--name-only", "main").stdout.split()
    return {name: git(folder, "show", f"main:{name}").stdout for name in names if name != "README.md"}


def commits(team: Team) -> int:
    return len(git(served_index(registry(team)), "log", "--format=%s", "main").stdout.split("\n")) - 1


def test_every_host_makes_the_same_history(team: Team, settings: Any, tmp_path: Path) -> None:
    first, heads = settings.DATA_DIR, []
    for number in range(4):
        publish_module(team, "acme/core", f"0.{number}.0")
        settings.DATA_DIR = first if number % 2 else tmp_path / "there"
        settings.DATA_DIR.mkdir(exist_ok=True)
        heads.append(head(team))
    settings.DATA_DIR = tmp_path / "third"
    settings.DATA_DIR.mkdir()
    assert head(team) == heads[-1]
    log = git(served_index(registry(team)), "log", "--format=%H", "main").stdout.split()
    assert log == list(reversed(heads)), "each host wrote where the other had stopped"
    assert IndexCommit.objects.count() == 4
    shutil.rmtree(first / "served")
    settings.DATA_DIR = first
    assert head(team) == heads[-1], "made anew of the rows"


def test_nothing_is_written_when_nothing_changed(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    publish_module(team, "acme/core")
    before = head(team)
    add_claim(actor=team.actor("alice"), workspace=team.space, pattern="beta/*")
    assert head(team) == before
    assert IndexCommit.objects.count() == 1
    folder = served_index(registry(team))
    monkeypatch.setattr(local_git, "begin", None)
    assert served_index(registry(team)) == folder, "not even git is asked"


def test_what_git_left_behind_half_done_is_mended(team: Team) -> None:
    publish_module(team, "acme/core")
    before, folder = head(team), served_index(registry(team))
    publish_module(team, "acme/core", "0.2.0")
    (folder / "refs" / "heads" / "main").write_text("0" * 40 + "\n", encoding="ascii")
    after = head(team)
    assert git(served_index(registry(team)), "rev-parse", f"{after}^").stdout.strip() == before
    shutil.rmtree(folder / "objects")
    publish_module(team, "acme/core", "0.3.0")
    assert git(served_index(registry(team)), "rev-parse", f"{head(team)}^").stdout.strip() == after


def test_what_the_rule_hides_leaves_the_index(team: Team, moon: MoonRegistry) -> None:
    moon.add("acme/core", "9.9.9")
    moon.add("plain/one", "1.0.0")
    mirror(team, source(team, moon), "*")
    assert set(shown(team)) == {"user/acme/core.index", "user/plain/one.index"}
    publish_module(team, "acme/core", "0.1.0")
    found = shown(team)
    assert '"0.1.0"' in found["user/acme/core.index"]
    assert "9.9.9" not in found["user/acme/core.index"], "shadowed"
    add_claim(actor=team.actor("alice"), workspace=team.space, pattern="plain/*")
    assert set(shown(team)) == {"user/acme/core.index"}
    key: dict[str, Any] = {"actor": team.actor("alice"), "registry": team.registry, "format": "moonbit", "name": "acme/core"}
    set_internal(**key, version="9.9.9", internal=True)
    assert "9.9.9" in shown(team)["user/acme/core.index"], "somebody ticked it"
    unpublish_version(**key, version="0.1.0")
    unpublish_version(**key, version="9.9.9")
    assert shown(team) == {}
    assert commits(team) == 5


def test_a_registry_that_becomes_public_begins_a_new_history(team: Team) -> None:
    publish_module(team, "acme/secret")
    publish_module(team, "acme/core")
    old, folder = head(team), served_index(registry(team))
    unpublish_version(actor=team.actor("alice"), registry=team.registry, format="moonbit", name="acme/secret", version="0.1.0")
    change_registry(actor=team.actor("alice"), registry=registry(team), changes=Changes(visibility="public"))
    assert set(shown(team)) == {"user/acme/core.index"}
    assert commits(team) == 1
    folder = served_index(registry(team))
    assert git(folder, "cat-file", "-e", old, check=False).returncode != 0, "nobody can ask for what went before"
    change_registry(actor=team.actor("alice"), registry=registry(team), changes=Changes(visibility="private"))
    publish_module(team, "acme/more")
    assert commits(team) == 2, "and back again it only goes on"


def test_many_commits_are_put_together(team: Team) -> None:
    publish_module(team, "acme/core")
    head(team)
    version = Version.objects.get()
    for number in range(105):
        key: dict[str, Any] = {
            "actor": team.actor("alice"),
            "registry": team.registry,
            "format": "moonbit",
            "name": "acme/core",
        }
        Version.objects.filter(pk=version.pk).update(is_yanked=bool(number % 2 == 0))
        set_internal(**key, version="0.1.0", internal=number % 2 == 0)
        head(team)
    assert commits(team) == IndexCommit.objects.count()
    assert len(list((served_index(registry(team)) / "objects").glob("??"))) < 30


def test_of_two_hosts_one_is_first(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other host writes the same number between our look and our row."""
    publish_module(team, "acme/core")
    honest, calls = served._write_down, list[int]()

    def twice(place: Registry, number: int, changes: Any, **more: bool) -> None:
        calls.append(number)
        if len(calls) == 1:
            honest(place, number, changes, **more)
        honest(place, number, changes, **more)

    monkeypatch.setattr(served, "_write_down", twice)
    assert set(shown(team)) == {"user/acme/core.index"}
    assert calls == [1]
    assert commits(team) == IndexCommit.objects.count() == 1


def test_a_restricted_module_of_a_public_registry_is_not_in_the_index(team: Team) -> None:
    publish_module(team, "acme/core")
    publish_module(team, "acme/secret")
    change_registry(actor=team.actor("alice"), registry=registry(team), changes=Changes(visibility="public"))
    assert len(shown(team)) == 2
    RestrictedName.objects.create(registry=team.registry, format="moonbit", name="acme/secret")
    assert set(shown(team)) == {"user/acme/core.index"}
    for path in ("0.1.0.zip", "9.9.9.zip", "latest.zip"):
        restricted, unknown = (Client().get(f"/{team.slug}/m/main/user/acme/{name}/{path}") for name in ("secret", "nobody"))
        assert restricted.status_code == unknown.status_code == 404
        assert restricted.content.replace(b"secret", b"nobody") == unknown.content
    assert Client().get(f"/{team.slug}/m/main/user/acme/secret.index").status_code == 404
    assert Client().get(f"/{team.slug}/m/main/user/acme/core/0.1.0.zip").status_code == 200


def test_who_was_let_in_while_it_was_private_does_not_bring_what_only_members_see(team: Team) -> None:
    """The row was loaded before the registry became public; the marks are read after."""
    publish_module(team, "acme/core")
    publish_module(team, "acme/secret")
    RestrictedName.objects.create(registry=team.registry, format="moonbit", name="acme/secret")
    as_loaded = registry(team)
    assert len(shown(team)) == 2
    change_registry(actor=team.actor("alice"), registry=registry(team), changes=Changes(visibility="public"))
    folder = served_index(as_loaded)
    names = git(folder, "ls-tree", "-r", "--name-only", "main").stdout.split()
    assert names == ["README.md", "user/acme/core.index"]
    assert set(shown(team)) == {"user/acme/core.index"}
