"""The authenticated mirror at an operator's shell: a variable of that shell, or of nobody (checks 3 to 7 of MoonBit, for npm)."""

import base64
import subprocess
import sys

import pytest

from tests.parts import ROOT
from tests.parts.gate import Gate, Place, made
from tests.parts.pack import pack
from tests.parts.recorder import Recorder

VALUE = "token-of-the-private-registry"
NAME = "PRIVATE_REGISTRY_TOKEN"
AUTH = {
    "bearer": (("--auth", "bearer", "--token", f"${{{NAME}}}"), f"Bearer {VALUE}"),
    "basic": (
        ("--auth", "basic", "--username", "ci", "--password", f"pre-${{{NAME}}}"),
        "Basic " + base64.b64encode(f"ci:pre-{VALUE}".encode()).decode(),
    ),
}


def manage(place: Place, *words: str, **env: str) -> "subprocess.CompletedProcess[str]":
    """`manage.py` in a shell with these variables."""
    environment = {**place.gate.server.environment(), **env}
    whole = [sys.executable, "manage.py", *words]
    return subprocess.run(
        whole, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False, stdin=subprocess.DEVNULL
    )


@pytest.mark.parametrize("kind", AUTH)
def test_a_variable_of_the_shell_goes_along_and_is_shown_to_nobody(gate: Gate, recorder: Recorder, kind: str) -> None:
    place = gate.workspace()
    words, header = AUTH[kind]
    recorder.wanted_authorization = header
    packed = recorder.offer(pack("@private/core"))
    registry = f"{place.slug}/main"
    added = manage(place, "sources", "add", "private", "--from-preset", "npm", "--url", recorder.url, *words, "--registry", registry)
    assert added.returncode == 0, added

    unset = manage(place, "mirror", registry, "-s", "private", "@private/core")
    assert unset.returncode == 1, unset
    assert f"${{{NAME}}}" in unset.stderr
    assert not recorder.seen, "an unset variable asks nobody"
    tested = manage(place, "sources", "test", "private", "--registry", registry)
    assert (tested.returncode, recorder.seen) == (1, [])
    assert f"${{{NAME}}}" in tested.stderr

    done = manage(place, "mirror", registry, "-s", "private", "@private/core", **{NAME: VALUE})
    assert done.returncode == 0, done
    assert {one.headers.get("authorization") for one in recorder.seen} == {header}
    assert any(one.is_tarball for one in recorder.seen)
    assert place.as_("rita").get(f"/@private/core/-/{packed.filename}").body == packed.tarball

    shown = place.api().get(place.rest + "upstreams/").json()["results"][0]
    assert shown["secret_shown"] == (f"${{{NAME}}}" if kind == "bearer" else "")
    events = place.api().get(f"/api/v1/workspaces/{place.slug}/events/").text
    rows = str(gate.execute("SELECT * FROM upstreams_upstream")) + str(gate.execute("SELECT * FROM upstreams_mirror"))
    told = "".join([added.stdout, unset.stdout, unset.stderr, done.stdout, done.stderr, events, rows, str(shown), gate.server.log()])
    assert VALUE not in told


def test_the_server_reads_it_as_a_secret_of_the_workspace(gate: Gate, recorder: Recorder) -> None:
    place = gate.workspace()
    recorder.demand("bearer", secret=VALUE)
    recorder.add("core")
    words = ("--url", recorder.url, *AUTH["bearer"][0], "--registry", f"{place.slug}/main")
    assert manage(place, "sources", "add", "private", "--from-preset", "npm", *words).returncode == 0
    answer = place.as_("rita").get("/core")
    assert (answer.status, answer.json()["code"]) == (502, "variable_unset"), answer
    assert not recorder.seen
    made(place.api().post(f"/api/v1/workspaces/{place.slug}/secrets/", {"name": NAME, "value": VALUE}))
    assert place.versions("core") == ["1.0.0"]


def test_a_shell_reads_nothing_for_an_upstream_of_a_workspaces_owner(gate: Gate, recorder: Recorder) -> None:
    place = gate.workspace()
    recorder.add("core")
    made(place.api().post(f"/api/v1/workspaces/{place.slug}/secrets/", {"name": "DATABASE_URL", "value": "of-the-workspace"}))
    place.upstream(recorder, "theirs", auth_type="bearer", secret="${DATABASE_URL}")
    done = manage(place, "mirror", f"{place.slug}/main", "-s", "theirs", "core", SESSION_SECRET="of-the-server")
    assert done.returncode == 0, done
    assert {one.headers["authorization"] for one in recorder.seen} == {"Bearer of-the-workspace"}
