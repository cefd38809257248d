"""What never changes (RULE.md): first bytes win, nothing unverified is stored, one fetch for many askers.

Rows U16 to U19, U29 and R4 of the threats.
"""

import hashlib
import os
import socket
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.parts import faults
from tests.parts.gate import Gate, Place
from tests.parts.pack import pack
from tests.parts.recorder import Recorder
from tests.parts.web_client import BROKEN, Answer
from tests.rule_live.asking import proven

LARGE = 3 * 1024 * 1024
ASKERS = 100


def tarball(place: Place, name: str, version: str = "1.0.0") -> Answer:
    """The bytes a reader gets."""
    return place.as_("rita").get(f"/{name}/-/{name}-{version}.tgz")


@pytest.mark.parametrize("size", [0, LARGE])
def test_a_tarball_arrives_whole_and_is_kept(place: Place, gate: Gate, recorder: Recorder, size: int) -> None:
    proven(place, recorder)
    packed = recorder.offer(pack("kept", files={"data.bin": os.urandom(size)}))
    answers = [tarball(place, "kept") for _ in range(3)]

    assert {(answer.status, answer.body == packed.tarball) for answer in answers} == {(200, True)}
    assert len(recorder.asked("kept", tarball=True)) == 1
    assert hashlib.sha256(packed.tarball).hexdigest() in {path.rpartition("/")[2] for path in gate.census().blobs}


def test_changed_bytes_under_the_same_promise_are_refused(place: Place, recorder: Recorder) -> None:
    proven(place, recorder)
    honest = pack("swapped", text="honest")
    recorder.offer(pack("swapped", text="evil"), integrity=honest.integrity, shasum=honest.shasum)
    answer = tarball(place, "swapped")

    assert answer.status == 502, answer
    assert "integrity" in answer.json()["error"]


def test_first_bytes_win(place: Place, gate: Gate, recorder: Recorder) -> None:
    proven(place, recorder)
    first = recorder.offer(pack("pinned", text="first"))
    assert tarball(place, "pinned").body == first.tarball
    recorder.offer(pack("pinned", text="second"))
    recorder.add("pinned", "1.1.0")
    gate.grow_old()
    document = place.as_("rita").get("/pinned").json()

    assert document["versions"]["1.0.0"]["dist"]["integrity"] == first.integrity
    assert tarball(place, "pinned").body == first.tarball
    assert [action for action in gate.events(place) if "integrity" in action or "changed" in action or "bytes" in action]


def test_first_promise_wins_before_any_byte_was_fetched(place: Place, gate: Gate, recorder: Recorder) -> None:
    proven(place, recorder)
    first = recorder.offer(pack("promised", text="first"))
    assert place.as_("rita").get("/promised").json()["versions"]["1.0.0"]["dist"]["integrity"] == first.integrity
    recorder.offer(pack("promised", text="second"))
    gate.grow_old()

    assert place.as_("rita").get("/promised").json()["versions"]["1.0.0"]["dist"]["integrity"] == first.integrity
    assert tarball(place, "promised").status == 502


@pytest.mark.parametrize("where", ["length", "close"])
def test_a_truncated_tarball_is_never_complete(place: Place, gate: Gate, recorder: Recorder, where: str) -> None:
    proven(place, recorder)
    packed = recorder.offer(pack("cut-short", files={"data.bin": os.urandom(50_000)}))
    cut = faults.truncated(packed.tarball[:20_000], len(packed.tarball)) if where == "length" else faults.close
    recorder.misbehave("cut-short", cut, where="tarball")
    before = gate.census()
    answer = tarball(place, "cut-short")

    assert answer.status in {502, 503}, answer
    assert gate.census().blobs == before.blobs
    recorder.behave()
    assert tarball(place, "cut-short").body == packed.tarball


def test_a_large_wrong_tarball_breaks_the_connection(place: Place, gate: Gate, recorder: Recorder) -> None:
    proven(place, recorder)
    honest = pack("large-lie", files={"data.bin": os.urandom(LARGE)})
    recorder.offer(pack("large-lie", files={"data.bin": os.urandom(LARGE)}), integrity=honest.integrity, shasum=honest.shasum)
    before = gate.census().blobs
    try:
        answer = tarball(place, "large-lie")
    except BROKEN:
        pass  # what the rule asks for: the last 64 KiB never came
    else:
        assert answer.status == 502, "a complete-looking answer"

    assert gate.census().blobs == before


@pytest.mark.parametrize("size", [0, LARGE])
def test_a_hundred_askers_cost_one_fetch(place: Place, recorder: Recorder, size: int) -> None:
    proven(place, recorder)
    packed = recorder.offer(pack("popular", files={"data.bin": os.urandom(size)}))
    recorder.misbehave("popular", faults.slow(0.7))
    recorder.misbehave("popular", faults.slow(0.7), where="tarball")
    rita = place.as_("rita")
    with ThreadPoolExecutor(ASKERS) as pool:
        documents = list(pool.map(lambda _: rita.request("GET", "/popular"), range(ASKERS)))
    with ThreadPoolExecutor(ASKERS) as pool:
        bodies = list(pool.map(lambda _: rita.request("GET", "/popular/-/popular-1.0.0.tgz"), range(ASKERS)))

    assert [answer.status for answer in documents] == [200] * ASKERS
    assert [answer.status for answer in bodies] == [200] * ASKERS
    assert all(answer.body == packed.tarball for answer in bodies)
    assert len(recorder.asked("popular", tarball=False)) == 1
    assert len(recorder.asked("popular", tarball=True)) == 1


def test_a_slow_reader_slows_nobody(place: Place, recorder: Recorder) -> None:
    proven(place, recorder)
    packed = recorder.offer(pack("patient", files={"data.bin": os.urandom(LARGE)}))
    head = (
        f"GET {place.path}/patient/-/patient-1.0.0.tgz HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {place.tokens['rita']}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", place.gate.server.port)) as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.sendall(head.encode())
        slow.recv(1024)
        answers = [tarball(place, "patient") for _ in range(3)]

    assert all(answer.body == packed.tarball for answer in answers)
    assert len(recorder.asked("patient", tarball=True)) == 1


def test_conditional_and_range_requests(place: Place, recorder: Recorder) -> None:
    proven(place, recorder)
    packed = recorder.offer(pack("pieces"))
    rita = place.as_("rita")
    whole = tarball(place, "pieces")
    document = rita.get("/pieces")

    assert rita.get("/pieces", if_none_match=document.headers["etag"]).status == 304
    assert rita.get("/pieces/-/pieces-1.0.0.tgz", if_none_match=whole.headers["etag"]).status == 304
    part = rita.get("/pieces/-/pieces-1.0.0.tgz", range="bytes=10-19")
    assert (part.status, part.body) == (206, packed.tarball[10:20])
    assert rita.get("/pieces/-/pieces-1.0.0.tgz", range="bytes=99999999-").status == 416


def test_metadata_is_revalidated_with_its_etag(place: Place, gate: Gate, recorder: Recorder) -> None:
    proven(place, recorder)
    recorder.add("revalidated")
    assert place.versions("revalidated") == ["1.0.0"]
    assert place.versions("revalidated") == ["1.0.0"]
    assert len(recorder.asked("revalidated")) == 1
    gate.grow_old()
    assert place.versions("revalidated") == ["1.0.0"]

    assert "if-none-match" in recorder.asked("revalidated")[-1].headers
    recorder.add("revalidated", "1.0.1")
    gate.grow_old()
    assert place.versions("revalidated") == ["1.0.0", "1.0.1"]
