"""CONTRACT.md section 2: every variable is checked, and a bad value is one clear line that names it."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from config.env import EnvironmentInvalid, discover_npm_upstream, read
from tests.parts import ROOT

BAD = [
    ("PORT", "x"),
    ("PORT", "0"),
    ("PORT", "70000"),
    ("PORT", "80 80"),
    ("EXTERNAL_HOST", "ftp://gatehouse.example.org"),
    ("EXTERNAL_HOST", "gatehouse.example.org"),
    ("EXTERNAL_HOST", "http://gatehouse.example.org:99999"),
    ("EXTERNAL_HOST", "http://[::1"),
    ("EXTERNAL_HOST", "https://user:hunter2@gatehouse.example.org"),
    ("DATABASE_URL", "mysql://db.example.org/x"),
    ("DATABASE_URL", "postgres://db.example.org:99999/x"),
    ("POSTGRES_URL", "mysql://db.example.org/x"),
    ("REDIS_URL", "http://cache.example.org"),
    ("REDIS_URL", "redis://[::1"),
    ("STORAGE_URL", "s3://"),
    ("STORAGE_URL", "ftp://bucket"),
    ("NPM_UPSTREAM_URL", "registry.example.org"),
    ("NPM_UPSTREAM_URL", "https://registry.example.org/?x=1"),
    ("NPM_UPSTREAM_URL", "https://user:hunter2@registry.example.org"),
    ("ALLOWED_PRIVATE_NETWORKS", "10.0.0.0/99"),
    ("ALLOWED_PRIVATE_NETWORKS", "10.0.0.0/8:99999"),
    ("ALLOWED_PRIVATE_NETWORKS", "everything"),
    ("TRUSTED_PROXIES", "proxy"),
    ("ALLOWED_HOSTS", "*"),
    ("ALLOWED_HOSTS", "https://a.example.org"),
    ("WORKSPACE_DOMAIN", "https://packages.example.org"),
    ("GATEHOUSE_ENV", "prod"),
    ("SIGNUP", "maybe"),
    ("FILE_SERVING", "nginx"),
    ("WEB_WORKERS", "0"),
    ("WEB_WORKERS", "many"),
    ("TASK_WORKERS", "-1"),
    ("SESSION_EXPIRY_SECONDS", "1"),
    ("DEV_LATENCY_ERROR_MS", "fast"),
    ("ENTROPIC_LEGACY", "team"),
    ("ENTROPIC_LEGACY", "team/main/more"),
    ("ENTROPIC_LEGACY", "Team/main"),
    ("OAUTH_GITHUB_URL", "github.example.org"),
    ("OAUTH_GITHUB_API_URL", "ftp://github.example.org/api"),
    ("OAUTH_GITHUB_CLIENT", "Iv1.0123456789abcdef"),  # without its secret
    ("OAUTH_GITHUB_SECRET", "hunter2"),  # without its client
    ("SESSION_SECRET_FILE", "/nowhere/at/all"),
    ("UPSTREAM_TOKEN_FILE", "/nowhere/at/all"),
    ("UPSTREAM_TOKEN_FILE", "/bin/sh"),
]


def parse(folder: Path, **values: str) -> Mapping[str, object]:
    return vars(read({"DATA_DIR": str(folder), **values}, None))


@pytest.mark.parametrize(("name", "value"), BAD)
def test_a_bad_value_is_refused_by_name(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(EnvironmentInvalid) as refused:
        parse(tmp_path, **{name: value})
    line = str(refused.value)
    assert line.startswith((name, "DATABASE_URL"))
    assert "\n" not in line
    assert "hunter2" not in line  # a password in an address is not told


def test_the_defaults_are_the_contracts(tmp_path: Path) -> None:
    known = parse(tmp_path)
    expected = {
        "mode": "production",
        "host": "127.0.0.1",
        "port": 8000,
        "external_host": "http://localhost:8000",
        "session_expiry_seconds": 31536000,
        "redis_url": None,
        "npm_upstream_url": None,
        "workspace_domain": None,
        "admin_username": "admin",
        "admin_password": None,
        "allowed_hosts": (),
        "signup": "invited",
        "file_serving": "direct",
        "web_workers": 2,
        "task_workers": 1,
        "latency_error_ms": 10000,
    }
    assert {name: known[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("given", "url", "api_url"),
    [
        ({}, "https://github.com", "https://api.github.com"),
        ({"OAUTH_GITHUB_URL": "https://git.example.org/"}, "https://git.example.org", "https://git.example.org/api/v3"),
        (
            {"OAUTH_GITHUB_URL": "https://git.example.org", "OAUTH_GITHUB_API_URL": "https://api.git.example.org"},
            "https://git.example.org",
            "https://api.git.example.org",
        ),
    ],
)
def test_where_github_is(tmp_path: Path, given: dict[str, str], url: str, api_url: str) -> None:
    known = parse(tmp_path, **given)
    assert (known["github_url"], known["github_api_url"], known["github_client"]) == (url, api_url, "")


@pytest.mark.parametrize(
    ("said", "known"),
    [
        ("https://registry.example.org/", "https://registry.example.org"),
        ("https://user:hunter2@registry.example.org/", None),
        ("https://registry.example.org/?token=hunter2", None),
        ("https://registry.example.org/#x", None),
        ("https://[::1", None),
        ("https://registry.example.org:99999", None),
        ("undefined", None),
        ("", None),
    ],
)
def test_what_npm_says_is_taken_only_when_it_can_be_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, known: str | None
) -> None:
    npm = tmp_path / "npm"
    npm.write_text(f"#!/bin/sh\necho '{said}'\n")
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert discover_npm_upstream(tmp_path) == known
    assert parse(tmp_path)["npm_upstream_url"] == known
    (tmp_path / "npm-upstream").write_text(said)  # as an earlier release remembered it
    assert parse(tmp_path)["npm_upstream_url"] == (said if known else None)


def test_generated_secrets_stay_the_same_and_private(tmp_path: Path) -> None:
    first, second = parse(tmp_path), parse(tmp_path)
    for name in ("session_secret", "oauth_password", "metrics_token"):
        assert first[name] == second[name]
        assert len(str(first[name])) >= 32
        assert (tmp_path / "secrets" / name).stat().st_mode & 0o077 == 0


def test_a_secret_may_be_given_as_a_file(tmp_path: Path) -> None:
    (tmp_path / "word").write_text("from a file\n")
    assert parse(tmp_path, ADMIN_PASSWORD_FILE=str(tmp_path / "word"))["admin_password"] == "from a file"


def test_dotenv_is_read_and_the_process_environment_wins(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("# a comment\nPORT=8123\nexport SIGNUP='open'\nWEB_WORKERS=3\n")
    known = read({"DATA_DIR": str(tmp_path), "WEB_WORKERS": "4"}, tmp_path / ".env")
    assert (known.port, known.signup, known.web_workers) == (8123, "open", 4)


def test_variables_for_upstreams_come_from_all_three_places(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("UPSTREAM_B=of dotenv\nUPSTREAM_A=hidden\nOTHER=x\n")
    (tmp_path / "token").write_text("of a file\n")
    given = {"DATA_DIR": str(tmp_path), "UPSTREAM_A": "of the process", "UPSTREAM_C_FILE": str(tmp_path / "token"), "UPSTREAM_D": ""}
    known = read(given, tmp_path / ".env")
    assert known.upstream_variables == {
        "UPSTREAM_A": "of the process",
        "UPSTREAM_B": "of dotenv",
        "UPSTREAM_C": "of a file",
        "UPSTREAM_C_FILE": str(tmp_path / "token"),
    }
    assert "of a file" not in repr(known)


def test_libpq_variables_fill_what_the_address_leaves_out(tmp_path: Path) -> None:
    database = parse(tmp_path, DATABASE_URL="postgres://db.example.org", PGUSER="gate", PGDATABASE="house", PGPASSWORD="x")["database"]
    assert isinstance(database, dict)
    assert (database["HOST"], database["USER"], database["NAME"], database["PASSWORD"]) == ("db.example.org", "gate", "house", "x")


def test_the_example_file_is_all_comments_and_names_every_variable() -> None:
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    assert all(line.startswith("#") or not line for line in text.splitlines())
    for name in {name for name, _ in BAD if not name.endswith("_FILE") and name != "POSTGRES_URL"}:
        assert f"# {name}=" in text, name


@pytest.mark.parametrize(("name", "value"), [("PORT", "x"), ("ADMIN_PASSWORD", "short"), ("DATABASE_URL", "sqlite:///no/such/folder/x")])
def test_the_command_ends_with_one_line_and_exit_2(tmp_path: Path, name: str, value: str) -> None:
    given = {"PATH": "/usr/bin:/bin", "DATA_DIR": str(tmp_path), "NPM_UPSTREAM_URL": "https://registry.example.org", name: value}
    done = subprocess.run(
        [sys.executable, "manage.py", "bootstrap"], cwd=ROOT, env=given, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert done.stderr.startswith(f"gatehouse: {name}")
    assert len(done.stderr.splitlines()) == 1
