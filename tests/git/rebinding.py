"""Run by test_git_rebinding.py in a network of its own: repositories at a public address, behind names that change.

Prints what came of each question as JSON.
"""

import json
import sys
from pathlib import Path

from tests.git.conftest import PASSWORD, USER
from tests.parts.gate import Gate, made
from tests.parts.gatehouse import Gatehouse
from tests.parts.namespace import NameServer, own
from tests.parts.repository import GitServer, Repository
from tests.upstreams.rebinding import LOOPBACK, METADATA, PUBLIC, Sink

PORT = 8098
NAMES = {
    "steady.example.org": [[PUBLIC]],
    "third.example.org": [[PUBLIC], [PUBLIC], [LOOPBACK]],
    "second.example.org": [[PUBLIC], [LOOPBACK]],
    "first.example.org": [[LOOPBACK]],
    "cloud.example.org": [[METADATA]],
    "both.example.org": [[PUBLIC, LOOPBACK]],
}


def main(folder: Path) -> None:
    own(PUBLIC, METADATA)
    server = NameServer(folder, NAMES)
    sinks = [Sink(LOOPBACK, PORT), Sink(METADATA, PORT), Sink(LOOPBACK, 22)]
    repository = Repository(folder / "forge")
    repository.commit({"package.json": {"name": "mod", "version": "1.0.0"}})
    with GitServer(repository.folder, username=USER, password=PASSWORD, host=PUBLIC, port=PORT) as forge:
        gatehouse = Gatehouse(folder, "", f"http://{PUBLIC}:1", env={"ALLOWED_PRIVATE_NETWORKS": "10.255.0.0/16"}, workers=1)
        try:
            gatehouse.start()
            gate = Gate(gatehouse)
            found = {name.partition(".")[0]: asked(gate, name) for name in NAMES}
            found["ssh"] = asked(gate, "first.example.org", "ssh://git@first.example.org/x.git")
        finally:
            gatehouse.stop()
    told = {"sinks": [sink.hits for sink in sinks], "resolved": server.asked, "seen": len(forge.seen)}
    sys.stdout.write(json.dumps({**found, **told}))


def asked(gate: Gate, name: str, url: str = "") -> list[object]:
    """Status or code of the answer about the repository behind a name."""
    place = gate.workspace()
    signs_in = {} if url else {"auth_type": "basic", "username": USER, "secret": PASSWORD}
    wish = {"name": "modules", "kind": "git", "url": url or f"http://{name}:{PORT}/modules.git", **signs_in}
    made(place.api().post(place.rest + "upstreams/", wish))
    answer = place.as_("rita").get("/mod")
    return [answer.status if answer.status == 200 else answer.json()["code"], gate.events(place, "alert.upstream_trouble")]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
