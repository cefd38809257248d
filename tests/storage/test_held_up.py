"""Whoever waits for something else holds no database connection: three who did would keep everybody else of a process out."""

import contextlib
import os
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from tests.api.cast import upload
from tests.conftest import _extra
from tests.parts.gate import Gate, Place
from tests.parts.gatehouse import Gatehouse
from tests.parts.pack import Packed, pack
from tests.parts.postgres import Postgres
from tests.parts.recorder import Recorder
from tests.parts.web_client import Answer, Caller

WAITING = 6  # twice as many as the pool has connections
QUICK = 3.0  # seconds for what waits for nothing


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, postgres: Postgres, public: Recorder) -> Iterator[Place]:
    """In one process, on PostgreSQL, with a storage that can be held up."""
    env = {"DJANGO_SETTINGS_MODULE": "tests.parts.held_up", **_extra()}
    server = Gatehouse(tmp_path_factory.mktemp("held-up"), postgres.database(), public.url, env=env, workers=1)
    try:
        server.start()
        yield Gate(server).workspace()
    finally:
        server.stop()


@contextlib.contextmanager
def held(data: Path, what: str) -> Iterator[Callable[[], None]]:
    """That is held up inside; call it to wait until as many as shall wait do."""
    sign = data / what
    before = len(list(data.glob(f"{what}.*")))

    def wait() -> None:
        until = time.monotonic() + 10
        while (waiting := len(list(data.glob(f"{what}.*"))) - before) < WAITING and time.monotonic() < until:
            time.sleep(0.02)
        assert waiting == WAITING

    sign.touch()
    try:
        yield wait
    finally:
        sign.unlink()


def others_are_answered(place: Place) -> None:
    """Who asks for what the database alone knows."""
    begun = time.monotonic()
    answers = [place.api().get(place.rest).status for _ in range(4)]
    assert answers == [200] * 4
    assert time.monotonic() - begun < QUICK


def uploaded(place: Place, packed: Packed) -> Answer:
    """Over REST."""
    sent = upload(packed.tarball, tag="latest")
    return place.api("bob").request("POST", place.rest + "packages/npm/", body=sent.content, headers={"Content-Type": sent.content_type})


@pytest.mark.parametrize("publish", [Place.publish, uploaded])
def test_while_long_bodies_are_read(place: Place, publish: Callable[[Place, Packed], Answer]) -> None:
    long = [pack(f"{publish.__name__}-{number}", files={"data.bin": os.urandom(400_000)}) for number in range(WAITING)]
    with ThreadPoolExecutor(WAITING) as pool, held(place.gate.server.data, "reading") as wait:
        published = pool.map(partial(publish, place), long)
        wait()
        others_are_answered(place)
    assert [answer.status for answer in published] == [201] * WAITING


@pytest.mark.parametrize("size", [10, 400_000], ids=["small", "large"])
def test_while_bytes_are_stored(place: Place, size: int) -> None:
    packed = [pack(f"stored-{size}-{number}", files={"data.bin": os.urandom(size)}) for number in range(WAITING)]
    with ThreadPoolExecutor(WAITING) as pool, held(place.gate.server.data, "storing") as wait:
        published = pool.map(place.publish, packed)
        wait()
        others_are_answered(place)
    assert [answer.status for answer in published] == [201] * WAITING


def test_while_bytes_are_loaded(place: Place) -> None:
    packed = [pack(f"loaded-{number}", files={"data.bin": os.urandom(1000)}) for number in range(WAITING)]
    for one in packed:
        place.publish(one)

    def get(number: int) -> Answer:
        return place.as_("rita").get(f"/loaded-{number}/-/{packed[number].filename}")

    with ThreadPoolExecutor(WAITING) as pool, held(place.gate.server.data, "loading") as wait:
        loaded = pool.map(get, range(WAITING))
        wait()
        others_are_answered(place)
    assert [answer.body for answer in loaded] == [one.tarball for one in packed]


@contextlib.contextmanager
def silent() -> Iterator[str]:
    """An address where nobody answers, not even a connection: the queue of those that wait to be accepted is full."""
    with socket.socket() as nobody, contextlib.ExitStack() as queue:
        nobody.bind(("127.0.0.1", 0))
        nobody.listen(0)
        for _ in range(4):
            line = queue.enter_context(socket.socket())
            line.setblocking(False)
            line.connect_ex(nobody.getsockname())
        yield f"http://127.0.0.1:{nobody.getsockname()[1]}/"


def test_while_an_upstream_takes_no_connection(place: Place) -> None:
    elsewhere = place.second("silent")

    def get(number: int) -> Answer:
        return Caller(place.gate.url + elsewhere.path, f"Bearer {place.tokens['rita']}").get(f"/nobody-{number}")

    with silent() as url, ThreadPoolExecutor(WAITING) as pool:
        wish = {"name": "silent", "kind": "url", "format": "npm", "url": url, "priority": 100}
        assert place.api().post(elsewhere.rest + "upstreams/", wish).status == 201
        asked = [pool.submit(get, number) for number in range(WAITING)]
        time.sleep(1)
        others_are_answered(place)
        assert not any(one.done() for one in asked), "all of them wait"
        assert {one.result().status for one in asked} <= {503, 504}
