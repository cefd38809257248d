"""Sources written in a file, and what becomes of them."""

import io
from pathlib import Path
from typing import Any

from django.core.management import call_command

from tests.npm.team import Team
from workspaces.models import Event

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
