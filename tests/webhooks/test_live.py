"""With real workers, in both set-ups: embedded (SQLite, files as a queue) and production (PostgreSQL, a real Redis)."""

import time
from collections.abc import Callable, Iterator

import pytest

from tests.parts.gate import Gate, Place
from tests.parts.gatehouse import Gatehouse
from tests.parts.pack import pack
from tests.parts.receiver import Receiver
from tests.parts.recorder import Recorder
from tests.parts.worker import working

SETUPS = ("embedded", "redis")
SECONDS = 30


@pytest.fixture(params=SETUPS)
def installation(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, public: Recorder) -> Iterator[Gatehouse]:
    """Web alone; the test has its own workers."""
    url, env = "", {}
    if request.param == "redis":
        url = request.getfixturevalue("postgres").database()
        env = {"REDIS_URL": request.getfixturevalue("valkey").url}
    server = Gatehouse(tmp_path_factory.mktemp(f"webhooks-{request.param}"), url, public.url, env=env, workers=1)
    try:
        server.start()
        yield server
    finally:
        server.stop()


def made(place: Place, url: str) -> str:
    """A webhook's address in REST."""
    answer = place.api().post(f"/api/v1/workspaces/{place.slug}/webhooks/", {"url": url, "events": ["publish"]})
    assert answer.status == 201, answer
    return f"/api/v1/workspaces/{place.slug}/webhooks/{answer.json()['id']}/"


def eventually(happened: Callable[[], object]) -> None:
    """Wait for it."""
    until = time.monotonic() + SECONDS
    while not happened():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.1)


def test_from_a_publish_to_its_receiver_and_once_more(installation: Gatehouse) -> None:
    gate = Gate(installation)
    place, other = gate.workspace(), gate.workspace()
    with Receiver(answers=[(503, {}, b"not yet"), (200, {}, b"thanks")]) as receiver, Receiver() as stranger:
        below = made(place, receiver.url)
        made(other, stranger.url)
        place.publish(pack("foo", "1.0.0"))
        with working(installation):
            eventually(lambda: len(receiver.messages) == 2)
            (delivery,) = place.api().get(below + "deliveries/").json()["results"]
            eventually(lambda: place.api().get(f"{below}deliveries/{delivery['id']}/").json()["state"] == "delivered")
            tested = place.api().post(below + "test/", {})
            assert tested.status == 202, tested
            eventually(lambda: len(receiver.messages) == 3)
        shown = place.api().get(f"{below}deliveries/{delivery['id']}/").json()
        assert (shown["attempts"], shown["status"], shown["excerpt"]) == (2, 200, "thanks")
        first, second, test = receiver.messages
        assert first.body == second.body == shown["body"].encode()
        assert first.headers["webhook-id"] == second.headers["webhook-id"] == shown["message_id"]
        assert (first.told["data"]["workspace"], test.told["type"]) == (place.slug, "test")
        assert stranger.messages == []
