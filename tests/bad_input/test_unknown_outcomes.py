"""Installs while versions are taken away, publishes whose answer never arrived, and texts databases cannot hold.

Rows P5, P8 and N1 (NUL) of the threats, live and on both databases.
"""

import json
import socket
import threading
import time
from collections.abc import Callable
from typing import Any, Self

import pytest

from tests.parts.gate import Gate, Place
from tests.parts.pack import Packed, pack, publish_document
from tests.parts.recorder import Recorder

VERSIONS = [f"1.{number}.0" for number in range(8)]


def unpublish(place: Place, name: str, version: str) -> None:
    """As npm does: the document without the version, then its file."""
    alice = place.as_("alice")
    document = alice.get(f"/{name}?write=true").json()
    document["versions"].pop(version)
    document["dist-tags"] = {"latest": max(document["versions"])}
    answer = alice.put(f"/{name}/-rev/{document['_rev']}", document)
    assert answer.status == 200, answer
    assert alice.request("DELETE", f"/{name}/-/{name}-{version}.tgz/-rev/{document['_rev']}").status == 200


class Installing:
    """Clients that install everything they are shown, again and again, until told to stop."""

    def __init__(self, place: Place, packs: list[Packed]) -> None:
        self.place, self.rounds = place, 0
        self.wrong: list[str] = []
        self._bytes = {packed.version: packed.tarball for packed in packs}
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(4)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        while not self._over.is_set():
            document = self._shown()
            self.rounds += 1
            if document["dist-tags"]["latest"] not in document["versions"]:
                self.wrong.append(f"latest names {document['dist-tags']}")
            for version in document["versions"]:
                self._fetch(version)

    def _fetch(self, version: str) -> None:
        file = self.place.as_("rita").get(f"/shrinking/-/shrinking-{version}.tgz")
        if file.status != 200 and version in self._shown()["versions"]:
            self.wrong.append(f"{version} is shown and not there: {file}")
        if file.status == 200 and file.body != self._bytes[version]:
            self.wrong.append(f"{version} has other bytes")

    def _shown(self) -> Any:
        return self.place.as_("rita").get("/shrinking").json()


def test_unpublishing_while_installing_shows_the_old_state_or_the_new(place: Place) -> None:
    packs = [pack("shrinking", version) for version in VERSIONS]
    for packed in packs:
        place.publish(packed)
    with Installing(place, packs) as clients:
        for version in VERSIONS[1:]:
            unpublish(place, "shrinking", version)

    assert clients.wrong == []
    assert clients.rounds >= 4
    assert place.versions("shrinking") == ["1.0.0"]


def send_and_leave(place: Place, body: bytes, path: str, *, when: Callable[[], bool] = lambda: True) -> None:
    """Send a whole publish and hang up without reading the answer, as soon as `when` (20 s at most)."""
    head = f"PUT {place.path}{path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {place.tokens['bob']}\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", place.gate.server.port), timeout=10) as line:
        line.sendall(head.encode() + body)
        deadline = time.monotonic() + 20
        while not when() and time.monotonic() < deadline:
            time.sleep(0.05)


@pytest.mark.parametrize("size", [0, 2_000_000], ids=["small", "large"])
def test_a_publish_whose_answer_was_lost_is_retried_and_stored_once(place: Place, gate: Gate, size: int) -> None:
    packed = pack("retried", files={"data.bin": b"z" * size})
    send_and_leave(place, json.dumps(publish_document(packed)).encode(), "/retried")
    first = place.publish(packed, expect=None)  # the outcome is unknown: the server may still be at work on the other
    assert first.status in {200, 201}, first
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline and gate.events(place, "version.published") == []:
        time.sleep(0.05)
    with gate.unchanged():
        assert place.publish(packed, expect=200).status == 200
    assert gate.events(place, "version.published") == ["version.published"]
    assert place.versions("retried") == ["1.0.0"]
    assert place.as_("rita").get("/retried/-/retried-1.0.0.tgz").body == packed.tarball


def test_a_retry_of_other_bytes_is_refused(place: Place, gate: Gate) -> None:
    reader = place.as_("rita")
    body = json.dumps(publish_document(pack("changed"))).encode()
    send_and_leave(place, body, "/changed", when=lambda: reader.get("/changed").status == 200)
    with gate.unchanged():
        assert place.publish(pack("changed", text="other"), expect=409).status == 409


NUL: dict[str, Any] = {
    "description": "a\0b",
    "keywords": ["\0", "x\0"],
    "homepage": "https://example.org/\0",
    "author": {"name": "\0"},
    "license": "MIT\0",
}
NUL |= {"dependencies": {"left\0": "1\0"}, "odd\0key": "\0"}


def test_texts_with_nul_are_published_and_found(place: Place) -> None:
    packed = pack("nul-inside", **NUL)
    place.publish(packed)
    assert place.as_("rita").get("/nul-inside").status == 200
    assert place.as_("rita").get("/nul-inside/-/nul-inside-1.0.0.tgz").body == packed.tarball
    assert place.as_("rita").get("/-/v1/search?text=nul-inside").json()["total"] == 1


def test_texts_with_nul_are_pulled(place: Place, recorder: Recorder) -> None:
    place.upstream(recorder)
    packed = recorder.offer(pack("nul-outside", **NUL))
    assert place.as_("rita").get("/nul-outside").status == 200
    assert place.as_("rita").get("/nul-outside/-/nul-outside-1.0.0.tgz").body == packed.tarball
    assert place.as_("rita").get("/nul-outside").status == 200


@pytest.mark.parametrize("path", ["/a%00b", "/left/1.0.0%00", "/left/-/left%00.tgz", "/-/package/left%00/dist-tags"])
def test_nul_in_an_address_is_400(place: Place, gate: Gate, path: str) -> None:
    with gate.unchanged():
        answer = place.as_("rita").get(path)
    assert answer.status == 400, answer
