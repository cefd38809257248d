"""Settings of one workspace changed at once while packages come and go: whoever needs several rows locks them in one order."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.parts.gate import Place, made
from tests.parts.pack import pack
from tests.parts.recorder import Recorder
from tests.parts.web_client import Answer

ROUNDS = 30
SLUGS = ("second", "other")


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
    refused = [str(answer) for row in answers for answer in row if answer.status in {500, 503} and "database" in answer.text]
    assert refused == []
