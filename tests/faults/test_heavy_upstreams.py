"""Upstreams that send too much, to a server with the product's own limits: how much memory it takes at most, and how long.

Measured on the live processes: what they took at most while they answered, above what they took before.
"""

import json
import os
import time
from collections.abc import Iterator

import pytest

from config import settings as product_settings
from tests.parts import faults, memory
from tests.parts.gate import Gate, Place
from tests.parts.memory import MB
from tests.parts.pack import pack, tar_gz
from tests.parts.recorder import Fault, Handler, Recorder
from tests.parts.web_client import BROKEN

LIMIT = product_settings.METADATA_LIMIT
ROOM = 48 * MB
SECONDS = 60
PIECE = b" " * MB


def chunked(handler: Handler, pieces: Iterator[bytes]) -> None:
    """200 without a length."""
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    for piece in pieces:
        handler.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
    handler.wfile.write(b"0\r\n\r\n")


def plausible(size: int) -> Iterator[bytes]:
    """A packument of many versions, `size` bytes of it."""
    yield b'{"name":"heavy","dist-tags":{"latest":"1.0.0"},"versions":{'
    sent, number = 0, 0
    while sent < size:
        some = []
        for _ in range(200):
            number += 1
            version = f"1.0.{number}"
            dist = {"tarball": f"https://registry.example.org/heavy/-/heavy-{version}.tgz", "integrity": "sha512-" + "A" * 86 + "=="}
            some.append(f'"{version}":' + json.dumps({"name": "heavy", "version": version, "dist": dist, "description": "x" * 4000}))
        yield (piece := (",".join(some) + ",").encode())
        sent += len(piece)
    yield b'"0.0.1":{}}}'


def with_length(size: int) -> Fault:
    """Says how much it is, and sends it."""

    def answer(handler: Handler, _: object) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(size))
        handler.end_headers()
        for _piece in range(size // MB):
            handler.wfile.write(PIECE)

    return answer


TOO_MUCH = f"Upstream public sent more than {LIMIT:,} bytes."
NO_JSON = "Upstream public did not send JSON that can be used."
MANY = "Upstream public sent metadata of too many pieces."
# What is sent: the sentence it is refused with, and the bytes that may be taken for it.
HEAVY: dict[str, tuple[Fault, str, int]] = {
    "200 MB of metadata": (lambda handler, _: chunked(handler, plausible(200 * MB)), TOO_MUCH, LIMIT + ROOM),
    "200 MB of metadata that say so": (with_length(200 * MB), TOO_MUCH, ROOM),
    "a gzip bomb of 1 GB": (faults.bomb(1024 * MB), TOO_MUCH, LIMIT + ROOM),
    "metadata without end": (faults.endless(pieces=16_000), TOO_MUCH, LIMIT + ROOM),
    "80 MB that are no JSON": (lambda handler, _: chunked(handler, (b"x" * MB for _ in range(80))), NO_JSON, 2 * LIMIT + ROOM),
    "millions of words": (lambda handler, _: chunked(handler, (b'"w",' * (MB // 4) for _ in range(20))), MANY, ROOM),
}


@pytest.mark.parametrize("case", HEAVY)
def test_metadata(product: Gate, recorder: Recorder, case: str) -> None:
    place = here(product, recorder)
    fault, sentence, allowed = HEAVY[case]
    recorder.misbehave("heavy", fault)
    before, group = product.census(), of(product)
    base, begun = memory.forget_peak(group), time.monotonic()
    answer = place.as_("rita").get("/heavy")
    taken, lasted = memory.peak(group) - base, time.monotonic() - begun
    left = memory.forget_peak(group) - base

    assert (answer.status, answer.json()["code"]) == (502, "upstream_bad_answer"), answer
    assert answer.json()["error"] == sentence
    assert taken < allowed, f"{taken / MB:.0f} MB"
    assert left < 24 * MB, f"{left / MB:.0f} MB were not given back"
    assert lasted < SECONDS
    assert product.census().blobs == before.blobs
    assert place.versions("light") == ["1.0.0"]
    assert product.events(place, "upstream.trouble") == ["upstream.trouble"]


def test_a_bomb_inside_a_tarball(product: Gate, recorder: Recorder) -> None:
    """What it promises is what it sends: nothing is unpacked further than its package.json, and nothing to disk."""
    place = here(product, recorder)
    blown = pack("blown")
    bomb = tar_gz({"package/package.json": json.dumps(blown.manifest).encode(), "package/zeros.bin": bytes(512 * MB)})
    recorder.offer(type(blown)("blown", "1.0.0", blown.manifest, bomb))
    base = memory.forget_peak(of(product))
    answer = place.as_("rita").get("/blown/-/blown-1.0.0.tgz")
    taken = memory.peak(of(product)) - base

    assert answer.status == 200, answer
    assert answer.body == bomb
    assert taken < 48 * MB, f"{taken / MB:.0f} MB"


def test_a_tarball_without_end(product: Gate, recorder: Recorder) -> None:
    """It goes to a file beside the storage and is gone when it is too much."""
    place = here(product, recorder)
    recorder.offer(pack("long"))
    recorder.misbehave("long", lambda handler, _: chunked(handler, (os.urandom(MB) for _ in range(1200))), where="tarball")
    before = product.census()
    base = memory.forget_peak(of(product))
    with pytest.raises(BROKEN):
        place.as_("rita").get("/long/-/long-1.0.0.tgz")
    taken = memory.peak(of(product)) - base

    assert taken < 64 * MB, f"{taken / MB:.0f} MB"
    after = product.census()
    assert (after.blobs, after.staged) == (before.blobs, before.staged)


def here(product: Gate, recorder: Recorder) -> Place:
    """A workspace with a package that was seen before."""
    place = product.workspace()
    place.upstream(recorder)
    recorder.add("light")
    assert place.versions("light") == ["1.0.0"]
    return place


def of(product: Gate) -> int:
    """The group of the server's processes."""
    process = product.server.process
    assert process is not None
    assert process.child is not None
    return process.child.pid
