"""`manage.py sources`: registry.toml in and out, presets, one source at a time (reference/moonbit.md, checks 1, 2 and 5)."""

import io
import tomllib
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from registries.services import create_registry
from tests.npm.team import Team
from tests.parts.moonbit import MoonRegistry
from upstreams.models import Mirror, MirrorSchedule, Upstream
from upstreams.services.sources import create_upstream
from upstreams.services.wishes import UpstreamWish
from workspaces.models import Event
from workspaces.services.secrets import add_secret

SEED = """
default_source = "private"

[registry]
name = "mirror"
data_dir = "/srv/mirror"

[[sources]]
name = "mooncakes"
type = "mooncakes"
enabled = false

[[sources]]
name = "private"
type = "moonbit-registry"
url = "https://registry.example.org/moon/"
index_type = "http"
priority = 10

[sources.auth]
type = "bearer"
token = "a-literal-secret"

[[sources]]
name = "old"
url = "https://old.example.org"
index_url = "https://old.example.org/index"

[sources.auth]
type = "basic"
username = "ci"
password = "another-literal-secret"

[server]
port = 8080
"""


def run(team: Team, *words: str) -> str:
    out = io.StringIO()
    call_command("sources", *words, "--registry", f"{team.slug}/main", stdout=out)
    return out.getvalue()


def upstreams(team: Team) -> dict[str, dict[str, Any]]:
    answer = team_get(team, "upstreams/")
    return {one["name"]: one for one in answer["results"]}


def team_get(team: Team, path: str) -> Any:
    from django.test import Client

    address = f"/api/v1/workspaces/{team.slug}/registries/main/{path}"
    answer = Client(headers={"Authorization": f"Bearer {team.tokens['alice']}"}).get(address)
    assert answer.status_code == 200, answer.content
    return answer.json()


def written(folder: Path, text: str) -> str:
    (folder / "registry.toml").write_text(text, encoding="utf-8")
    return str(folder / "registry.toml")


def events(team: Team) -> int:
    return Event.objects.filter(workspace=team.space).count()


def test_a_file_becomes_upstreams(team: Team, tmp_path: Path) -> None:
    file, before = written(tmp_path, SEED), events(team)
    dry = run(team, "import", file, "--dry-run")
    assert "+ private: would be added" in dry
    assert "    url: https://registry.example.org/moon\n" in dry
    assert "    secret: given" in dry
    assert "->" not in dry, "nothing of a new source was otherwise before"
    assert f"Dry run of {team.slug}/main: 3 added; nothing was changed." in dry
    assert upstreams(team) == {}
    assert events(team) == before, "a dry run leaves nothing behind"

    said = run(team, "import", file)
    assert f"{team.slug}/main: 3 added." in said
    assert "note: [server]" in said
    found = upstreams(team)
    assert [found[name]["priority"] for name in ("mooncakes", "private", "old")] == [100, 10, 100]
    cakes = found["mooncakes"]
    assert (cakes["format"], cakes["enabled"], cakes["auth_type"], cakes["index_type"]) == ("moonbit", False, "none", "git")
    assert cakes["url"] == "https://mooncakes.io"
    assert cakes["index_url"] == "https://mooncakes.io/git/index"
    assert cakes["package_url_pattern"] == "https://download.mooncakes.io/user/${username}/${name}/${version}.zip"
    private = found["private"]
    assert (private["url"], private["index_type"], private["auth_type"]) == ("https://registry.example.org/moon", "http", "bearer")
    assert private["package_url_pattern"] == "${url}/user/${username}/${name}/${version}.zip"
    assert (found["old"]["auth_type"], found["old"]["username"], found["old"]["index_url"]) == (
        "basic",
        "ci",
        "https://old.example.org/index",
    )
    for place in (said, dry, str(found), str(list(Event.objects.values_list("old", "new")))):
        assert "literal-secret" not in place


