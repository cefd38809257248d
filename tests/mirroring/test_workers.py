"""Real workers, in both set-ups: embedded (SQLite, files as a queue) and production (PostgreSQL, a real Redis)."""

import threading
import time
from collections.abc import Iterator

import pytest

from tests.mirroring.live import Live, tarballs
from tests.parts.gate import Gate
from tests.parts.gatehouse import Gatehouse
from tests.parts.recorder import Handler, Recorder
from tests.parts.worker import working

SETUPS = ("embedded", "redis")
SLOW = 0.15  # seconds a slow tarball takes


@pytest.fixture(scope="module", params=SETUPS)
def installation(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, public: Recorder) -> Iterator[Gate]:
    """Web alone; each test has its own workers."""
    url, env = "", {}
    if request.param == "redis":
        url = request.getfixturevalue("postgres").database()
        env = {"REDIS_URL": request.getfixturevalue("valkey").url}
    server = Gatehouse(tmp_path_factory.mktemp(f"mirrors-{request.param}"), url, public.url, env=env, workers=1)
    try:
        server.start()
        yield Gate(server)
    finally:
        server.stop()


@pytest.fixture
def server(installation: Gate) -> Gatehouse:
    return installation.server


@pytest.fixture
def live(installation: Gate, recorder: Recorder) -> Live:
    return Live(installation.workspace(), recorder)


def slowly(handler: Handler, answer: object) -> None:
    time.sleep(SLOW)
    answer()  # type: ignore[operator]


def test_ordered_worked_on_and_told(live: Live, server: Gatehouse, recorder: Recorder) -> None:
    names = [f"small-{number}" for number in range(30)]
    for name in names:
        recorder.add(name, "1.0.0", "1.1.0")
    recorder.misbehave("small-7", lambda handler, _: handler.send(404, b"{}"), where="tarball")
    with working(server):
        told = live.over(live.order(*names))
        assert (told["state"], told["total"], told["done"], told["failed"]) == ("failed", 60, 58, 2)
        (sentence,) = told["errors"]
        assert sentence.startswith("small-7@1.0.0, small-7@1.1.0: ")
        recorder.behave()
        again = live.over(live.act(told, "retry"))
    assert (again["state"], again["done"]) == ("done", 2), again
    recorder.stop()
    assert live.place.versions("small-7") == ["1.0.0", "1.1.0"]
    assert live.place.as_("rita").get("/small-29/-/small-29-1.1.0.tgz").status == 200


def test_a_killed_workers_job_is_gone_on_with(live: Live, server: Gatehouse, recorder: Recorder) -> None:
    names = [f"many-{number}" for number in range(60)]
    for name in names:
        recorder.add(name)
    recorder.misbehave("*", slowly, where="tarball")
    with working(server) as first:
        job = live.order(*names)
        live.until(job, lambda told: told["done"] >= 8)
        first.kill()
    held = {path for path in tarballs(recorder) if live.place.gate.execute(HELD, path.rpartition("/")[2], live.place.slug)}
    assert 8 <= len(held) < 60
    before = len(tarballs(recorder))
    with working(server, "tasks2"):
        told = live.over(job)
    assert (told["state"], told["done"], told["failed"]) == ("done", 60, 0), told
    assert not held & set(tarballs(recorder)[before:]), "what was held is not fetched twice"


HELD = (
    "SELECT 1 FROM packages_file f JOIN packages_version v ON v.id = f.version_id JOIN packages_package p ON p.id = v.package_id"
    " JOIN registries_registry r ON r.id = p.registry_id JOIN workspaces_workspace w ON w.id = r.workspace_id"
    " WHERE f.name = ? AND w.slug = ?"
)


def test_a_worker_that_is_told_to_end_gives_its_job_back(live: Live, server: Gatehouse, recorder: Recorder) -> None:
    names = [f"back-{number}" for number in range(60)]
    for name in names:
        recorder.add(name)
    recorder.misbehave("*", slowly, where="tarball")
    with working(server) as first:
        job = live.order(*names)
        live.until(job, lambda told: told["done"] >= 8)
        first.stop()
        assert live.read(job)["state"] == "queued"
    with working(server, "tasks3", clock=False):  # by its message alone
        assert live.over(job)["done"] == 60
    assert len(tarballs(recorder)) == len(set(tarballs(recorder)))


def test_cancelled_within_two_seconds(live: Live, server: Gatehouse, recorder: Recorder) -> None:
    names = [f"long-{number}" for number in range(200)]
    for name in names:
        recorder.add(name)
    recorder.misbehave("*", slowly, where="tarball")
    with working(server):
        job = live.order(*names)
        live.until(job, lambda told: told["done"] >= 4)
        live.act(job, "cancel")
        told = live.over(job, seconds=10)
        assert told["state"] == "cancelled"
        time.sleep(1)
        after = len(tarballs(recorder))
        time.sleep(1)
        assert len(tarballs(recorder)) == after < 200
        live.act(job, "cancel", expect=409)
        recorder.behave()
        again = live.over(live.act(job, "retry"))
    assert again["state"] == "done"
    assert again["done"] + told["done"] == 200


