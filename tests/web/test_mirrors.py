"""The pages of mirrors: ordered, watched, cancelled, tried again; schedules."""

import json
import re
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from registries.services import create_registry
from tests.web.addresses import MAIN, text
from tests.web.conftest import World
from upstreams.models import Mirror, MirrorItem, MirrorSchedule, Upstream

MIRRORS = f"{MAIN}mirrors/"
POLLS = 'hx-trigger="every 2s"'


@pytest.fixture(autouse=True)
def _nobody_works(monkeypatch: pytest.MonkeyPatch) -> None:
    """No message is sent: these jobs are looked at only."""
    monkeypatch.setattr("web.views.mirrors.send_mirror", lambda _: None)


def job(world: World, **fields: object) -> Mirror:
    kept = {"registry": world.main, "upstream": world.upstream, "patterns": ["left-*"], "asked_by": "bob"}
    return Mirror.objects.create(**{**kept, **fields})


def test_ordered_on_the_page(alice: Client) -> None:
    fields = {"upstream": "outside", "patterns": "left-*\n\n @acme/http@^1 ", "dependencies": "on"}
    answer = alice.post(MIRRORS, fields, follow=True)
    assert answer.status_code == 200
    made = Mirror.objects.get()
    assert (made.patterns, made.options["dependencies"], made.options["anywhere"]) == (["left-*", "@acme/http@^1"], True, False)
    assert "The job is ordered." in answer.content.decode()
    assert POLLS in answer.content.decode()
    again = alice.post(MIRRORS, fields)
    assert again.status_code == 409
    assert f"Job {made.pk} mirrors the same already." in again.content.decode()


def test_a_lock_file_is_uploaded(alice: Client) -> None:
    lock = {
        "lockfileVersion": 3,
        "packages": {"node_modules/left-pad": {"version": "1.3.0"}, "node_modules/@acme/http": {"version": "2.0.0"}},
    }
    file = SimpleUploadedFile("../package-lock.json", json.dumps(lock).encode())
    assert alice.post(MIRRORS, {"upstream": "outside", "lock": file}).status_code == 302
    made = Mirror.objects.get()
    assert made.listed.startswith("package-lock.json, 2 entries, sha256 ")
    assert (made.total, made.options["anywhere"]) == (2, True)
    assert sorted(made.items.values_list("name", "version")) == [("@acme/http", "2.0.0"), ("left-pad", "1.3.0")]


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"upstream": "outside"}, "Say what to mirror"),
        ({"upstream": "nobody", "patterns": "x"}, "Choose one of those that are shown"),
        ({"upstream": "outside", "patterns": "../x"}, "is not a package name"),
        ({"upstream": "outside", "lock": "no file"}, "Say what to mirror"),
    ],
)
def test_what_was_refused_stands_in_the_form(alice: Client, fields: dict[str, str], sentence: str) -> None:
    answer = alice.post(MIRRORS, fields)
    assert answer.status_code == 400
    assert sentence in answer.content.decode()
    assert not Mirror.objects.exists()


def test_a_file_that_is_no_lock_file(alice: Client) -> None:
    answer = alice.post(MIRRORS, {"upstream": "outside", "lock": SimpleUploadedFile("x.json", b"{}")})
    assert answer.status_code == 400
    assert "no lock file" in answer.content.decode()


def test_it_polls_while_something_is_under_way_and_no_longer(alice: Client, world: World) -> None:
    made = job(world, state="running", total=10, done=4, failed=1, names=3)
    for address, part in ((MIRRORS, "jobs"), (f"{MIRRORS}{made.pk}/", "job")):
        page = text(alice, address)
        assert POLLS in page
        assert re.search(r'role="progressbar".*aria-valuemax="10" aria-valuenow="4"', page)
        assert '<rect class="failed" x="4" width="1"' in page
        fragment = alice.get(address, headers={"HX-Request": "true", "HX-Target": part}).content.decode()
        assert fragment.lstrip().startswith(f'<div id="{part}"')
        assert "<html" not in fragment
    Mirror.objects.update(state="failed", done=9)
    for address, part in ((MIRRORS, "jobs"), (f"{MIRRORS}{made.pk}/", "job")):
        assert POLLS not in alice.get(address, headers={"HX-Request": "true", "HX-Target": part}).content.decode()


@pytest.mark.parametrize(("silence", "said"), [(0, "at work"), (3600, "waits to go on"), (None, "waits to go on")])
def test_a_job_whose_worker_is_gone_is_not_at_work(alice: Client, world: World, silence: int | None, said: str) -> None:
    made = job(world, state="running", beat_at=silence if silence is None else timezone.now() - timedelta(seconds=silence))
    for address in (MIRRORS, f"{MIRRORS}{made.pk}/"):
        page = text(alice, address)
        assert POLLS in page
        assert [word for word in ("at work", "waits to go on") if word in page] == [said]