def test_the_second_import_changes_nothing_and_one_line_changes_one_source(team: Team, tmp_path: Path) -> None:
    file = written(tmp_path, SEED)
    run(team, "import", file)
    before = events(team)
    assert "Nothing changed" in run(team, "import", file)
    assert events(team) == before
    run(team, "add", "other", "--from-preset", "npm", "--url", "https://npm.example.org")

    said = run(team, "import", written(tmp_path, SEED.replace("priority = 10", "priority = 20").replace('"a-literal', '"b-literal')))
    assert "~ private: changed" in said
    assert "priority: 10 -> 20" in said
    assert "secret: the stored one -> another one" in said
    assert "= old: unchanged" in said
    assert f"{team.slug}/main: 1 changed, 2 unchanged." in said
    assert "literal" not in said
    assert upstreams(team)["private"]["priority"] == 20
    assert "other" in upstreams(team), "what the file does not name stays"


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


def test_what_is_exported_is_imported_without_a_change(team: Team, tmp_path: Path) -> None:
    run(team, "import", written(tmp_path, SEED))
    run(
        team,
        "add",
        "ours",
        "--from-preset",
        "npm",
        "--url",
        "https://npm.example.org",
        "--internal",
        "--patterns",
        "@acme/*",
        "@partner/x?",
    )
    text = run(team, "export")
    assert "literal-secret" not in text
    assert "# token: a secret is stored" in text
    document = tomllib.loads(text)
    assert [one["name"] for one in document["sources"]] == ["private", "mooncakes", "old", "ours"]
    assert "Nothing changed" in run(team, "import", written(tmp_path, text))
    run(team, "export", str(tmp_path / "out.toml"))
    assert (tmp_path / "out.toml").read_text(encoding="utf-8") == text


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


def test_default_source_below_the_last_source_is_understood(team: Team, tmp_path: Path) -> None:
    text = SEED.replace('default_source = "private"', "").replace("[server]\nport = 8080", "") + 'x = 1\ndefault_source = "private"\n'
    with pytest.raises(CommandError, match=r"sources\[2\]\.auth\.x"):
        run(team, "import", written(tmp_path, text))
    moved = (
        text.replace("x = 1\n", "")
        .replace('default_source = "private"\n', "")
        .replace('name = "old"', 'name = "old"\ndefault_source = "private"')
    )
    assert ": 3 added." in run(team, "import", written(tmp_path, moved))


def test_one_source_at_a_time(team: Team) -> None:
    with pytest.raises(CommandError, match="--url"):
        run(team, "add", "partner", "--from-preset", "moonbit-registry")
    assert "has no sources" in run(team, "list")
    run(
        team,
        "add",
        "partner",
        "--from-preset",
        "moonbit-registry",
        "--url",
        "https://registry.example.org",
        "--auth",
        "bearer",
        "--token",
        "s3cret-s3cret",
    )
    assert "note:" not in run(team, "add", "cakes", "--from-preset", "mooncakes")
    assert "stays so when it is switched off" in run(team, "add", "wide", "--from-preset", "mooncakes", "--internal")
    run(team, "remove", "wide")
    found = upstreams(team)
    assert (found["partner"]["priority"], found["partner"]["has_secret"]) == (50, True)
    assert found["cakes"]["index_url"] == "https://mooncakes.io/git/index"
    listed = run(team, "list")
    assert listed.index("partner") < listed.index("cakes")
    assert "s3cret" not in listed
    assert "MoonBit registry" in listed
    run(team, "disable", "cakes")
    run(team, "disable", "cakes")
    assert upstreams(team)["cakes"]["enabled"] is False
    run(team, "enable", "cakes")
    assert upstreams(team)["cakes"]["enabled"] is True
    run(team, "remove", "cakes")
    assert set(upstreams(team)) == {"partner"}
    with pytest.raises(CommandError, match="no source “cakes”"):
        run(team, "disable", "cakes")
    with pytest.raises(CommandError, match=r"exists here"):
        run(team, "add", "partner", "--from-preset", "mooncakes")
    names = list(Event.objects.filter(workspace=team.space, action__startswith="upstream.").values_list("actor", "action"))
    assert ("operator", "upstream.removed") in names


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


VARIABLES = SEED.replace('"a-literal-secret"', '"${PRIVATE_REGISTRY_TOKEN}"').replace('"another-literal-secret"', '"${UPSTREAM_OLD}"')
MIRROR = """
[mirror]
auto_sync = true
sync_interval = "30m"
packages = ["acme/*", "other/dep"]
"""


