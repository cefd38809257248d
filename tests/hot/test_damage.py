"""A file whose bytes are lost or cut short in the storage is never served as whole: 503 with a number, on both paths."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.parts.gate import Gate
from tests.parts.pack import pack

SIZES = {"small": 10, "large": 300_000}
SLOW = {"npm-otp": "0"}


def cut(path: Path) -> None:
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-10])


DAMAGES: dict[str, Callable[[Path], None]] = {"cut short": cut, "lost": Path.unlink}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("size", SIZES)
def test_damaged_bytes_are_not_served(gate: Gate, size: str, damage: str) -> None:
    place = gate.workspace()
    packed = pack("fragile", files={"data.bin": os.urandom(SIZES[size])})  # what does not shrink
    place.publish(packed)
    rita, path = place.as_("rita"), f"/fragile/-/{packed.filename}"
    assert rita.get("/fragile").status == 200
    sha256 = hashlib.sha256(packed.tarball).hexdigest()
    DAMAGES[damage](gate.server.data / "blobs" / "sha256" / sha256[:2] / sha256)
    for headers in ({}, SLOW, {"range": "bytes=0-5"}):
        for method in ("GET", "HEAD"):
            answer = rita.request(method, path, headers=headers)
            assert answer.status == 503, (method, headers, answer)
            if method == "GET":
                assert answer.json()["code"] == "file_damaged"
                assert answer.headers["x-request-id"] in answer.json()["error"]
                assert f"request {answer.headers['x-request-id']}: {sha256}" in gate.server.log()
