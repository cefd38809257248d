"""The path for files of names nobody has seen: it answers as the slow one would, and leaves to that one what is not plain."""

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.parts import faults
from tests.parts.gate import Gate, Place
from tests.parts.pack import pack
from tests.parts.recorder import Fault, Recorder
from tests.parts.web_client import Answer, Caller

PATH = "x-gatehouse-path"
OWN = {PATH, "x-request-id", "date", "etag", "accept-ranges", "transfer-encoding"}  # what may differ, or is not known of a flowing file yet
LONG = 700_000  # bytes: more than is held in memory, less than is followed while it comes
VERY_LONG = 3 * 1024 * 1024
ANSWERING = ("with credentials", "an internal one first", "two upstreams")


def file_of(name: str, version: str = "1.0.0") -> str:
    return f"/{name}/-/{name.rpartition('/')[2]}-{version}.tgz"


def get(caller: Caller, name: str, version: str = "1.0.0") -> Answer:
    return caller.get(file_of(name, version))


@pytest.mark.parametrize("size", [0, LONG, VERY_LONG])
def test_it_answers_as_the_others_do_afterwards(place: Place, gate: Gate, recorder: Recorder, size: int) -> None:
    place.upstream(recorder)
    packed, rita = recorder.offer(pack("@outside/first", files={"data.bin": os.urandom(size)})), place.as_("rita")
    first, after = get(rita, "@outside/first"), get(rita, "@outside/first")

    assert (first.status, first.headers[PATH], first.body) == (200, "cold", packed.tarball)
    assert (after.status, after.headers[PATH], after.body) == (200, "hot", packed.tarball)
    assert {key: value for key, value in first.headers.items() if key not in OWN} == {
        key: value for key, value in after.headers.items() if key not in OWN
    }
    assert len(recorder.asked("@outside/first", tarball=False)) == len(recorder.asked("@outside/first", tarball=True)) == 1
    assert [action for action in gate.events(place) if action == "version.pulled"] == ["version.pulled"]
    version = place.api().get(f"{place.rest}packages/npm/@outside%2Ffirst/versions/1.0.0/").json()
    assert (version["internal"], version["integrity"]) == (False, packed.integrity)


def test_the_metadata_it_kept_is_not_asked_for_again(place: Place, recorder: Recorder) -> None:
    place.upstream(recorder)
    recorder.add("kept", "1.0.0", "1.1.0")
    rita = place.as_("rita")
    assert get(rita, "kept").headers[PATH] == "cold"
    second = get(rita, "kept", "1.1.0")
    assert (second.status, second.headers.get(PATH)) == (200, None), "something is known of the name now"
    assert sorted(rita.get("/kept").json()["versions"]) == ["1.0.0", "1.1.0"]
    assert len(recorder.asked("kept", tarball=False)) == 1


@pytest.mark.parametrize("what", ["claimed", "published elsewhere", "disabled", "outside its patterns", *ANSWERING])
def test_what_is_not_plain_is_left_to_the_slow_path(place: Place, recorder: Recorder, other_recorder: Recorder, what: str) -> None:
    packed = recorder.offer(pack("odd-one"))
    fields: dict[str, Any] = {}
    if what == "claimed":
        place.claim("odd-*")
    if what == "published elsewhere":
        place.second("other").publish(pack("odd-one", text="ours"))
    if what == "an internal one first":
        place.upstream(other_recorder, "partner", internal=True)
    if what == "with credentials":
        recorder.demand("bearer", secret="s3cret-token")
        fields = {"auth_type": "bearer", "secret": "s3cret-token"}
    if what == "outside its patterns":
        fields = {"patterns": ["@nothing/*"]}
    upstream = place.upstream(recorder, **fields)
    if what == "disabled":
        assert place.api().patch(f"{place.rest}upstreams/{upstream['id']}/", {"enabled": False}).status == 200
    if what == "two upstreams":
        place.upstream(other_recorder, "second")
    answer = get(place.as_("rita"), "odd-one")

    if what in ANSWERING:
        assert (answer.status, answer.body) == (200, packed.tarball), answer
        assert (PATH in answer.headers) is (what == "two upstreams")
    else:
        assert answer.status == 404, answer
        assert not recorder.asked("odd-one")


