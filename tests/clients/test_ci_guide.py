"""docs/guide/ci.md, word for word: its files and commands install and publish on a machine that has nothing but the variable."""

import re
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.clients.projects import loaded, write_package
from tests.parts import ROOT
from tests.parts.clients import Client
from tests.parts.gate import Place
from tests.parts.pack import pack
from tests.parts.recorder import Recorder

pytestmark = [pytest.mark.npm, pytest.mark.parametrize("gate", ["sqlite"], indirect=True)]
GUIDE = (ROOT / "docs" / "guide" / "ci.md").read_text(encoding="utf-8")
ADDRESS = "gatehouse.example.org/acme/r/main/"
ALL, SCOPE = re.findall(r"```npmrc\n(.*?)```", GUIDE, re.DOTALL)
Clients = Callable[..., Client]


def recipes() -> dict[str, str]:
    """The commands that install, by service."""
    github, gitlab, circle, _publish = (yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL))
    circle_steps = [step["run"] for step in circle["jobs"]["build"]["steps"] if isinstance(step, dict)]
    run = re.search(r"^RUN (?:--mount=\S+ )+(.*)$", GUIDE, re.MULTILINE)
    assert run is not None
    return {
        "github": "\n".join(step["run"] for step in github["jobs"]["build"]["steps"] if "run" in step),
        "gitlab": "\n".join(gitlab["build"]["script"]),
        "circle": "\n".join(circle_steps),
        "docker": run[1],
    }


def machine(client: Clients, town: Place, outer: Recorder, npmrc: str, home: str) -> Client:
    """A fresh one with the project of the guide; it knows the public registry as machines do."""
    made = client("npm-12", town, registry=f"{outer.url}/", home=home)
    address = town.url.partition("://")[2]
    text = npmrc.replace(f"https://{ADDRESS}", town.url).replace(ADDRESS, address)
    assert ADDRESS not in text
    (made.project / ".npmrc").write_text(text, encoding="utf-8")
    return made


def shell(client: Client, command: str, secrets: Path, **variables: str) -> "subprocess.CompletedProcess[str]":
    """The command as a runner's shell takes it, npm being the client's."""
    script = f'npm() {{ {shlex.join(client.kind.words())} "$@"; }}\n' + command.replace("/run/secrets", str(secrets))
    return subprocess.run(
        ["bash", "-eo", "pipefail", "-c", script],
        cwd=client.project,
        env={**client.environment(), **variables},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("npmrc", [ALL, SCOPE], ids=["all", "scope"])
def test_each_recipe_installs_and_without_the_variable_none_does(
    town: Place, outer: Recorder, client: Clients, tmp_path: Path, npmrc: str
) -> None:
    town.publish(pack(f"@acme/ware-{len(npmrc)}"))
    outer.add("public-ware")
    wanted: dict[str, Any] = {"dependencies": {f"@acme/ware-{len(npmrc)}": "^1.0.0", "public-ware": "^1.0.0"}}
    developer = machine(client, town, outer, npmrc, "developer")
    write_package(developer.project, "an-app", **wanted)
    developer.env = {"NPM_TOKEN": town.tokens["rita"]}
    developer.run("install")
    lock = (developer.project / "package-lock.json").read_bytes()
    (tmp_path / "npm_token").write_text(town.tokens["rita"], encoding="utf-8")
    for service, command in recipes().items():
        runner = machine(client, town, outer, npmrc, service)
        write_package(runner.project, "an-app", **wanted)
        (runner.project / "package-lock.json").write_bytes(lock)
        refused = shell(runner, command, tmp_path / "nowhere")
        assert refused.returncode != 0
        assert service == "docker" or "E401" in refused.stderr, refused.stderr
        given = {} if service == "docker" else {"NPM_TOKEN": town.tokens["rita"]}
        done = shell(runner, command, tmp_path, **given)
        assert done.returncode == 0, done.stderr
        assert loaded(runner, f"@acme/ware-{len(npmrc)}")
    assert not outer.mentions("@acme")
    assert not outer.mentions(town.tokens["rita"])


def test_the_same_file_publishes_once(town: Place, outer: Recorder, client: Clients, tmp_path: Path) -> None:
    runner = machine(client, town, outer, ALL, "publisher")
    write_package(runner.project, "@acme/by-a-pipeline")
    job = yaml.safe_load(re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL)[-1])
    for reader in ("rita", "bob"):
        done = shell(runner, job[0]["run"], tmp_path, NPM_TOKEN=town.tokens[reader])
        assert (done.returncode == 0) is (reader == "bob"), done.stderr
        assert reader == "bob" or "E403" in done.stderr
    again = shell(runner, job[0]["run"], tmp_path, NPM_TOKEN=town.tokens["bob"])
    assert again.returncode != 0
    assert "cannot publish over" in again.stderr.lower() or "E409" in again.stderr, again.stderr
    assert town.versions("@acme/by-a-pipeline") == ["1.0.0"]
