"""What the entry decides before anybody else: odd hosts, and which of the two stacks answers."""

import pytest

from protocols.entry import LEAN
from tests.parts.gate import Gate, Place
from tests.parts.pack import pack


@pytest.mark.parametrize("host", ["localhost:" + "1" * 400, "localhost:123456", "a" * 201, "[" + "0:" * 100 + "]", "localhost:8x", "a:b:c"])
def test_an_odd_host_is_refused_in_json(place: Place, host: str) -> None:
    place.publish(pack("plain"))
    for path in ("/plain", "/-/ping"):
        answer = place.as_("rita").request("GET", path, headers={"host": host})
        assert (answer.status, answer.json()["code"]) == (400, "bad_host")


@pytest.mark.parametrize("host", ["localhost", "localhost:1", "127.0.0.1:65535", "[::1]:8000", "LOCALHOST:80"])
def test_usual_hosts_are_served(place: Place, host: str) -> None:
    assert place.as_("rita").request("GET", "/-/ping", headers={"host": host}).status == 200


@pytest.mark.parametrize(
    ("path", "lean"),
    [
        ("/acme/r/main/x", True),
        ("/acme/npm/x", True),
        ("/v2/", True),
        ("/-/npm/v1/security", True),
        ("/administrator/m/x", True),
        ("/admin/m/x", False),
        ("/admin/npm/", False),
        ("/api/r/x", False),
        ("/static/m/x", False),
        ("/acme/registries/main/", False),
    ],
)
def test_which_stack_answers(path: str, lean: bool) -> None:  # noqa: FBT001 - a table
    assert (LEAN.match(path) is not None) is lean


@pytest.mark.parametrize(
    "path", ["/admin/m/x", "/admin/npm/", "/api/r/x/y", "/login/r/x/", "/acme/npm/x", "/acme/m/x", "/acme/oci/x", "/v2/"]
)
def test_no_address_falls_between_the_stacks(gate: Gate, path: str) -> None:
    for accept in ("text/html", "*/*"):
        answer = gate.admin.request("GET", path, headers={"accept": accept})
        assert answer.status < 500, answer
