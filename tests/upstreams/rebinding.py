"""Run by test_rebinding.py in a network of its own: a live Gatehouse, upstreams at a public address, and names that change.

Prints what came of each question as JSON.
"""

import contextlib
import json
import socket
import sys
import threading
from pathlib import Path

from tests.parts import faults
from tests.parts.gate import Gate, made
from tests.parts.gatehouse import Gatehouse
from tests.parts.namespace import NameServer, own
from tests.parts.recorder import Fault, Handler, Recorder

PUBLIC, METADATA, LOOPBACK = "93.184.215.14", "169.254.169.254", "127.0.0.1"
PORT = 8099
NAMES = {
    "steady.example.org": [[PUBLIC]],
    "turning.example.org": [[PUBLIC], [LOOPBACK]],
    "turning-back.example.org": [[LOOPBACK], [PUBLIC], [PUBLIC]],
    "cloud.example.org": [[PUBLIC], [METADATA]],
    "both.example.org": [[PUBLIC, LOOPBACK]],
    "inside.example.org": [[LOOPBACK]],
}


class Sink:
    """Counts who comes in at an address nobody may be led to."""

    def __init__(self, address: str, port: int) -> None:
        self.hits = 0
        self._socket = socket.create_server((address, port))
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while True:
            with contextlib.suppress(OSError), self._socket.accept()[0]:
                self.hits += 1


def closing(handler: Handler, plain: object) -> None:
    """The right answer, and then the line is closed: the next question opens another."""
    handler.close_connection = True
    handler.send(200, json.dumps(handler.server.recorder.document("thing")).encode(), connection="close")


def main(folder: Path) -> None:
    own(PUBLIC, METADATA)
    server = NameServer(folder, NAMES)
    sinks = [Sink(LOOPBACK, PORT), Sink(METADATA, PORT), Sink(METADATA, 80)]
    with Recorder(PORT, PUBLIC) as upstream:
        gatehouse = Gatehouse(folder, "", f"http://{PUBLIC}:1", env={"ALLOWED_PRIVATE_NETWORKS": "10.255.0.0/16"}, workers=1)
        try:
            gatehouse.start()
            found = asked(Gate(gatehouse), upstream)
            sys.stdout.write(json.dumps(found | {"resolved": server.asked, "sinks": [sink.hits for sink in sinks]}))
        finally:
            gatehouse.stop()


def asked(gate: Gate, upstream: Recorder) -> dict[str, object]:
    """Two questions to an upstream of each name; then redirects to the names and addresses that are not public."""
    found: dict[str, object] = {}
    upstream.add("thing")
    for name in NAMES:
        found[name.partition(".")[0]] = two_questions(gate, upstream, f"http://{name}:{PORT}", closing)
    for place in (
        f"http://{METADATA}/latest/meta-data/",
        f"http://inside.example.org:{PORT}/thing",
        f"http://both.example.org:{PORT}/thing",
    ):
        found[f"to {place.split('/')[2].partition(':')[0]}"] = two_questions(
            gate, upstream, f"http://steady.example.org:{PORT}", faults.redirect(place)
        )
    return found


def two_questions(gate: Gate, upstream: Recorder, url: str, fault: Fault) -> list[object]:
    """Status or code of the first answer and of the second, which revalidates on a connection of its own."""
    place = gate.workspace()
    made(place.api().post(place.rest + "upstreams/", {"name": "public", "kind": "url", "format": "npm", "url": url}))
    upstream.misbehave("*", fault)
    answers = []
    for name in ("thing", "thing"):
        answer = place.as_("rita").get(f"/{name}")
        answers.append(answer.status if answer.status == 200 else answer.json()["code"])
        answers.append(answer.headers.get("x-cache", ""))
        for table in ("upstreams_upstreamdocument", "upstreams_rendering"):
            gate.execute(f"UPDATE {table} SET fresh_until = '2001-01-01 00:00:00'")
    return [*answers, gate.events(place, "alert.upstream_trouble")]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
