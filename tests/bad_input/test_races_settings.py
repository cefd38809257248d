"""Settings of one workspace changed at once while packages come and go: whoever needs several rows locks them in one order."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import psycopg
import pytest

from tests.parts.gate import Place, made
from tests.parts.pack import pack
from tests.parts.recorder import Recorder
from tests.parts.web_client import Answer

ROUNDS = 30
SLUGS = ("second", "other")
NAMES = ("@b/c", "abc", "zoo")  # as code points go; many a language's order begins with the second
WAITS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
HOLD = (
    "SELECT p.id FROM packages_package p JOIN registries_registry r ON r.id = p.registry_id"
    " JOIN workspaces_workspace w ON w.id = r.workspace_id WHERE w.slug = %s AND p.name = %s FOR UPDATE OF p NOWAIT"
)


@pytest.mark.parametrize("gate", ["postgresql"], indirect=True)  # SQLite's writers are alone
def test_no_two_wait_for_each_other(place: Place, recorder: Recorder) -> None:
    place.second(SLUGS[0])
    api, base = place.api(), f"/api/v1/workspaces/{place.slug}/registries/"
    source = f"{place.rest}upstreams/{place.upstream(recorder)['id']}/"
    schedule = made(api.post(f"{place.rest}schedules/", {"upstream": "public", "patterns": ["@later/*"], "every": "1d", "enabled": False}))
    for number in range(ROUNDS):
        recorder.offer(pack(f"meanwhile-{number}"))

    def other() -> str:
        return base + str(next(one["slug"] for one in api.get(base).json()["results"] if one["slug"] in SLUGS)) + "/"

    acts: list[Callable[[int], Answer]] = [
        lambda number: api.patch(other(), {"slug": SLUGS[number % 2]}),
        lambda number: api.patch(other(), {"default": True, "description": str(number)}),
        lambda number: api.patch(place.rest, {"default": True, "description": str(number)}),
        lambda number: api.patch(source, {"priority": number + 1}),
        lambda number: api.patch(f"{place.rest}schedules/{schedule['id']}/", {"patterns": [f"@later-{number}/*"]}),
        lambda number: api.post(f"{place.rest}clone/", {"slug": f"clone-{number}"}),
        lambda number: place.as_("rita").get(f"/meanwhile-{number}/-/meanwhile-{number}-1.0.0.tgz"),
        lambda number: place.publish(pack("own", f"1.0.{number}"), expect=None),
        lambda number: place.publish(pack(f"own-{number}"), expect=None),
    ]
    with ThreadPoolExecutor(len(acts)) as pool:
        answers = list(pool.map(lambda act: [act(number) for number in range(ROUNDS)], acts))
    assert [min(answer.status for answer in row) // 100 for row in answers] == [2] * len(acts), "each of them is done, too"
    lost = [str(one) for row in answers for one in row if one.status == 500 or (one.status == 503 and "database" in one.text)]
    assert lost == []


@pytest.mark.parametrize("gate", ["postgresql"], indirect=True)
def test_a_clone_locks_packages_in_the_order_of_a_push(place: Place) -> None:
    """Somebody is at the first name, as a push is: the clone waits for it and has none of those that come behind it."""
    for name in reversed(NAMES):
        place.publish(pack(name))
    url = place.gate.server.database_url
    with ThreadPoolExecutor(1) as pool, closing(psycopg.connect(url)) as push:
        assert len(push.execute(HOLD, [place.slug, NAMES[0]]).fetchall()) == 1
        cloned = pool.submit(place.api().post, f"{place.rest}clone/", {"slug": "copy"})
        until_somebody_waits(url)
        assert [len(push.execute(HOLD, [place.slug, name]).fetchall()) for name in NAMES[1:]] == [1, 1]
        push.rollback()
        assert cloned.result().status == 201


def until_somebody_waits(url: str) -> None:
    """For a lock of the database."""
    deadline = time.monotonic() + 10
    with closing(psycopg.connect(url, autocommit=True)) as other:
        while other.execute(WAITS).fetchone() == (0,):
            assert time.monotonic() < deadline, "nobody waits"
            time.sleep(0.02)
