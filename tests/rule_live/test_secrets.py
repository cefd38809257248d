"""Secrets of a workspace and the test of an upstream against live servers: every process at once, on both databases.

Checks 4 to 8 of MoonBit's as far as they are about credentials; rows U9, U10 and L1 of the threats.
"""

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.parts.gate import Gate, Place, made
from tests.parts.gatehouse import ADMIN, PASSWORD, Gatehouse
from tests.parts.pack import pack
from tests.parts.process import NotReady
from tests.parts.recorder import Recorder
from tests.parts.web_client import Answer, Caller, basic
from tests.rule_live.test_credentials import SECRET

OF_THE_SERVER = "the-servers-own-token-51c2"
STORED = "value-of-the-secret-7f3a"
TIMES = 6  # asked so often, both processes have answered


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, public: Recorder) -> Iterator[Gate]:
    """A live Gatehouse whose operator set variables, one of them in a file."""
    folder = tmp_path_factory.mktemp("gatehouse-variables")
    file = folder / "token"
    file.write_text(f"{OF_THE_SERVER}\n", encoding="utf-8")
    env = {"UPSTREAM_DIRECT": OF_THE_SERVER, "UPSTREAM_BY_FILE_FILE": str(file), "PRIVATE_REGISTRY_TOKEN": "nobody-may-read-this"}
    one = Gatehouse(folder, "", public.url, env=env)
    try:
        one.start()
        yield Gate(one)
    finally:
        one.stop()


def secrets(place: Place) -> str:
    return f"/api/v1/workspaces/{place.slug}/secrets/"


def told(answer: Answer, status: int = 400) -> str:
    """The field at fault."""
    assert answer.status == status, answer
    return str(next(iter(answer.json()["fields"])))


def everything_said(place: Place, gate: Gate) -> str:
    """Whatever REST, the audit log, the server's log and the database tell."""
    said = [place.api().get(path).text for path in (secrets(place), place.rest + "upstreams/", f"/api/v1/workspaces/{place.slug}/events/")]
    rows = [str(gate.execute(f"SELECT * FROM {table}")) for table in ("upstreams_upstream", "workspaces_secret", "workspaces_event")]
    return "\n".join([*said, *rows, gate.server.log()])


def test_a_secret_from_beginning_to_end(place: Place, gate: Gate, recorder: Recorder) -> None:
    alice, path = place.api(), secrets(place)
    made(alice.post(path, {"name": "PARTNER_TOKEN", "value": STORED}))
    again = alice.post(path, {"name": "PARTNER_TOKEN", "value": "another"})
    assert (again.status, again.json()["code"]) == (409, "secret_exists")
    assert told(alice.post(path, {"name": "UPSTREAM_X", "value": "x"})) == "name"
    assert told(alice.post(path, {"name": "lower", "value": "x"})) == "name"
    assert told(alice.post(path, {"name": "EMPTY", "value": ""})) == "value"
    assert told(alice.patch(f"{path}PARTNER_TOKEN/", {"name": "OTHER"})) == "name"

    recorder.demand("bearer", secret=STORED)
    packed = recorder.offer(pack("theirs"))
    upstream = place.upstream(recorder, auth_type="bearer", secret="${PARTNER_TOKEN}")
    assert (upstream["has_secret"], upstream["secret_shown"]) == (True, "${PARTNER_TOKEN}")
    assert place.versions("theirs") == ["1.0.0"]
    assert place.as_("rita").get(f"/theirs/-/{packed.filename}").body == packed.tarball
    assert {one.headers["authorization"] for one in recorder.seen} == {f"Bearer {STORED}"}

    listed = alice.get(path).json()["results"]
    assert [(one["name"], one["upstreams"]) for one in listed] == [("PARTNER_TOKEN", ["main public"])]
    refused = alice.delete(f"{path}PARTNER_TOKEN/")
    assert (refused.status, refused.json()["code"]) == (409, "secret_in_use")
    assert "main public" in refused.json()["error"]
    assert alice.patch(f"{place.rest}upstreams/{upstream['id']}/", {"auth_type": "none"}).status == 200
    assert alice.delete(f"{path}PARTNER_TOKEN/").status == 204
    assert alice.get(f"{path}PARTNER_TOKEN/").status == 404
    assert gate.events(place, "secret.") == ["secret.added", "secret.removed"]
    assert STORED not in everything_said(place, gate)