def test_two_workers_and_two_jobs_never_ask_more_than_agreed(live: Live, server: Gatehouse, recorder: Recorder) -> None:
    for number in range(60):
        recorder.add(f"one-{number}")
        recorder.add(f"two-{number}")
    busy, most, lock = [0], [0], threading.Lock()

    def counted(handler: Handler, answer: object) -> None:
        with lock:
            busy[0] += 1
            most[0] = max(most[0], busy[0])
        time.sleep(SLOW)
        with lock:
            busy[0] -= 1
        answer()  # type: ignore[operator]

    recorder.misbehave("*", counted, where="tarball")
    with working(server), working(server, "tasks4", clock=False):
        one = live.order(*(f"one-{number}" for number in range(60)))
        two = live.order(*(f"two-{number}" for number in range(60)))
        live.order(*(f"two-{number}" for number in range(60)), expect=409)
        assert live.over(one)["done"] == live.over(two)["done"] == 60
    assert 2 <= most[0] <= 8
    assert len(tarballs(recorder)) == 120


def test_a_lost_message_is_made_up_for(live: Live, server: Gatehouse, recorder: Recorder) -> None:
    recorder.add("left-pad")
    job = live.order("left-pad")
    for message in (server.data / "queue" / "in").glob("*"):
        message.unlink()
    if server.env.get("REDIS_URL"):
        server.manage("shell", "-c", "from config.celery import app; app.control.purge()")
    assert live.read(job)["state"] == "queued"
    with working(server):
        assert live.over(job)["done"] == 1


def test_the_rule_is_asked_again_when_the_job_runs(live: Live, server: Gatehouse, recorder: Recorder) -> None:
    recorder.add("@acme/http")
    recorder.add("left-pad")
    claimed, disabled = live.order("@acme/http"), live.order("left-pad@1.0.0")
    live.place.claim("@acme/*")
    with working(server):
        told = live.over(claimed)
        assert told["state"] == "failed"
        assert "@acme/*" in told["errors"][0]
        live.over(disabled)
        assert not recorder.mentions("http-")
        assert not recorder.asked("@acme/http")
        address = f"{live.place.rest}upstreams/{live.upstream['id']}/"
    third = live.order("left-pad", expect=202)
    recorder.forget()
    assert live.place.api().patch(address, {"enabled": False}).status == 200
    with working(server):
        told = live.over(third)
    assert (told["state"], told["total"]) == ("failed", 1)
    assert "disabled" in told["errors"][0]
    assert not recorder.seen


def test_a_schedule_is_seen_by_the_clock(live: Live, server: Gatehouse, recorder: Recorder) -> None:
    recorder.add("left-pad")
    wish = {"upstream": "public", "patterns": ["left-pad"], "every": "1h"}
    made = live.place.api().post(live.place.rest + "schedules/", wish)
    assert made.status == 201, made
    past = "2001-01-01 00:00:00+00:00" if server.database_url else "2001-01-01 00:00:00"
    live.place.gate.execute("UPDATE upstreams_mirrorschedule SET next_at = ? WHERE id = ?", past, made.json()["id"])
    with working(server):
        deadline = time.monotonic() + 60
        while not tarballs(recorder) and time.monotonic() < deadline:
            time.sleep(0.1)
        (job,) = live.place.api("rita").get(live.place.rest + "mirrors/").json()["results"]
        assert live.over(job)["asked_by"] == f"schedule {made.json()['id']}"
    assert len(tarballs(recorder)) == 1


def test_what_is_taken_away_meanwhile_is_asked_no_more(live: Live, server: Gatehouse, recorder: Recorder) -> None:
    for number in range(100):
        recorder.add(f"@acme/pkg-{number}")
    recorder.misbehave("*", slowly, where="tarball")
    names = [f"@acme/pkg-{number}" for number in range(100)]
    with working(server):
        job = live.order(*names)
        live.until(job, lambda told: told["done"] >= 4)
        live.place.claim("@acme/*")
        seen = len(recorder.seen)
        told = live.over(job)
        assert told["state"] == "failed"
        assert "@acme/*" in str(told["errors"])
        assert len(recorder.seen) - seen <= 8, "what was on its way"
        again = live.order("other-*")
        live.over(again)
        assert live.place.api().delete(f"{live.place.rest}upstreams/{live.upstream['id']}/").status == 204
        assert live.place.api().get(f"{live.place.rest}mirrors/{job['id']}/").status == 404


def test_the_command_waits_for_its_turn(live: Live, server: Gatehouse, recorder: Recorder) -> None:
    names = [f"wait-{number}" for number in range(150)]
    for name in names:
        recorder.add(name, "1.0.0", "1.1.0", "1.2.0", "1.3.0")
    recorder.add("mine")
    recorder.misbehave("*", slowly, where="tarball")
    with working(server):
        job = live.order(*names)
        live.until(job, lambda told: told["done"] >= 4)
        told = server.manage("mirror", f"{live.place.slug}/main", "-s", "public", "mine")
        assert "waits for its turn" in told
        assert "Mirrored 1 version " in told
        live.act(job, "cancel")
        assert live.over(job)["done"] < 600