def test_what_failed_and_why_is_told_and_tried_again(alice: Client, world: World) -> None:
    made = job(world, state="failed", total=3, done=1, failed=2, trouble="Given up.")
    for name in ("<b>one</b>", "two"):
        MirrorItem.objects.create(mirror=made, name=name, version="1.0.0", state="failed", trouble="It is <gone>.")
    page = text(alice, f"{MIRRORS}{made.pk}/")
    assert "Given up." in page
    assert "<strong>2</strong> · It is &lt;gone&gt;." in page
    assert "&lt;b&gt;one&lt;/b&gt;@1.0.0, two@1.0.0" in page
    assert '<rect class="done" width="1"' in page, "not full, for two are missing"
    answer = alice.post(f"{MIRRORS}{made.pk}/retry/")
    again = Mirror.objects.exclude(pk=made.pk).get()
    assert answer.headers["Location"] == f"{MIRRORS}{again.pk}/"
    assert again.total == 2


def test_what_was_left_out_is_no_failure(alice: Client, world: World) -> None:
    made = job(world, state="done", total=1, done=1, left_out=40)
    for number in range(40):
        MirrorItem.objects.create(mirror=made, name=f"@roll/{number:02}", version="@?^1", state="left", trouble="Nobody has it.")
    page = text(alice, f"{MIRRORS}{made.pk}/")
    assert "What was left out" in page
    assert "<strong>40</strong> · Nobody has it." in page
    assert "@roll/19@^1 and 20 more" in page
    assert "What failed" not in page
    assert "40 left out" in text(alice, MIRRORS)


def test_cancelled_on_the_page(alice: Client, world: World) -> None:
    waits, works = job(world), job(world, state="running", beat_at="2999-01-01T00:00Z", patterns=["x"])
    assert "Cancel the job" in text(alice, f"{MIRRORS}{works.pk}/")
    for one in (waits, works):
        assert alice.post(f"{MIRRORS}{one.pk}/cancel/").status_code == 302
    waits.refresh_from_db()
    works.refresh_from_db()
    assert (waits.state, works.state, works.cancel_asked) == ("cancelled", "running", True)
    page = text(alice, f"{MIRRORS}{works.pk}/")
    assert "being cancelled" in page
    assert "Cancel the job" not in page


def test_readers_see_and_do_nothing(sign_in: object, world: World) -> None:
    made = job(world, state="running")
    rita = sign_in("rita")  # type: ignore[operator]
    for address in (MIRRORS, f"{MIRRORS}{made.pk}/"):
        assert '<form method="post" class="inline" action="/acme' not in text(rita, address)
    assert "Order the job" not in text(rita, MIRRORS)


def test_schedules_are_kept_rest_and_go(alice: Client) -> None:
    assert "soon" in alice.post(f"{MIRRORS}schedules/", {"upstream": "outside", "patterns": "x", "every": "soon"}).content.decode()
    wish = {"upstream": "outside", "patterns": "left-*", "every": "15 3 * * mon-fri"}
    assert alice.post(f"{MIRRORS}schedules/", wish).status_code == 302
    kept = MirrorSchedule.objects.get()
    assert "15 3 * * mon-fri" in text(alice, MIRRORS)
    assert alice.post(f"{MIRRORS}schedules/{kept.pk}/switch/", {"enabled": "false"}).status_code == 302
    assert "rests" in text(alice, MIRRORS)
    asked = alice.post(f"{MIRRORS}schedules/{kept.pk}/remove/")
    assert "Remove this schedule?" in asked.content.decode()
    assert alice.post(f"{MIRRORS}schedules/{kept.pk}/remove/", {"confirm": "yes"}).status_code == 302
    assert not MirrorSchedule.objects.exists()


def test_a_registry_without_an_upstream_outside(alice: Client, world: World) -> None:
    world.upstream.delete()
    assert "Nothing to mirror from" in text(alice, MIRRORS)


def test_what_is_chained_is_mirrored_there(alice: Client, world: World) -> None:
    shared = create_registry(actor=world.actor("alice"), workspace=world.main.workspace, slug="upper")
    Upstream.objects.filter(pk=world.upstream.pk).update(kind="registry", source=shared, url="")
    page = text(alice, MIRRORS)
    assert "Nothing to mirror from" in page
    assert 'href="/acme/registries/upper/mirrors/">acme/upper</a>' in page


def test_a_git_repository_can_be_mirrored_from(alice: Client, world: World) -> None:
    Upstream.objects.filter(pk=world.upstream.pk).update(kind="git")
    assert alice.post(MIRRORS, {"upstream": "outside", "patterns": "@acme/*"}).status_code == 302


def test_removing_an_upstream_says_what_goes_with_it(alice: Client, world: World) -> None:
    remove = f"{MAIN}upstreams/{world.upstream.pk}/remove/"
    before = "Its patterns no longer count as claims."
    assert "Deleted with it" not in text(alice, f"{MAIN}upstreams/")
    for state in ("done", "running"):
        job(world, state=state)
    MirrorSchedule.objects.create(registry=world.main, upstream=world.upstream, patterns=["x"], every="1d", next_at="2999-01-01T00:00Z")
    told = f"{before} Deleted with it: 2 mirror jobs (1 under way) and 1 schedule."
    assert told in text(alice, f"{MAIN}upstreams/")
    assert told in alice.post(remove).content.decode()
    assert alice.post(remove, {"confirm": "yes"}).status_code == 302
    assert not Mirror.objects.exists()
    assert not MirrorSchedule.objects.exists()
