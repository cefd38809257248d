"""`manage.py sources`: registry.toml in and out, presets, one source at a time (reference/moonbit.md, checks 1, 2 and 5)."""

import tomllib
from pathlib import Path

import pytest
from django.core.management.base import CommandError

from registries.services import create_registry
from tests.moonbit.declared import SEED, events, run, upstreams, written
from tests.npm.team import Team
from upstreams.models import MirrorSchedule
from upstreams.services.sources import create_upstream
from upstreams.services.wishes import UpstreamWish
from workspaces.models import Event


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


def test_every_kind_of_source_is_written_and_read_again(team: Team, tmp_path: Path) -> None:
    alice = team.actor("alice")
    create_registry(actor=alice, workspace=team.space, slug="shared")
    wishes = [
        UpstreamWish(name="shared", kind="registry", registry="shared", priority=1),
        UpstreamWish(name="modules", kind="registry", registry="shared", format="moonbit", priority=2),
        UpstreamWish(name="code", kind="git", url="https://git.example.org/team/modules.git", patterns=("@team/*",), internal=True),
        UpstreamWish(name="npm", url="https://npm.example.org", connect_timeout=3, negative_ttl=0, enabled=False),
    ]
    for wish in wishes:
        create_upstream(actor=alice, registry=team.registry, wish=wish)
    text = run(team, "export")
    assert "Nothing changed" in run(team, "import", written(tmp_path, text))
    for wish in wishes:
        run(team, "remove", wish.name)
    assert ": 4 added." in run(team, "import", written(tmp_path, text))
    assert run(team, "export") == text
    assert {one["name"]: (one["kind"], one["format"]) for one in upstreams(team).values()} == {
        "shared": ("registry", "npm"), "modules": ("registry", "moonbit"), "code": ("git", "npm"), "npm": ("url", "npm"),
    }  # fmt: skip
