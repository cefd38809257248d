"""A job from its order to its end, whatever the upstream does meanwhile."""

from datetime import timedelta

import pytest
from django.utils import timezone

from packages import blobs
from packages.models import Blob, RetiredVersion
from tests.mirroring.jobs import Jobs, troubles
from tests.parts.pack import pack
from tests.parts.recorder import Recorder
from upstreams.models import Mirror, MirrorItem
from upstreams.services.mirroring import hold
from upstreams.services.mirroring.hold import beat, take
from upstreams.services.mirroring.ledger import HoldLost, Ledger, Outcome
from upstreams.services.mirroring.orders import MirrorUnderway, Order, cancel, order, retry
from upstreams.services.mirroring.report import describe_mirror, errors_of
from upstreams.services.mirroring.work import work
from workspaces.errors import Conflict, Denied
from workspaces.models import Event


def test_every_version_of_a_name_comes_in(jobs: Jobs, recorder: Recorder) -> None:
    recorder.add("left-pad", "1.0.0", "1.1.0", "2.0.0-beta.1")
    mirror = jobs.run("left-pad")
    assert (mirror.state, mirror.total, mirror.done, mirror.failed, mirror.names) == ("done", 3, 3, 0, 1)
    assert jobs.held() == ["left-pad@1.0.0", "left-pad@1.1.0", "left-pad@2.0.0-beta.1"]
    assert len(recorder.asked("left-pad", tarball=False)) == 1
    assert not MirrorItem.objects.filter(mirror=mirror).exists()
    told = [event.action for event in Event.objects.filter(action__startswith="mirror.").order_by("pk")]
    assert told == ["mirror.ordered", "mirror.finished"]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [("left-pad@1.0.0", ["1.0.0"]), ("left-pad@^1", ["1.0.0", "1.1.0"]), ("left-pad@latest", ["2.0.0"])],
)
def test_a_name_may_carry_a_range(jobs: Jobs, recorder: Recorder, pattern: str, expected: list[str]) -> None:
    recorder.add("left-pad", "1.0.0", "1.1.0", "2.0.0")
    assert jobs.run(pattern).done == len(expected)
    assert jobs.held() == [f"left-pad@{version}" for version in expected]


def test_a_second_run_asks_only_for_what_changed(jobs: Jobs, recorder: Recorder) -> None:
    recorder.add("left-pad", "1.0.0")
    jobs.run("left-pad")
    recorder.add("left-pad", "1.0.1")
    recorder.forget()
    again = jobs.run("left-pad")
    assert (again.state, again.total, again.done) == ("done", 1, 1)
    assert [one.path for one in recorder.seen] == ["/left-pad", "/left-pad/-/left-pad-1.0.1.tgz"]
    assert "if-none-match" in recorder.seen[0].headers
    recorder.forget()
    third = jobs.run("left-pad")
    assert (third.state, third.total, third.names) == ("done", 0, 1)
    assert [one.path for one in recorder.seen] == ["/left-pad"]


def test_dependencies_are_followed_on_request(jobs: Jobs, recorder: Recorder) -> None:
    recorder.add("app", "1.0.0", dependencies={"lib": "^1.0.0"}, optionalDependencies={"extra": "*"})
    recorder.add("lib", "1.0.0", dependencies={"deep": "~1.1", "app": "*"})
    recorder.add("lib", "1.2.0", dependencies={"deep": "~1.1", "app": "*"})
    recorder.add("lib", "2.0.0")
    recorder.add("deep", "1.0.0", "1.1.0", "1.2.0")
    recorder.add("extra", "3.0.0")
    assert jobs.run("app").total == 1
    assert jobs.held() == ["app@1.0.0"]
    mirror = jobs.run("app", dependencies=True)
    assert (mirror.state, mirror.failed) == ("done", 0), troubles(mirror)
    assert jobs.held() == ["app@1.0.0", "deep@1.1.0", "extra@3.0.0", "lib@1.2.0"]


def test_what_is_optional_and_nowhere_is_left_out(jobs: Jobs, recorder: Recorder) -> None:
    """As an install leaves it: platforms that the upstream does not have, in whichever list they stand too."""
    platforms = {"@roll/linux": "1.0.0", "@roll/beos": "1.0.0", "@roll/amiga": "^2"}
    recorder.add("roll", "1.0.0", dependencies={**platforms, "lib": "*"}, optionalDependencies=platforms)
    recorder.add("lib")
    recorder.add("@roll/linux", "1.0.0", os=["linux"])
    recorder.add("@roll/amiga", "1.0.0")
    mirror = jobs.run("roll", dependencies=True)
    assert (mirror.state, mirror.total, mirror.done, mirror.failed, mirror.left_out) == ("done", 3, 3, 0, 2), troubles(mirror)
    assert jobs.held() == ["@roll/linux@1.0.0", "lib@1.0.0", "roll@1.0.0"]
    told = describe_mirror(mirror)
    assert told["errors"] == []
    assert told["left_out_why"] == [
        "@roll/amiga@^2: Upstream public has no version that fits.",
        "@roll/beos@1.0.0: Upstream public has no such package.",
    ]
    with pytest.raises(Conflict, match="Nothing failed"):
        retry(actor=jobs.team.actor("bob"), mirror=mirror)


