"""Ranges made to hurt, and small bodies that unpack to large ones (rows R3 and R4 of the threats), in process."""

import gzip
import tracemalloc
from typing import Any

import pytest

from packages.models import Blob
from tests.npm.team import Team, facts
from tests.parts.pack import Packed, pack, publish_document

BOMB = gzip.compress(b"[" + b" " * (64 * 1024 * 1024), 1)  # 64 MiB of blanks


@pytest.fixture
def packed(team: Team) -> Packed:
    found = pack("pieces")
    assert team.send("bob", "PUT", "/pieces", publish_document(found)).status_code == 201
    return found


PART: list[tuple[str, slice]] = [
    ("bytes=0-0", slice(0, 1)),
    ("bytes=10-19", slice(10, 20)),
    ("bytes=100-", slice(100, None)),
    ("bytes=-5", slice(-5, None)),
    ("bytes=-99999999", slice(0, None)),
    ("bytes=0-99999999", slice(0, None)),
    ("bytes=0-999999999999999999", slice(0, None)),
]


@pytest.mark.parametrize(("asked", "part"), PART)
def test_one_range_is_given(team: Team, packed: Packed, asked: str, part: slice) -> None:
    answer = team.send("rita", "GET", f"/pieces/-/{packed.filename}", range=asked)
    wanted, size = packed.tarball[part], len(packed.tarball)
    assert (answer.status_code, answer.getvalue()) == (206, wanted)
    begin = range(size)[part].start
    assert answer.headers["content-range"] == f"bytes {begin}-{begin + len(wanted) - 1}/{size}"


WHOLE = [
    "bytes=0-0,1-1",
    "bytes=" + ",".join(f"{n}-" for n in range(1000)),
    "bytes=0-" + ",0-" * 1000,
    "bytes=5-2",
    "bytes=--5",
    "bytes=a-b",
    "bytes=",
    "bytes=-",
    "bytes",
    "items=0-5",
    "bytes=0-5;q=1",
    "bytes=0-" + "9" * 5000,
    "bytes=" + "9" * 5000 + "-",
    "bytes=1-\u0665",
    "bytes=0x1-0x5",
    "bytes=1.5-2",
    "",
]


@pytest.mark.parametrize("asked", WHOLE)
def test_any_other_range_is_ignored(team: Team, packed: Packed, asked: str) -> None:
    answer = team.send("rita", "GET", f"/pieces/-/{packed.filename}", range=asked.encode().decode("latin-1"))
    assert (answer.status_code, answer.getvalue()) == (200, packed.tarball), "RFC 9110, section 14.2: as if it were not there"


@pytest.mark.parametrize("asked", ["bytes=99999999-", "bytes=99999999-999999999", "bytes=999999999999999999-", "bytes=-0"])
def test_a_range_outside_is_416(team: Team, packed: Packed, asked: str) -> None:
    before = facts()
    answer = team.send("rita", "GET", f"/pieces/-/{packed.filename}", range=asked)
    assert (answer.status_code, answer.content, answer.headers["content-range"]) == (416, b"", f"bytes */{len(packed.tarball)}")
    assert facts() == before


def test_a_range_of_other_bytes_than_were_meant_is_the_whole(team: Team, packed: Packed) -> None:
    path = f"/pieces/-/{packed.filename}"
    etag = team.send("rita", "GET", path).headers["etag"]
    assert team.send("rita", "GET", path, range="bytes=0-4", if_range=etag).status_code == 206
    assert team.send("rita", "GET", path, range="bytes=0-4", if_range='"other"').status_code == 200
    assert team.send("rita", "GET", path, range="bytes=0-4", if_range=f"W/{etag}").status_code == 200
    assert team.send("rita", "GET", "/pieces", range="bytes=0-4").status_code == 200, "metadata is whole or not at all"


TAKERS: list[tuple[str, str, str]] = [
    ("bob", "PUT", "/left"),
    ("bob", "PUT", "/-/package/pieces/dist-tags/next"),
    ("bob", "PUT", "/-/user/org.couchdb.user:bob"),
    ("bob", "POST", "/-/npm/v1/tokens"),
    ("bob", "POST", "/-/v1/login"),
]


@pytest.mark.parametrize(("who", "method", "path"), TAKERS)
@pytest.mark.parametrize("coding", ["gzip", "br", "gzip, gzip"])
def test_a_packed_body_is_not_unpacked(team: Team, packed: Packed, who: str, method: str, path: str, coding: str) -> None:
    before = (facts(), Blob.objects.count())
    answer, peak = weighed(team, who, method, path, BOMB, content_encoding=coding)
    assert (answer.status_code, (facts(), Blob.objects.count())) == (415, before), answer.content[:300]
    assert peak < 20 * 1024 * 1024, f"{peak:,}"


@pytest.mark.parametrize("path", ["/-/npm/v1/security/advisories/bulk", "/-/npm/v1/security/audits/quick", "/-/npm/v1/security/audits"])
def test_a_packed_audit_is_unpacked_to_its_limit(team: Team, path: str) -> None:
    before = facts()
    answer, peak = weighed(team, "rita", "POST", path, BOMB, content_encoding="gzip")
    assert (answer.status_code, facts()) == (413, before), answer.content[:300]
    assert peak < 100 * 1024 * 1024, f"{peak:,}"


def weighed(team: Team, who: str, method: str, path: str, body: bytes, **headers: str) -> tuple[Any, int]:
    """The answer, and the most bytes that were held while it was made."""
    tracemalloc.start()
    try:
        return team.send(who, method, path, body, **headers), tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
