"""Jobs at an internal upstream: what it was asked for comes from there or not at all, and takes the place of what is shadowed."""

import pytest

from packages.models import Version
from tests.mirroring.jobs import Jobs, troubles
from tests.npm.outside import connect
from tests.parts.pack import pack
from tests.parts.recorder import Recorder
from upstreams.services.mirroring.report import errors_of
from workspaces.services.spaces import add_claim

NAMED = [("secret-tool",), ("secret-tool@1.0.0",), ("secret-tool@^1",), ("secret-*",)]


@pytest.fixture
def partner(jobs: Jobs, other_recorder: Recorder) -> Jobs:
    """Jobs at an internal upstream beside the public one; every name could be its own."""
    return Jobs(jobs.team, connect(jobs.team, other_recorder, "partner", is_internal=True, priority=90))


@pytest.mark.parametrize("options", [{}, {"dependencies": True}])
@pytest.mark.parametrize("patterns", NAMED)
def test_what_it_told_but_does_not_give_is_asked_nowhere_else(
    partner: Jobs, recorder: Recorder, other_recorder: Recorder, patterns: tuple[str, ...], options: dict[str, bool]
) -> None:
    """It lists a name that is gone, or closed to us: the public upstream must not hear it."""
    recorder.add("secret-tool")
    other_recorder.answers["/_all_docs"] = {"rows": [{"id": "secret-tool"}]}
    mirror = partner.run(*patterns, **options)
    assert (mirror.state, mirror.done) == ("failed", 0)
    sentence = "Upstream partner has no such package; nobody else was asked, for the name may be its own all the same."
    assert list(troubles(mirror).values()) == [sentence]
    assert other_recorder.asked("secret-tool")
    assert not recorder.mentions("secret")
    assert partner.held() == []


def test_what_it_depends_on_comes_from_wherever_the_rule_says(partner: Jobs, recorder: Recorder, other_recorder: Recorder) -> None:
    recorder.add("left-pad")
    other_recorder.add("secret-tool", dependencies={"left-pad": "^1.0.0"})
    mirror = partner.run("secret-tool@1.0.0", dependencies=True)
    assert (mirror.state, mirror.total, mirror.done) == ("done", 2, 2), troubles(mirror)
    assert partner.held() == ["left-pad@1.0.0", "secret-tool@1.0.0"]
    recorder.forget()
    assert partner.run("secret-tool", dependencies=True).state == "done"
    assert not recorder.asked("left-pad", tarball=True)


@pytest.mark.parametrize("options", [{}, {"full": True}, {"dependencies": True}])
@pytest.mark.parametrize("pattern", ["tool", "tool@1.0.0"])
def test_the_same_bytes_lift_what_was_shadowed(
    jobs: Jobs, recorder: Recorder, other_recorder: Recorder, options: dict[str, bool], pattern: str
) -> None:
    packed = pack("tool")
    recorder.offer(packed)
    assert jobs.run("tool").done == 1
    other_recorder.offer(packed)
    partner = Jobs(jobs.team, connect(jobs.team, other_recorder, "partner", is_internal=True, priority=90))
    mirror = partner.run(pattern, **options)
    assert mirror.state == "done", troubles(mirror)
    assert Version.objects.get(package__name="tool").is_internal
    other_recorder.forget()
    assert partner.run(pattern, **options).state == "done"
    assert not other_recorder.asked("tool", tarball=True), "now it is here"


def test_other_bytes_are_told_and_the_job_is_not_done(jobs: Jobs, recorder: Recorder, other_recorder: Recorder) -> None:
    recorder.offer(pack("tool", files={"a.js": b"public"}))
    assert jobs.run("tool").done == 1
    other_recorder.offer(pack("tool", files={"a.js": b"partner"}))
    partner = Jobs(jobs.team, connect(jobs.team, other_recorder, "partner", is_internal=True, priority=90))
    mirror = partner.run("tool")
    assert (mirror.state, mirror.failed) == ("failed", 1)
    assert errors_of(mirror)[0].startswith("tool@1.0.0: Upstream partner sent bytes for it that do not match")


def test_sentences_are_true_of_who_was_asked(partner: Jobs, jobs: Jobs, recorder: Recorder, other_recorder: Recorder) -> None:
    """A claimed name that the internal upstream was asked for and lacks; the same at the public one, which never heard it."""
    alice = jobs.team.actor("alice")
    add_claim(actor=alice, workspace=jobs.team.space, pattern="@ours/*")
    asked = partner.run("@ours/tool")
    reason = "the name is internal (by the claim @ours/*)"
    assert troubles(asked) == {"@ours/tool": f"Upstream partner has no such package; {reason}, so nobody else was asked."}
    assert other_recorder.asked("@ours/tool")
    unasked = jobs.run("@ours/tool")
    sentence = f"It was not asked for at upstream public, for {reason}; upstream partner has no such package."
    assert troubles(unasked) == {"@ours/tool": sentence}
    assert not recorder.mentions("ours")


def test_who_was_asked_is_named_where_several_were(jobs: Jobs, recorder: Recorder, other_recorder: Recorder) -> None:
    connect(jobs.team, other_recorder, "second", priority=200)
    assert troubles(jobs.run("nowhere")) == {"nowhere": "Upstreams public and second have no such package."}
    other_recorder.add("theirs")
    assert troubles(jobs.run("theirs"))["theirs"].startswith("It does not come from upstream public: does not have it")
