"""The recipes of docs/guide/mirroring.md, word for word, in a shell: they mirror, and they fail when they should."""

import os
import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.parts import ROOT
from tests.parts.gatehouse import Gatehouse
from tests.parts.moonbit import MoonRegistry

GUIDE = (ROOT / "docs" / "guide" / "mirroring.md").read_text(encoding="utf-8")
TOKEN = "s3cret-of-the-pipeline"
ADDRESS = "https://registry.example.org"


def block(language: str, number: int) -> str:
    """A fenced block of the guide."""
    return str(re.findall(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)[number])


def github() -> tuple[list[str], dict[str, str]]:
    """The commands of the job, and the environment it is given."""
    job = yaml.safe_load(block("yaml", 0))["jobs"]["mirror"]
    return [step["run"] for step in job["steps"] if "run" in step], dict(job["env"])


def gitlab() -> tuple[list[str], dict[str, str]]:
    job = yaml.safe_load(block("yaml", 1))["mirror"]
    return list(job["script"]), dict(job["variables"])


@dataclass
class Runner:
    """A machine with an installation on it."""

    server: Gatehouse
    folder: Path

    def run(self, recipe: Callable[[], tuple[list[str], dict[str, str]]], moon: MoonRegistry, **variables: str) -> Any:
        """Every command of a recipe in a shell, as a runner does it, until one fails; what the last one said and ended with."""
        commands, given = recipe()
        assert given["GATEHOUSE"] == "/srv/gatehouse"
        assert given.get("PRIVATE_REGISTRY_TOKEN", "${{ secrets.PRIVATE_REGISTRY_TOKEN }}") == "${{ secrets.PRIVATE_REGISTRY_TOKEN }}"
        (self.folder / "registry.toml").write_text(block("toml", 0).replace(ADDRESS, moon.url), encoding="utf-8")
        env = {**self.server.environment(), **given, "GATEHOUSE": str(ROOT)}
        env.pop("PRIVATE_REGISTRY_TOKEN", None)
        said = ""
        for command in commands:
            done = subprocess.run(
                ["bash", "-eo", "pipefail", "-c", command],
                cwd=self.folder,
                env={**env, **variables},
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
            )
            said += done.stdout + done.stderr
            if done.returncode:
                return done.returncode, said
        return 0, said

    def held(self) -> str:
        """What the registry's index has."""
        return self.server.manage("shell", "-v", "0", "-c", "from tests.moonbit.live import tell_held; tell_held('team', 'main')").strip()


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gatehouse]:
    """Set up, with nobody serving: the recipes need none."""
    server = Gatehouse(tmp_path_factory.mktemp("runner"), "", "https://npm.example.org")
    server.manage("migrate", "--verbosity", "0")
    server.manage("bootstrap")
    yield server
    server.stop()


@pytest.fixture
def runner(installation: Gatehouse, tmp_path: Path) -> Runner:
    folder = tmp_path / "checkout"
    folder.mkdir()
    return Runner(installation, folder)


@pytest.fixture
def private(moon: MoonRegistry) -> MoonRegistry:
    """The registry of the guide: its index and its zips want the token."""
    moon.add("private-org/core", "0.1.0", "0.2.0")
    moon.add("private-org/web", deps={"private-org/core": "0.1.0"})
    moon.add("others/thing")
    moon.demand("bearer", secret=TOKEN)
    return moon


@pytest.mark.parametrize("recipe", [github, gitlab])
def test_it_mirrors(runner: Runner, private: MoonRegistry, recipe: Any, request: pytest.FixtureRequest) -> None:
    if not (ROOT / ".venv" / "bin" / "python").exists():
        pytest.skip("the project's own .venv is not there")
    code, said = runner.run(recipe, private, PRIVATE_REGISTRY_TOKEN=TOKEN)
    assert code == 0, said
    assert "private-org/core 0.1.0 0.2.0" in runner.held()
    assert "private-org/web 0.1.0" in runner.held()
    assert "others" not in runner.held()
    assert all(one.headers["authorization"] == f"Bearer {TOKEN}" for one in private.seen)
    assert private.asked(".zip") or recipe is gitlab, "what one recipe brought the other need not"
    assert TOKEN not in said
    again, told = runner.run(recipe, private, PRIVATE_REGISTRY_TOKEN=TOKEN)
    assert again == 0
    assert "Nothing changed" in told


@pytest.mark.parametrize("recipe", [github, gitlab])
@pytest.mark.parametrize(
    ("variables", "status", "cause"),
    [
        ({}, 0, "${PRIVATE_REGISTRY_TOKEN}"),
        ({"PRIVATE_REGISTRY_TOKEN": ""}, 0, "${PRIVATE_REGISTRY_TOKEN}"),
        ({"PRIVATE_REGISTRY_TOKEN": "wrong-wrong-wrong"}, 0, "401"),
        ({"PRIVATE_REGISTRY_TOKEN": TOKEN}, 403, "403"),
        ({"PRIVATE_REGISTRY_TOKEN": TOKEN}, -1, "connection refused"),
    ],
)
def test_it_fails_and_says_why(
    runner: Runner, private: MoonRegistry, recipe: Any, variables: dict[str, str], status: int, cause: str
) -> None:
    if status < 0:
        private.stop()
    private.status = max(status, 0)
    code, said = runner.run(recipe, private, **variables)
    assert code == 1, said
    assert cause in said
    assert not private.zips()
    assert bool(private.seen) == (bool(variables.get("PRIVATE_REGISTRY_TOKEN")) and status >= 0), "without the variable nobody is asked"
    for secret in filter(None, variables.values()):
        assert secret not in said


def test_a_wrong_file_and_a_wrong_zip_fail(runner: Runner, private: MoonRegistry, monkeypatch: pytest.MonkeyPatch) -> None:
    private.add("private-org/bad", "0.1.0", checksum="0" * 64)
    code, said = runner.run(gitlab, private, PRIVATE_REGISTRY_TOKEN=TOKEN)
    assert code == 1
    assert "private-org/bad@0.1.0" in said
    assert "are not what its index promises" in said
    assert "private-org/bad" not in runner.held()
    monkeypatch.setattr("tests.moonbit.test_recipes.GUIDE", GUIDE.replace('type = "bearer"', 'type = "oauth"'))
    code, said = runner.run(gitlab, private, PRIVATE_REGISTRY_TOKEN=TOKEN)
    assert code == 1
    assert "sources[0].auth.type:" in said


def test_the_environment_is_the_callers_alone(installation: Gatehouse) -> None:
    assert "PRIVATE_REGISTRY_TOKEN" not in installation.environment()
    assert "PRIVATE_REGISTRY_TOKEN" not in os.environ
