"""Testing a Git upstream because a person asks: what stands in the way is told apart, each with a hint."""

from collections.abc import Callable
from typing import Any

from tests.git.conftest import Modules
from tests.parts.gate import Gate, Place, made
from tests.parts.process import free_port
from tests.parts.repository import GitServer
from tests.parts.ssh import SshServer

Add = Callable[..., dict[str, Any]]


def verdict(place: Place, row: dict[str, Any]) -> dict[str, Any]:
    answer = place.api().post(f"{place.rest}upstreams/{row['id']}/test/")
    assert answer.status == 200, answer
    found: dict[str, Any] = answer.json()
    return found


def of(place: Place, url: str, name: str, **fields: Any) -> dict[str, Any]:
    wish = {"name": name, "kind": "git", "url": url, **fields}
    return verdict(place, made(place.api().post(place.rest + "upstreams/", wish)))


def test_a_repository(place: Place, forge: GitServer, add_git: Add) -> None:
    found = verdict(place, add_git(place))

    assert found["ok"], found
    assert "2 branches and 1 tag; its default branch is main" in found["sentence"]
    assert found["hint"] == ""


def test_what_stands_in_the_way(place: Place, forge: GitServer, modules: Modules, add_git: Add) -> None:
    wrong = verdict(place, add_git(place, "wrong", secret="another-password"))
    assert (wrong["ok"], wrong["code"]) == (False, "upstream_unauthorized")
    assert "access token" in wrong["hint"]

    with GitServer(modules.repository.folder) as open_forge:
        missing = of(place, f"{open_forge.url}/nothing.git", "missing")
        assert missing["code"] == "not_a_repository"
        open_forge.status = 302
        redirected = of(place, f"{open_forge.url}/modules.git", "redirected")
        assert redirected["code"] in {"upstream_bad_answer", "upstream_unreachable"}
    refused = of(place, f"http://127.0.0.1:{free_port()}/x.git", "refused")
    assert refused["code"] == "upstream_unreachable"
    assert "refused" in refused["sentence"]
    nowhere = of(place, "https://nowhere.invalid/x.git", "nowhere")
    assert "does not resolve" in nowhere["sentence"]
    for found in (wrong, missing, redirected, refused, nowhere):
        assert found["hint"], found


def test_over_ssh(place: Place, modules: Modules) -> None:
    with SshServer(modules.repository.folder) as sshd, SshServer(modules.repository.folder) as other:
        signs_in = {"auth_type": "bearer", "secret": sshd.private_key}
        url = sshd.url(modules.repository.bare)
        assert of(place, url, "fine", **signs_in)["ok"]
        assert of(place, url, "stranger", **{**signs_in, "secret": other.private_key})["code"] == "upstream_unauthorized"
        assert of(place, url.replace("modules", "nothing"), "missing", **signs_in)["code"] == "not_a_repository"
        known = of(
            place, url, "known", **{**signs_in, "secret": sshd.private_key + other.host_line.replace(str(other.port), str(sshd.port))}
        )
        assert "host key" in known["sentence"]
        broken = "-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n-----END OPENSSH PRIVATE KEY-----\n"
        assert "cannot be read" in of(place, url, "broken", **{**signs_in, "secret": broken})["sentence"]
        port = sshd.port
    assert "refused" in of(place, url, "closed", **signs_in)["sentence"]
    assert port


def test_a_path(gate: Gate, place: Place, modules: Modules) -> None:
    wish = {"name": "modules", "kind": "git", "url": str(modules.repository.bare)}
    row = made(gate.admin.post(place.rest + "upstreams/", wish))

    assert verdict(place, row)["ok"]
    assert not list((gate.server.data / "git").glob(f"{row['id']}/*")), "a test changes nothing"
