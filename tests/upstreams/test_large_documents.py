"""Large documents are read by another reader than small ones: both say the same, and memory of the large ones becomes free."""

import json
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import orjson
import pytest

from packages.formats.npm.names import parse_known
from tests.parts import ROOT
from tests.parts.recorder import Handler, Recorder
from upstreams.clients import npm, watchdog
from upstreams.clients.guard import parse_network
from upstreams.clients.http import Target, origin_of
from upstreams.errors import UpstreamBusy
from upstreams.memory import LARGE, parsed

SOUND = [
    "0", "-0", "-1", "1.5", "1e3", "1E-7", "123456789012345678", "9223372036854775807", "-9223372036854775808",
    "18446744073709551615", "18446744073709551616", "-9223372036854775809", "1" + "0" * 400 + ".0e-399", '"\\u00e9\\ud83d\\ude00"',
    '{"a": 1, "a": 2}', "[true, false, null]",
]  # fmt: skip
UNSOUND = [
    "NaN", "Infinity", "-Infinity", '"\\ud800"', '"\x01"', "01", "1.", "+1", "{", "[1,]", "{'a': 1}", "tru", "1 2",
    "[" * 100_000, '{"a":' * 100_000,
]  # fmt: skip


def as_bytes(value: str, size: int) -> bytes:
    """A document of at least `size` bytes with the value in it."""
    return b'{"room": "' + b"x" * size + b'", "value": ' + value.encode() + b"}"


@pytest.mark.parametrize("value", SOUND)
def test_both_readers_say_the_same(value: str) -> None:
    small, large = parsed(as_bytes(value, 10)), parsed(as_bytes(value, LARGE))
    assert isinstance(small, dict)
    assert isinstance(large, dict)
    assert repr(small["value"]) == repr(large["value"])
    assert orjson.dumps(large["value"]) == orjson.dumps(small["value"])


@pytest.mark.parametrize("size", [10, LARGE], ids=["small", "large"])
@pytest.mark.parametrize("value", UNSOUND, ids=lambda value: repr(value[:12]))
def test_what_is_no_json_is_refused(value: str, size: int) -> None:
    with pytest.raises((ValueError, RecursionError, orjson.JSONEncodeError)):
        orjson.dumps(parsed(as_bytes(value, size)))


@pytest.mark.parametrize("size", [10, LARGE], ids=["small", "large"])
@pytest.mark.parametrize("data", [b"\xef\xbb\xbf{}", "{}".encode("utf-16"), b'{"a": "\xff"}', b"\x1f\x8b"], ids=repr)
def test_only_utf_8_without_a_mark_is_read(data: bytes, size: int) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parsed(data + b" " * size)


MEASURE = """
import json, sys
from upstreams.memory import parsed

def own():
    lines = open("/proc/self/smaps_rollup").read().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_Dirty:"))

versions = {f"1.0.{i}": {f"k{j}": str(i * j) for j in range(40)} for i in range(5000)}
data = json.dumps({"versions": versions}).encode()
del versions
before = own()
document = parsed(data)
held = own() - before
del document
print(held, own() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_memory_of_a_large_document_becomes_free() -> None:
    done = subprocess.run([sys.executable, "-c", MEASURE], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    held, left = map(int, done.stdout.split())
    assert held > 8_000, "the document is large enough to show it (KiB)"
    assert left < held / 2


def test_only_so_many_large_ones_are_held_at_once(recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(npm, "LARGE", 1000)
    monkeypatch.setattr(watchdog, "LARGE_AT_ONCE", 1)
    monkeypatch.setattr(watchdog, "LARGE_WAIT", 0.1)
    goes_on = threading.Event()
    recorder.add("slow-and-large", description="x" * 70_000)
    recorder.add("large", description="x" * 70_000)
    recorder.add("small")

    def halfway(handler: Handler, _: object) -> None:
        body = json.dumps(recorder.document("slow-and-large")).encode()
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body[:10_000])
        goes_on.wait(20)
        handler.wfile.write(body[10_000:])

    recorder.misbehave("slow-and-large", halfway)
    target = Target(name="odd", url=recorder.url, allowed=(parse_network("127.0.0.0/8"),))

    def fetch(name: str) -> bool:
        return npm.fetch_packument(target, parse_known(name), npm.Known(), limit=10**6).is_present

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(fetch, "slow-and-large")
        while not is_held(recorder):
            time.sleep(0.01)
        with pytest.raises(UpstreamBusy):
            fetch("large")
        assert fetch("small")
        goes_on.set()
        assert first.result(20)
    assert fetch("large")


def is_held(recorder: Recorder) -> bool:
    """Whether somebody holds the one place of this upstream."""
    place = watchdog.SLOTS._slots.get(("large", origin_of(recorder.url)))
    return place is not None and not place._value