def test_variables_are_kept_as_they_are_written(team: Team, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRIVATE_REGISTRY_TOKEN", "the-value-of-the-variable")
    run(team, "import", written(tmp_path, VARIABLES))
    found = upstreams(team)
    assert found["private"]["secret_shown"] == "${PRIVATE_REGISTRY_TOKEN}"
    assert found["old"]["secret_shown"] == "${UPSTREAM_OLD}"
    text = run(team, "export")
    assert 'token = "${PRIVATE_REGISTRY_TOKEN}"' in text
    assert 'password = "${UPSTREAM_OLD}"' in text
    assert "bearer ${PRIVATE_REGISTRY_TOKEN}" in run(team, "list")
    assert "Nothing changed" in run(team, "import", written(tmp_path, text))
    events_told = str(list(Event.objects.values_list("old", "new")))
    assert "the-value-of-the-variable" not in str(found) + text + events_told


def test_mirror_becomes_a_schedule_of_the_default_source(team: Team, tmp_path: Path) -> None:
    dry = run(team, "import", written(tmp_path, SEED + MIRROR), "--dry-run")
    assert "+ mirroring from private: would be added" in dry
    assert not MirrorSchedule.objects.exists()
    run(team, "import", written(tmp_path, SEED + MIRROR))
    schedule = MirrorSchedule.objects.get()
    assert (schedule.upstream.name, schedule.every, schedule.patterns, schedule.is_enabled) == (
        "private",
        "30m",
        ["acme/*", "other/dep"],
        True,
    )
    assert "Nothing changed" in run(team, "import", written(tmp_path, SEED + MIRROR))
    text = run(team, "export")
    assert tomllib.loads(text)["mirror"] == {"auto_sync": True, "sync_interval": "30m", "packages": ["acme/*", "other/dep"]}
    assert tomllib.loads(text)["default_source"] == "private"
    said = run(team, "import", written(tmp_path, (SEED + MIRROR).replace("auto_sync = true", "auto_sync = false").replace("30m", "1d")))
    assert "auto_sync: yes -> no" in said
    assert "sync_interval: 30m -> 1d" in said
    assert not MirrorSchedule.objects.get().is_enabled
    for old, new, key in [
        ('"30m"', '"soon"', "mirror.sync_interval:"),
        ('"acme/*"', '"acme/core/x"', "mirror.packages:"),
        ("auto_sync = true", "auto_sync = 1", "mirror.auto_sync:"),
    ]:
        with pytest.raises(CommandError, match=key):
            run(team, "import", written(tmp_path, SEED + MIRROR.replace(old, new)))


def test_a_source_can_be_tested(team: Team, moon: MoonRegistry) -> None:
    moon.add("acme/core")
    run(team, "add", "moon", "--from-preset", "moonbit-registry", "--url", moon.url)
    assert "It answers as a registry does" in run(team, "test", "moon")
    moon.demand("bearer", secret="s3cret-s3cret-s3cret")
    for status, word in [(0, "401"), (403, "403"), (500, "500"), (404, "not as a registry does")]:
        moon.status = status
        with pytest.raises(CommandError, match=word):
            run(team, "test", "moon")
    moon.stop()
    with pytest.raises(CommandError, match="refused"):
        run(team, "test", "moon")
    assert all("acme" not in one.path for one in moon.seen), "no module is named"


def test_every_kind_of_source_is_written_and_read_again(team: Team, tmp_path: Path) -> None:
    alice = team.actor("alice")
    create_registry(actor=alice, workspace=team.space, slug="shared")
    wishes = [
        UpstreamWish(name="shared", kind="registry", registry="shared", priority=1),
        UpstreamWish(name="code", kind="git", url="https://git.example.org/team/modules.git", patterns=("@team/*",), internal=True),
        UpstreamWish(name="npm", url="https://npm.example.org", connect_timeout=3, negative_ttl=0, enabled=False),
    ]
    for wish in wishes:
        create_upstream(actor=alice, registry=team.registry, wish=wish)
    text = run(team, "export")
    assert "Nothing changed" in run(team, "import", written(tmp_path, text))
    for wish in wishes:
        run(team, "remove", wish.name)
    assert ": 3 added." in run(team, "import", written(tmp_path, text))
    assert run(team, "export") == text
    assert {one["name"]: one["kind"] for one in upstreams(team).values()} == {"shared": "registry", "code": "git", "npm": "url"}