def test_a_new_value_holds_in_every_process_at_once(place: Place, recorder: Recorder) -> None:
    alice, path = place.api(), secrets(place)
    made(alice.post(path, {"name": "TOKEN", "value": "value-0-of-the-token"}))
    place.upstream(recorder, auth_type="basic", username="${TOKEN}", secret="pre-${TOKEN}")
    for number in range(1, TIMES):
        value = f"value-{number}-of-the-token"
        assert alice.patch(f"{path}TOKEN/", {"value": value}).status == 200
        recorder.forget()
        name = f"asked-{number}"
        assert place.as_("rita").get(f"/{name}").status == 404
        wanted = base64.b64encode(f"{value}:pre-{value}".encode()).decode()
        assert [one.headers["authorization"] for one in recorder.asked(name)] == [f"Basic {wanted}"]


@pytest.mark.parametrize("name", ["SECRET_KEY", "DATABASE_URL", "PATH", "PRIVATE_REGISTRY_TOKEN", "UPSTREAM_DIRECT", "NOT_THERE"])
def test_owners_of_workspaces_name_nothing_of_the_server(server: Gate, recorder: Recorder, name: str) -> None:
    place = server.workspace()
    wish = {"name": "u", "kind": "url", "format": "npm", "url": recorder.url}
    for more in ({"auth_type": "bearer", "secret": f"${{{name}}}"}, {"auth_type": "basic", "username": "u", "secret": f"x${{{name}}}"}):
        assert told(place.api().post(place.rest + "upstreams/", {**wish, **more})) == "secret"
    basic_user = {"auth_type": "basic", "username": f"${{{name}}}", "secret": "x"}
    assert told(place.api().post(place.rest + "upstreams/", {**wish, **basic_user})) == "username"
    assert not recorder.seen


@pytest.mark.parametrize("name", ["UPSTREAM_DIRECT", "UPSTREAM_BY_FILE"])
def test_an_operators_upstream_reads_the_servers_variable(server: Gate, recorder: Recorder, other_recorder: Recorder, name: str) -> None:
    place = server.workspace()
    recorder.demand("bearer", secret=OF_THE_SERVER)
    recorder.add("theirs")
    wish = {"name": "u", "kind": "url", "format": "npm", "url": recorder.url, "auth_type": "bearer", "secret": f"${{{name}}}"}
    upstream = made(server.admin.post(place.rest + "upstreams/", wish))
    assert place.versions("theirs") == ["1.0.0"]

    path = f"{place.rest}upstreams/{upstream['id']}/"
    assert place.api().patch(path, {"priority": 7, "enabled": True}).status == 200
    for change in ({"url": f"{recorder.url}/elsewhere"}, {"patterns": ["more-*"]}, {"auth_type": "basic", "username": "u"}):
        assert told(place.api().patch(path, change)) == "secret"
    for change in ({"url": other_recorder.url, "secret": f"${{{name}}}"}, {"secret": f"${{{name}}}-"}):
        assert told(place.api().patch(path, change)) == "secret"
    place.as_("rita").get("/theirs-too")
    assert recorder.asked("theirs-too")
    assert not other_recorder.seen
    assert OF_THE_SERVER not in everything_said(place, server)


