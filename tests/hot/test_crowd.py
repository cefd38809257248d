"""Many names nobody has seen at once: they are recorded together, and what is wrong with one of them is its own affair."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from tests.hot.test_first_sight import PATH, file_of
from tests.parts.gate import Gate, Place
from tests.parts.pack import pack
from tests.parts.recorder import Fault, Recorder

CROWD = 12


def all_together() -> Fault:
    """The right answer, when all have asked."""
    barrier = threading.Barrier(CROWD, timeout=20)

    def answer(_: Any, plain: Callable[[], None]) -> None:
        barrier.wait()
        plain()

    return answer


def test_one_that_is_wrong_spoils_nothing_for_the_others(place: Place, gate: Gate, recorder: Recorder) -> None:
    place.upstream(recorder)
    names, fault = [f"crowd-{number}" for number in range(CROWD)], all_together()
    packed = {name: pack(name) for name in names}
    liar, odd = names[3], names[7]
    for name in names:
        sent = packed[name]
        if name == odd:  # its document says something else than its tarball
            sent = replace(sent, manifest={**sent.manifest, "dependencies": {"elsewhere": "1.0.0"}})
        promised = {"integrity": pack(name, text="other").integrity} if name == liar else {}
        recorder.offer(sent, **promised)
        recorder.misbehave(name, fault, where="tarball")
    rita = place.as_("rita")
    with ThreadPoolExecutor(CROWD) as pool:
        answers = dict(zip(names, pool.map(lambda name: rita.request("GET", file_of(name)), names), strict=True))

    assert answers.pop(liar).status == 502
    assert {name: (answer.status, answer.body) for name, answer in answers.items()} == {
        name: (200, packed[name].tarball) for name in names if name != liar
    }
    assert [name for name, answer in answers.items() if answer.headers.get(PATH) != "cold"] == [odd]
    assert {len(recorder.asked(name, tarball=True)) for name in names} == {1}
    events = gate.events(place)
    assert events.count("version.pulled") == CROWD - 1
    assert sorted(one for one in events if one.startswith("alert.")) == ["alert.checksum_wrong", "alert.manifest_differs"]
    again = {name: rita.request("GET", file_of(name)) for name in names if name != liar}
    assert {(answer.status, answer.headers[PATH]) for name, answer in again.items() if name != odd} == {(200, "hot")}
    assert {name: answer.body for name, answer in again.items()} == {name: answer.body for name, answer in answers.items()}
