"""An upstream that is changed between the moment a worker took a job and its first question: the row at hand is an old one."""

import time
from pathlib import Path

from django.utils import timezone

from tests.mirroring.jobs import Jobs, troubles
from tests.npm.outside import connect
from tests.parts import faults
from tests.parts.recorder import Recorder
from tests.parts.repository import GitServer, Repository
from upstreams.models import GitListing, Mirror, UpstreamDocument
from upstreams.services.mirroring.engine import TRIES, Run
from upstreams.services.mirroring.hold import take
from upstreams.services.mirroring.known import driver_for
from upstreams.services.mirroring.orders import retry
from upstreams.services.mirroring.work import no_tell
from upstreams.services.sources import change_upstream, create_upstream
from upstreams.services.wishes import UpstreamChanges, UpstreamWish
from workspaces.services.spaces import add_claim


def overtaken(jobs: Jobs, changes: UpstreamChanges, *patterns: str) -> Mirror:
    """A job whose upstream is changed as soon as it is taken."""
    mirror = take(jobs.order(*patterns).pk, "worker")
    assert mirror is not None
    change_upstream(actor=jobs.team.actor("alice"), upstream=jobs.upstream, changes=changes)
    assert Run(mirror, "worker", driver_for("npm"), no_tell).go(time.monotonic() + 60)
    mirror.refresh_from_db()
    return mirror


def test_an_upstream_that_is_internal_no_more_hears_of_no_claim(jobs: Jobs, recorder: Recorder, other_recorder: Recorder) -> None:
    add_claim(actor=jobs.team.actor("alice"), workspace=jobs.team.space, pattern="@acme/*")
    for name in ("@acme/http", "left-pad"):
        other_recorder.add(name)
    partner = connect(jobs.team, other_recorder, "partner", is_internal=True)
    mirror = overtaken(Jobs(jobs.team, partner), {"internal": False}, "@acme/ht*")
    assert "meets the claim @acme/*" in troubles(mirror)["@acme/ht*"]
    assert not other_recorder.mentions("acme")


def test_an_upstream_that_is_disabled_hears_nothing(jobs: Jobs, recorder: Recorder) -> None:
    recorder.add("left-pad")
    mirror = overtaken(jobs, {"enabled": False}, "left-*")
    assert "is disabled" in troubles(mirror)["left-*"]
    assert recorder.seen == []


def test_an_earlier_source_that_cannot_say_is_told_and_asked_again(jobs: Jobs, recorder: Recorder, other_recorder: Recorder) -> None:
    """The versions held here answer installs meanwhile; a job goes on as soon as that source says again that it has none."""
    other_recorder.add("left-pad", "1.0.0")
    second = Jobs(jobs.team, connect(jobs.team, other_recorder, "second"))
    assert second.run("left-pad").state == "done"
    other_recorder.add("left-pad", "1.0.0", "1.1.0")
    UpstreamDocument.objects.update(fresh_until=timezone.now())
    recorder.misbehave("left-pad", faults.status(503))
    mirror = second.run("left-pad")
    assert troubles(mirror) == {"left-pad": "Upstream public answers 503."}
    assert len(recorder.asked("left-pad")) == 1 + TRIES
    recorder.behave()
    assert second.finish(retry(actor=jobs.team.actor("bob"), mirror=mirror)).state == "done"
    assert second.held() == ["left-pad@1.0.0", "left-pad@1.1.0"]


def test_of_a_repository_that_is_another_the_new_one_is_listed(jobs: Jobs, tmp_path: Path) -> None:
    for name in ("former", "latter"):
        Repository(tmp_path / name).commit({"package.json": {"name": f"{name}-pkg", "version": "1.0.0"}, "index.js": "1;\n"})
    with GitServer(tmp_path) as server:
        wish = UpstreamWish(name="code", kind="git", url=f"{server.url}/former/modules.git", priority=1)
        code = create_upstream(actor=jobs.team.actor("alice"), registry=jobs.team.registry, wish=wish)
        mirror = overtaken(Jobs(jobs.team, code), {"url": f"{server.url}/latter/modules.git"}, "*")
        assert mirror.state == "done", troubles(mirror)
        assert GitListing.objects.get(upstream=code).names == ["latter-pkg"]
        assert {name.partition("@")[0] for name in jobs.held()} == {"latter-pkg"}
        assert not [path for path, _ in server.seen if "former" in path]