def test_what_is_needed_and_nowhere_has_failed(jobs: Jobs, recorder: Recorder) -> None:
    recorder.add("app", dependencies={"gone": "^1"}, peerDependencies={"gone-too": "*"}, optionalDependencies={"shaky": "*"})
    recorder.misbehave("shaky", lambda handler, _: handler.send(500, b"{}"))
    mirror = jobs.run("app", dependencies=True)
    assert (mirror.state, mirror.done, mirror.failed, mirror.left_out) == ("failed", 1, 3, 0), troubles(mirror)
    assert troubles(mirror)["shaky"] == "Upstream public answers 500.", "nobody said that there is none"
    assert describe_mirror(mirror)["errors"][0] == "gone@^1, gone-too@*: Upstream public has no such package."  # type: ignore[index]


def test_the_same_trouble_of_many_is_one_sentence(jobs: Jobs, recorder: Recorder) -> None:
    for name in ("one", "two", "three", "four"):
        recorder.add(name)
        recorder.misbehave(name, lambda handler, _: handler.send(200, b"not a tarball"), where="tarball")
    mirror = jobs.run("one", "two", "three", "four", "nowhere", "no-place")
    (bytes_, nowhere) = errors_of(mirror)
    assert bytes_.startswith("four@1.0.0, one@1.0.0, three@1.0.0 and 1 more: Upstream public sent bytes for it that do not match"), bytes_
    assert nowhere == "no-place, nowhere: Upstream public has no such package."


def test_what_failed_is_told_and_tried_again(jobs: Jobs, recorder: Recorder) -> None:
    recorder.add("good", "1.0.0")
    recorder.add("bad", "1.0.0")
    recorder.misbehave("bad", lambda handler, _: handler.send(200, b"not a tarball"), where="tarball")
    mirror = jobs.run("good", "bad", "nowhere")
    assert (mirror.state, mirror.total, mirror.done, mirror.failed) == ("failed", 3, 1, 2)
    assert "do not match their integrity" in troubles(mirror)["bad"]
    assert troubles(mirror)["nowhere"] == "Upstream public has no such package."
    recorder.behave()
    recorder.add("nowhere", "1.0.0")
    recorder.forget()
    again = jobs.finish(retry(actor=jobs.team.actor("bob"), mirror=mirror))
    assert (again.state, again.done) == ("done", 2), troubles(again)
    assert not recorder.asked("good")


def test_an_upstream_that_pauses_is_waited_for(jobs: Jobs, recorder: Recorder) -> None:
    recorder.add("busy", "1.0.0")
    refused: list[int] = []

    def busy(handler: object, answer: object) -> None:
        refused.append(1)
        if len(refused) > 1:
            recorder.behave()
        handler.send(429, b"{}", retry_after="1")  # type: ignore[attr-defined]

    recorder.misbehave("busy", busy)
    assert jobs.run("busy").state == "done"
    assert len(refused) == 2


def test_a_dead_upstream_ends_the_job(jobs: Jobs, recorder: Recorder) -> None:
    recorder.stop()
    mirror = jobs.run(*[f"name-{number}" for number in range(40)])
    assert mirror.state == "failed"
    assert "Given up" in mirror.trouble
    assert "connection refused" in mirror.trouble, "what the matter is, not only that it is left alone by now"
    assert mirror.items.count() == 40


def test_the_same_is_not_ordered_twice(jobs: Jobs, recorder: Recorder) -> None:
    recorder.add("left-pad")
    first = jobs.order("left-pad")
    with pytest.raises(MirrorUnderway) as refused:
        jobs.order("left-pad")
    assert refused.value.mirror_id == first.pk
    jobs.order("left-pad", dependencies=True)
    jobs.finish(first)
    jobs.order("left-pad")


def test_readers_order_nothing(jobs: Jobs) -> None:
    with pytest.raises(Denied):
        jobs.order("left-pad", who="rita")