def test_a_variable_that_is_not_set_is_named_and_nobody_asked(server: Gate, recorder: Recorder) -> None:
    place = server.workspace()
    recorder.add("theirs")
    wish = {"name": "u", "kind": "url", "format": "npm", "url": recorder.url, "auth_type": "bearer", "secret": "${UPSTREAM_NOWHERE}"}
    upstream = made(server.admin.post(place.rest + "upstreams/", wish))
    for path in ("/theirs", "/theirs/-/theirs-1.0.0.tgz"):
        answer = place.as_("rita").get(path)
        assert (answer.status, answer.json()["code"]) == (502, "variable_unset"), answer
        assert "${UPSTREAM_NOWHERE}" in answer.text
    verdict = place.api().post(f"{place.rest}upstreams/{upstream['id']}/test/").json()
    assert (verdict["ok"], verdict["code"], verdict["status"]) == (False, "variable_unset", None)
    assert not recorder.seen


def test_gatehouse_itself_is_known_as_a_registry(gate: Gate) -> None:
    """A registry of one workspace as the upstream of another: tested with a right token, a wrong one, and none."""
    behind, place = gate.globex(), gate.workspace()
    verdicts = {}
    for name, more in {
        "right": {"auth_type": "bearer", "secret": behind.tokens["mallory"]},
        "wrong": {"auth_type": "bearer", "secret": SECRET},
        "strange": {"auth_type": "bearer", "secret": place.tokens["rita"]},
        "none": {},
    }.items():
        wish = {"name": name, "kind": "url", "format": "npm", "url": behind.url, **more}
        upstream = made(place.api().post(place.rest + "upstreams/", wish))
        verdicts[name] = place.api().post(f"{place.rest}upstreams/{upstream['id']}/test/").json()
    assert {name: (one["code"], one["status"]) for name, one in verdicts.items()} == {
        "right": ("ok", 200),
        "wrong": ("upstream_unauthorized", 401),
        "strange": ("upstream_unproven", 404),
        "none": ("upstream_unauthorized", 401),
    }
    assert "mallory" in verdicts["right"]["sentence"]
    assert SECRET not in json.dumps(verdicts)


def test_a_forbidden_address_is_one_sentence(strict_gate: Gate, strict_place: Place, public: Recorder, recorder: Recorder) -> None:
    wish = {"name": "edited", "kind": "url", "format": "npm", "url": public.url}
    upstream = made(strict_place.api().post(strict_place.rest + "upstreams/", wish))
    path = f"{strict_place.rest}upstreams/{upstream['id']}/test/"
    said = set()
    for port in (recorder.port, 9):  # something listens there, and nothing
        strict_gate.execute("UPDATE upstreams_upstream SET url = ? WHERE name = 'edited'", f"http://127.0.0.1:{port}")
        verdict = strict_place.api().post(path).json()
        said.add((verdict["code"], verdict["status"], verdict["sentence"]))
    assert said == {("upstream_forbidden_address", None, "127.0.0.1 leads to an address that is not public.")}
    assert not recorder.seen, "no connection is made"


def test_a_bad_file_of_a_variable_stops_the_start(tmp_path: Path) -> None:
    server = Gatehouse(tmp_path, env={"UPSTREAM_TOKEN_FILE": "/nowhere/at/all"})
    with pytest.raises(NotReady, match="UPSTREAM_TOKEN_FILE"):
        server.manage("check")


def test_the_operator_is_one_with_all_of_their_rights(server: Gate, recorder: Recorder) -> None:
    """A token of the operator's that is held to some registries does not speak for the installation."""
    place = server.workspace()
    admin = Caller(server.url, basic(ADMIN, PASSWORD))
    narrow = made(admin.post("/api/v1/tokens/", {"name": "narrow", "registries": [f"{place.slug}/{place.registry}"]}))
    wish = {"name": "u", "kind": "url", "format": "npm", "url": recorder.url, "auth_type": "bearer", "secret": "${UPSTREAM_DIRECT}"}
    answer = Caller(server.url, f"Bearer {narrow['token']}").post(place.rest + "upstreams/", wish)
    assert told(answer) == "secret"
