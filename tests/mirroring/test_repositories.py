"""A job asks a repository in its own time, however fresh the last listing is; what it said earlier stands in for nothing."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.mirroring.jobs import Jobs, troubles
from tests.parts.repository import GitServer, Repository
from upstreams.models import Mirror
from upstreams.services.sources import create_upstream
from upstreams.services.wishes import UpstreamWish

PACKAGE = {"package.json": {"name": "mod", "version": "1.0.0"}}


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    found = Repository(tmp_path / "forge")
    found.commit(PACKAGE)
    return found


@pytest.fixture
def forge(repository: Repository) -> Iterator[GitServer]:
    with GitServer(repository.folder) as server:
        yield server


@pytest.fixture
def code(jobs: Jobs, forge: GitServer) -> Jobs:
    """Jobs of the repository."""
    wish = UpstreamWish(name="code", kind="git", url=f"{forge.url}/modules.git", priority=1)
    return Jobs(jobs.team, create_upstream(actor=jobs.team.actor("alice"), registry=jobs.team.registry, wish=wish))


@pytest.fixture(params=["mod", "m*"])
def again(request: pytest.FixtureRequest, code: Jobs) -> Callable[[], Mirror]:
    """A job of a name or a pattern, which was done once."""
    assert code.run(request.param).state == "done"
    return lambda: code.run(request.param)


def test_what_was_released_a_moment_ago_comes(code: Jobs, repository: Repository, again: Callable[[], Mirror]) -> None:
    repository.tag("v1.1.0")
    assert again().state == "done"
    assert "mod@1.1.0" in code.held()


def test_a_repository_that_does_not_answer_fails_the_job(forge: GitServer, again: Callable[[], Mirror]) -> None:
    forge.stop()
    mirror = again()
    assert mirror.state == "failed"
    assert list(troubles(mirror).values()) == ["Upstream code cannot be reached (connection refused)."]