def test_cancelled_before_anybody_came(jobs: Jobs, recorder: Recorder) -> None:
    recorder.add("left-pad")
    mirror = cancel(actor=jobs.team.actor("bob"), mirror=jobs.order("left-pad"))
    assert mirror.state == "cancelled"
    assert jobs.finish(mirror).state == "cancelled"
    assert not recorder.seen


def test_cancelled_while_the_command_that_ordered_it_waits_for_its_turn(jobs: Jobs) -> None:
    assert take(jobs.order("first").pk, "worker") is not None
    wish = Order(patterns=["left-pad"], worker="command")
    mine = order(actor=jobs.team.actor("bob"), registry=jobs.team.registry, upstream=jobs.upstream, order=wish)
    assert (take(mine.pk, "command"), beat(mine.pk, "command")) == (None, False)
    assert cancel(actor=jobs.team.actor("bob"), mirror=mine).state == "cancelled"


def test_in_full_means_missing_bytes_too(jobs: Jobs, recorder: Recorder) -> None:
    (packed,) = recorder.add("left-pad")
    jobs.run("left-pad")
    (sha256,) = Blob.objects.filter(files__name="left-pad-1.0.0.tgz").values_list("sha256", flat=True)
    blobs.delete(sha256)
    assert jobs.run("left-pad").total == 0
    mirror = jobs.run("left-pad", full=True)
    assert (mirror.state, mirror.done) == ("done", 1), troubles(mirror)
    assert blobs.local_path(sha256).read_bytes() == packed.tarball
    assert jobs.run("left-pad", full=True).total == 0


def test_other_bytes_under_a_known_number_are_refused(jobs: Jobs, recorder: Recorder) -> None:
    recorder.add("left-pad", "1.0.0")
    recorder.offer(pack("left-pad", "1.1.0"))
    jobs.run("left-pad@1.0.0")
    recorder.offer(pack("left-pad", "1.1.0", text="other"))
    mirror = jobs.run("left-pad")
    assert (mirror.state, mirror.failed) == ("failed", 1)
    assert "do not match their integrity" in troubles(mirror)["left-pad"]
    assert jobs.held() == ["left-pad@1.0.0"]


def test_a_deleted_version_of_our_own_is_not_brought_back(jobs: Jobs, recorder: Recorder) -> None:
    RetiredVersion.objects.create(registry=jobs.team.registry, format="npm", name="left-pad", version="1.0.0")
    recorder.add("left-pad", "1.0.0", "1.1.0")
    assert jobs.run("left-pad").done == 1
    assert jobs.held() == ["left-pad@1.1.0"]


def test_an_upstream_that_refuses_our_credentials_is_not_asked_for_ever(jobs: Jobs, recorder: Recorder) -> None:
    recorder.demand("bearer", secret="another-secret")
    mirror = jobs.run(*[f"name-{number}" for number in range(100)])
    assert mirror.state == "failed"
    assert "refused our credentials" in mirror.trouble
    assert len(recorder.seen) < 60


def test_jobs_of_one_upstream_take_turns(jobs: Jobs, recorder: Recorder) -> None:
    one, two, three = (jobs.order(name) for name in ("one", "two", "three"))
    assert hold.take(two.pk, "somebody") is not None
    assert hold.take(one.pk, "me") is None
    assert hold.take(two.pk, "me") is None
    assert hold.abandoned() == []
    assert hold.release(two.pk, "me") is False
    assert hold.release(two.pk, "somebody") is True
    assert hold.abandoned() == [one.pk]
    assert work(two.pk) == three.pk
    assert work(three.pk) == one.pk
    assert work(one.pk) is None


def test_whoever_lost_a_job_writes_nothing_more(jobs: Jobs) -> None:
    mirror = jobs.order("left-pad")
    assert hold.take(mirror.pk, "slow") is not None
    Mirror.objects.update(beat_at=timezone.now() - timedelta(hours=1))
    assert hold.take(mirror.pk, "quick") is not None
    ledger = Ledger(mirror.pk, "slow")
    (item,) = ledger.waiting(without=(), limit=5)
    with pytest.raises(HoldLost):
        ledger.write([Outcome(item)])
    assert ledger.end("done") is False
    assert Ledger(mirror.pk, "quick").waiting(without=(), limit=5) == [item]


def test_jobs_that_were_over_long_ago_are_forgotten(jobs: Jobs) -> None:
    old, young, waits = (jobs.order(name) for name in ("old", "young", "waits"))
    Mirror.objects.filter(pk__in=[old.pk, young.pk]).update(state="done", ended_at=timezone.now())
    Mirror.objects.filter(pk=old.pk).update(ended_at=timezone.now() - timedelta(days=91))
    hold.forget_mirrors()
    assert set(Mirror.objects.values_list("pk", flat=True)) == {young.pk, waits.pk}
