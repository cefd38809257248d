"""Sources as code: what is told of variables, schedules, jobs, and what is refused."""

from pathlib import Path
from typing import Any

import pytest
from django.core.management.base import CommandError

from registries.services import create_registry
from tests.moonbit.declared import SEED, events, run, upstreams, written
from tests.npm.team import Team
from tests.parts.moonbit import MoonRegistry
from upstreams.models import Mirror, MirrorSchedule, Upstream
from workspaces.models import Event
from workspaces.services.secrets import add_secret

SHELL = """
default_source = "private"
[[sources]]
name = "private"
type = "npm"
url = "https://registry.example.org"
[sources.auth]
type = "bearer"
token = "${PRIVATE_TOKEN}"
[mirror]
auto_sync = true
sync_interval = "1d"
packages = ["@private/*"]
"""


def test_a_variable_that_no_worker_can_read_is_told(team: Team, tmp_path: Path) -> None:
    """A schedule whose jobs would all fail, and installs that cannot ask; as a secret, or as UPSTREAM_…, everybody can."""
    for words in (("--dry-run",), (), ()):
        said = run(team, "import", written(tmp_path, SHELL), *words)
        assert "note: its jobs will fail: workers cannot read ${PRIVATE_TOKEN} of source private" in said
        assert "note: ${PRIVATE_TOKEN}: commands at a shell that has it can ask there, installs cannot" in said
    assert MirrorSchedule.objects.count() == 1
    assert "its jobs" not in run(team, "import", written(tmp_path, SHELL.replace("auto_sync = true", "auto_sync = false")))
    renamed = run(team, "import", written(tmp_path, SHELL.replace("PRIVATE_TOKEN", "UPSTREAM_TOKEN")))
    assert "secret: ${PRIVATE_TOKEN} -> ${UPSTREAM_TOKEN}" in renamed
    assert "note:" not in renamed
    add_secret(actor=team.actor("alice"), workspace=team.space, name="PRIVATE_TOKEN", value="s3cret")
    assert "note:" not in run(team, "import", written(tmp_path, SHELL))


def test_a_schedule_of_a_chained_registry_is_refused(team: Team, tmp_path: Path) -> None:
    create_registry(actor=team.actor("alice"), workspace=team.space, slug="shared")
    text = 'default_source = "shared"\n[[sources]]\nname = "shared"\nkind = "registry"\nregistry = "shared"\n[mirror]\nauto_sync = true\n'
    with pytest.raises(
        CommandError, match=rf"Upstream shared is {team.slug}/shared of this workspace.* Mirror into {team.slug}/shared itself"
    ):
        run(team, "import", written(tmp_path, text + 'sync_interval = "1d"\n'))
    assert upstreams(team) == {}


def test_removing_a_source_takes_its_jobs_and_schedules_along(team: Team, tmp_path: Path) -> None:
    run(team, "import", written(tmp_path, SHELL))
    made = Upstream.objects.get()
    for state in ("done", "running", "queued"):
        Mirror.objects.create(registry=team.registry, upstream=made, state=state)
    assert "private is removed, with 3 mirror jobs (2 under way) and 1 schedule; what it brought stays." in run(team, "remove", "private")
    (told,) = Event.objects.filter(action="upstream.removed").values_list("old", flat=True)
    assert told is not None
    assert told["jobs"] == 3
    assert [(one["every"], one["patterns"]) for one in told["schedules"]] == [("1d", ["@private/*"])]


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('type = "bearer"', 'type = "oauth"', "sources[1].auth.type:"),
        ('type = "mooncakes"', 'type = "moon"', "sources[0].type:"),
        ('url = "https://registry.example.org/moon/"\n', "", "sources[1].url:"),
        ('index_url = "https://old.example.org/index"\n', "", "sources[2].index_url:"),
        ('name = "old"\n', "", "sources[2].name:"),
        ('name = "old"', 'name = "private"', "sources[2].name:"),
        ('name = "old"', 'name = "Old One"', "sources[2].name:"),
        ("priority = 10", "priority = 2000", "sources[1].priority:"),
        ("priority = 10", 'priority = "10"', "sources[1].priority:"),
        ("priority = 10", "piority = 10", "sources[1].piority: is no key that is known here; is “priority” meant?"),
        ("enabled = false", 'enabled = "no"', "sources[0].enabled:"),
        ('index_type = "http"', 'index_type = "svn"', "sources[1].index_type:"),
        ('username = "ci"\n', "", "sources[2].auth.username:"),
        ('token = "a-literal-secret"\n', "", "sources[1].auth.token:"),
        ("https://registry.example.org/moon/", "http://169.254.169.254/moon", "sources[1].url:"),
        ("https://registry.example.org/moon/", "file:///etc", "sources[1].url:"),
        (
            'url = "https://old.example.org"',
            'url = "https://old.example.org"\npackage_url_pattern = "${url}/x"',
            "sources[2].package_url_pattern:",
        ),
        ('default_source = "private"', "", ""),
        ("[server]", "[servers]", "servers: is no key that is known here; is “server” meant?"),
        ("[[sources]]", "[[sources", "not TOML"),
    ],
)
def test_a_wrong_file_is_refused_by_key_and_changes_nothing(team: Team, tmp_path: Path, old: str, new: str, key: str) -> None:
    assert old in SEED
    before, file = events(team), written(tmp_path, SEED.replace(old, new, 1))
    if not key:
        run(team, "import", file)
        return
    with pytest.raises(CommandError, match=r"\A.") as refused:
        run(team, "import", file)
    assert key in str(refused.value)
    assert "literal-secret" not in str(refused.value)
    assert not Upstream.objects.filter(registry=team.registry).exists(), "all of it or nothing"
    assert events(team) == before


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"index_type": "svn"}, "index_type"),
        ({"index_url": "ftp://x"}, "index_url"),
        ({"index_url": "http://127.0.0.1:9/index"}, "index_url"),
        ({"package_url_pattern": "${url}/x"}, "package_url_pattern"),
        ({"package_url_pattern": "http://127.0.0.1/${username}/${name}/${version}"}, "package_url_pattern"),
        ({"auth_type": "oauth"}, "auth_type"),
        ({"url": ""}, "url"),
    ],
)
def test_rest_refuses_the_same_by_field(team: Team, settings: Any, fields: dict[str, str], field: str) -> None:
    from django.test import Client

    settings.ALLOWED_PRIVATE_NETWORKS = ()
    body = {"name": "moon", "format": "moonbit", "url": "https://registry.example.org", **fields}
    address = f"/api/v1/workspaces/{team.slug}/registries/main/upstreams/"
    caller = Client(headers={"Authorization": f"Bearer {team.tokens['alice']}"})
    answer = caller.post(address, body, content_type="application/json")
    assert answer.status_code == 400, answer.content
    assert field in answer.json()["fields"]


def test_a_source_can_be_tested(team: Team, moon: MoonRegistry) -> None:
    moon.add("acme/core")
    run(team, "add", "moon", "--from-preset", "moonbit-registry", "--url", moon.url)
    said = run(team, "test", "moon")
    assert "It answers as a MoonBit registry does" in said
    assert "whoami" not in said
    moon.demand("bearer", secret="s3cret-s3cret-s3cret")
    for status, word in [(0, "401"), (403, "403"), (500, "500"), (404, "not as a registry does")]:
        moon.status = status
        with pytest.raises(CommandError, match=word):
            run(team, "test", "moon")
    moon.stop()
    with pytest.raises(CommandError, match="refused"):
        run(team, "test", "moon")
    assert all("acme" not in one.path for one in moon.seen), "no module is named"
