"""What was acknowledged survives `kill -9` of everything; what was refused or cut off left nothing half-made."""

import contextlib
import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import DATABASES
from tests.parts.faults import slow
from tests.parts.gate import Gate, Place
from tests.parts.gatehouse import Gatehouse
from tests.parts.pack import Packed, pack, publish_document
from tests.parts.recorder import Recorder
from tests.parts.web_client import BROKEN

ROUNDS = 2
PUBLISHERS = 4
PACKAGE = "@acme/ledger"


@pytest.fixture(params=DATABASES)
def mortal(request: pytest.FixtureRequest, tmp_path: Path, public: Recorder) -> Iterator[Gatehouse]:
    """A server of its own, to be killed."""
    url = request.getfixturevalue("postgres").database() if request.param == "postgresql" else ""
    server = Gatehouse(tmp_path / "mortal", url, public.url)
    try:
        server.start()
        yield server
    finally:
        server.stop()


class Ledger:
    """What the clients know: acknowledged versions, and those whose outcome they never heard."""

    def __init__(self) -> None:
        self.acknowledged: dict[str, Packed] = {}
        self.unknown: dict[str, Packed] = {}

    def publish_until(self, place: Place, end: threading.Event, major: int) -> None:
        """Publish one version after the other."""
        minor = 0
        while not end.is_set():
            minor += 1
            packed = pack(PACKAGE, f"{major}.{minor}.0", files={"body.bin": random.randbytes(random.randint(10, 400_000))})
            self.unknown[packed.version] = packed
            try:
                answer = place.as_("bob").put("/@acme%2fledger", publish_document(packed))
            except BROKEN:
                return
            assert answer.status == 201, answer
            self.acknowledged[packed.version] = self.unknown.pop(packed.version)


def test_acknowledged_versions_survive(mortal: Gatehouse) -> None:
    place, ledger = Gate(mortal).workspace(), Ledger()
    for round_number in range(ROUNDS):
        end = threading.Event()
        majors = range(round_number * PUBLISHERS, (round_number + 1) * PUBLISHERS)
        threads = [threading.Thread(target=ledger.publish_until, args=(place, end, major)) for major in majors]
        for thread in threads:
            thread.start()
        time.sleep(random.uniform(0.5, 1.0))
        mortal.kill()
        end.set()
        for thread in threads:
            thread.join()
        mortal.serve()
        check(place, ledger)
    assert len(ledger.acknowledged) > ROUNDS


def check(place: Place, ledger: Ledger) -> None:
    """Acknowledged: listed and byte-identical. Unknown: all or nothing."""
    answer = place.as_("rita").get("/@acme%2fledger")
    listed = answer.json()["versions"] if answer.status == 200 else {}
    assert set(ledger.acknowledged) <= set(listed)
    assert set(listed) <= set(ledger.acknowledged) | set(ledger.unknown)
    for version, manifest in listed.items():
        packed = ledger.acknowledged.get(version) or ledger.unknown[version]
        assert manifest["dist"]["integrity"] == packed.integrity
        assert place.as_("rita").get(f"/@acme%2fledger/-/ledger-{version}.tgz").body == packed.tarball


def test_a_download_killed_half_way_starts_anew(mortal: Gatehouse, recorder: Recorder) -> None:
    place = Gate(mortal).workspace()
    big = pack("big-one", files={"body.bin": random.randbytes(6_000_000)})
    recorder.offer(big)
    recorder.misbehave("big-one", slow(1.0), where="tarball")
    place.upstream(recorder)
    reader = threading.Thread(target=_read_and_ignore, args=(place,))
    reader.start()
    time.sleep(0.3)
    mortal.kill()
    reader.join()
    mortal.serve()
    recorder.behave()
    assert place.as_("rita").get("/big-one/-/big-one-1.0.0.tgz").body == big.tarball


def _read_and_ignore(place: Place) -> None:
    with contextlib.suppress(*BROKEN):  # the server dies under it, as intended
        place.as_("rita").get("/big-one/-/big-one-1.0.0.tgz")