def test_nobody_reads_what_they_may_not(place: Place, recorder: Recorder) -> None:
    place.upstream(recorder)
    recorder.add("hidden")
    assert get(place.as_("mallory"), "hidden").status == 404
    assert get(place.as_(""), "hidden").status == 401
    assert not recorder.asked("hidden")


def test_many_ask_at_once(place: Place, recorder: Recorder) -> None:
    place.upstream(recorder)
    packed = recorder.offer(pack("wanted"))
    recorder.misbehave("wanted", faults.slow(0.5))
    recorder.misbehave("wanted", faults.slow(0.5), where="tarball")
    rita = place.as_("rita")
    with ThreadPoolExecutor(40) as pool:
        answers = list(pool.map(lambda _: rita.request("GET", file_of("wanted")), range(40)))
    assert {(answer.status, answer.body) for answer in answers} == {(200, packed.tarball)}
    assert sum(answer.headers.get(PATH) == "cold" for answer in answers) <= 1, "the first to ask may have come by the slow path"
    assert len(recorder.asked("wanted", tarball=False)) == len(recorder.asked("wanted", tarball=True)) == 1


@pytest.mark.parametrize("where", ["packument", "tarball"])
def test_a_claim_made_meanwhile_holds(place: Place, recorder: Recorder, where: str) -> None:
    place.upstream(recorder)
    recorder.add("late-claim")
    recorder.misbehave("late-claim", faults.slow(1.0), where=where)
    heard: list[Answer] = []
    asker = threading.Thread(target=lambda: heard.append(get(place.as_("rita"), "late-claim")))
    asker.start()
    while not recorder.asked("late-claim", tarball=where == "tarball"):
        time.sleep(0.01)
    place.claim("late-*")
    recorder.forget()
    asker.join()
    assert heard[0].status == 404, heard[0]
    assert not recorder.asked("late-claim"), "asked by the old rule"
    assert not place.api().get(f"{place.rest}packages/").json()["results"]


@pytest.mark.parametrize("size", [0, LONG, VERY_LONG])
def test_wrong_bytes_are_refused_at_once_and_told_once(place: Place, gate: Gate, recorder: Recorder, size: int) -> None:
    place.upstream(recorder)
    honest = pack("liar", files={"data.bin": os.urandom(size)})
    recorder.offer(pack("liar", text="evil", files={"data.bin": os.urandom(size)}), integrity=honest.integrity, shasum=honest.shasum)
    before = gate.census().blobs
    try:
        assert get(place.as_("rita"), "liar").status == 502
    except OSError:
        assert size == VERY_LONG, "only what is followed while it comes breaks off"
    assert gate.census().blobs == before
    assert len(recorder.asked("liar", tarball=True)) == 1
    assert len([action for action in gate.events(place) if action.startswith("alert.")]) == 1


def test_a_long_one_is_followed_while_it_comes(place: Place, recorder: Recorder) -> None:
    place.upstream(recorder)
    packed = recorder.offer(pack("flowing", files={"data.bin": os.urandom(VERY_LONG)}))
    recorder.misbehave("flowing", slowly(packed.tarball), where="tarball")
    rita = place.as_("rita")
    with ThreadPoolExecutor(5) as pool:
        answers = list(pool.map(lambda _: rita.request("GET", file_of("flowing")), range(5)))
    assert {(answer.status, answer.body) for answer in answers} == {(200, packed.tarball)}
    assert len(recorder.asked("flowing", tarball=True)) == 1


def slowly(body: bytes) -> Fault:
    """Half of it, and the rest in a second."""

    def answer(handler: Any, _: object) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body[: len(body) // 2])
        handler.wfile.flush()
        time.sleep(1)
        handler.wfile.write(body[len(body) // 2 :])

    return answer
