"""How a repository is reached: SSH and a path on the server's disk, and who may set which."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.git.conftest import PASSWORD, USER, Modules
from tests.parts.gate import Gate, Place, made
from tests.parts.repository import GitServer
from tests.parts.ssh import SshServer

Add = Callable[..., dict[str, Any]]


@pytest.fixture
def sshd(modules: Modules) -> Iterator[SshServer]:
    """The repository over SSH."""
    with SshServer(modules.repository.folder) as server:
        yield server


def by_ssh(place: Place, sshd: SshServer, modules: Modules, secret: str, **fields: Any) -> dict[str, Any]:
    wish = {"name": "modules", "kind": "git", "url": sshd.url(modules.repository.bare), "auth_type": "bearer", "secret": secret}
    return made(place.api().post(place.rest + "upstreams/", {**wish, **fields}))


def ask(place: Place) -> Any:
    return place.as_("rita").get("/mod", accept="application/json")


def test_ssh(gate: Gate, place: Place, modules: Modules, sshd: SshServer) -> None:
    by_ssh(place, sshd, modules, sshd.private_key)

    answer = ask(place)

    assert answer.status == 200, answer
    assert "1.2.0" in answer.json()["versions"]
    assert all(command.startswith("git-upload-pack ") for command in sshd.commands)
    secret = sshd.private_key.splitlines()[1]
    assert not [path for path in gate.server.data.glob("git/**/*") if path.is_file() and secret.encode() in path.read_bytes()]
    assert secret not in gate.server.log()


def test_the_host_met_first_is_remembered(gate: Gate, place: Place, modules: Modules, sshd: SshServer) -> None:
    row = by_ssh(place, sshd, modules, sshd.private_key)
    assert ask(place).status == 200
    sshd.stop()
    sshd.forget_host()
    sshd.start()
    gate.grow_old()

    answer = ask(place)

    assert answer.headers["x-cache"] == "stale"
    assert gate.events(place, "alert.") == ["alert.upstream_trouble"]
    told = place.api().get(f"/api/v1/workspaces/{place.slug}/alerts/").json()["results"][0]
    assert "its SSH host key is not the one known" in told["sentence"]
    assert "if it was not, somebody else may be answering" in told["sentence"]
    assert "with the host's new keys behind it" in told["sentence"], "what to do about it"
    secret = {"secret": sshd.private_key + sshd.host_line}
    assert place.api().patch(f"{place.rest}upstreams/{row['id']}/", secret).status == 200
    gate.grow_old()
    assert ask(place).headers["x-cache"] != "stale", "and that is what helps"


def test_the_host_given_with_the_key_is_the_only_one(place: Place, modules: Modules, sshd: SshServer) -> None:
    by_ssh(place, sshd, modules, sshd.private_key + sshd.host_line)
    assert ask(place).status == 200

    strange = place.second("strange")
    line = sshd.host_line
    sshd.stop()
    sshd.forget_host()
    sshd.start()
    by_ssh(strange, sshd, modules, sshd.private_key + line)
    answer = ask(strange)
    assert answer.status == 502
    assert "host key" in answer.json()["error"]
    assert "ssh-keyscan" in answer.json()["error"], "what to do about it"
    row = strange.api().get(strange.rest + "upstreams/").json()["results"][0]
    tested = strange.api().post(f"{strange.rest}upstreams/{row['id']}/test/", {}).json()
    assert (tested["ok"], tested["code"]) == (False, "host_key_changed")


def test_a_key_that_opens_nothing(place: Place, modules: Modules, sshd: SshServer) -> None:
    with SshServer(modules.repository.folder) as other:
        by_ssh(place, sshd, modules, other.private_key)

    answer = ask(place)

    assert answer.status == 502
    assert "refused our credentials" in answer.json()["error"]


def test_a_path_is_for_operators(gate: Gate, place: Place, modules: Modules) -> None:
    wish = {"name": "modules", "kind": "git", "url": str(modules.repository.bare)}
    for spelling in (str(modules.repository.bare), f"file://{modules.repository.bare}"):
        refused = place.api().post(place.rest + "upstreams/", {**wish, "url": spelling})
        assert refused.status == 400, refused
        assert "operators" in refused.json()["fields"]["url"]
    row = made(gate.admin.post(place.rest + "upstreams/", wish))

    assert "1.2.0" in ask(place).json()["versions"]

    address = f"{place.rest}upstreams/{row['id']}/"
    assert place.api().patch(address, {"internal": True, "patterns": []}).status == 200, "the toggle is an admin's"
    moved = place.api().patch(address, {"url": str(modules.repository.work)})
    assert moved.status == 400, moved


REFUSED = (
    "ext::sh -c touch% /tmp/x",
    "ext://host/x",
    "git://git.example.org/x.git",
    "ftp://git.example.org/x.git",
    "--upload-pack=touch /tmp/x",
    "-oProxyCommand=touch@git.example.org:x",
    "ssh://-oProxyCommand=touch/x.git",
    "ssh://git@-oProxyCommand=touch/x.git",
    "ssh://-lroot@git.example.org/x.git",
    "ssh://git.example.org/-x",
    "git@git.example.org:-x.git",
    "git@git.example.org:/x y.git",
    "https://user:password@git.example.org/x.git",
    "https://git.example.org/x.git?a=b",
    "https://git.example.org/x.git#main",
    "https://git.example.org",
    "http://[::1]:80/x.git",
    "http://0x7f.1/x.git",
    "http://169.254.169.254/x.git",
    "https://10.0.0.1/x.git",
    "ssh://git@localhost/x.git",
    "git@127.0.0.1:x.git",
    "git@[::1]:x.git",
    "/srv/../etc",
    "file://host/x",
    "file:///srv/./x",
    "relative/path",
    "",
    "https://git.example.org/x\n.git",
    "ssh://git@10.1.2.3:22/x.git",
)


@pytest.mark.parametrize("url", REFUSED)
def test_addresses_that_are_no_repository_or_may_not_be_reached(strict_gate: Gate, url: str) -> None:
    place = strict_gate.workspace()
    with strict_gate.unchanged():
        answer = place.api().post(place.rest + "upstreams/", {"name": "modules", "kind": "git", "url": url})

    assert answer.status == 400, answer
    assert answer.json()["fields"]["url"]
    if "10.0.0.1" in url:
        assert "operator of the installation can allow it: ALLOWED_PRIVATE_NETWORKS=10.0.0.1/32" in answer.json()["fields"]["url"]


def test_an_address_is_judged_when_it_is_asked_too(strict_gate: Gate, modules: Modules) -> None:
    place = strict_gate.workspace()
    with GitServer(modules.repository.folder) as forge:
        made(place.api().post(place.rest + "upstreams/", {"name": "modules", "kind": "git", "url": "https://git.example.org/x.git"}))
        strict_gate.execute(
            "UPDATE upstreams_upstream SET url = ? WHERE url = ?", f"{forge.url}/modules.git", "https://git.example.org/x.git"
        )
        answer = ask(place)

        assert answer.status == 502
        assert "not public" in answer.json()["error"]
        assert not forge.seen


def test_what_is_refused_about_credentials(place: Place, forge: GitServer, add_git: Add) -> None:
    base = {"name": "modules", "kind": "git", "url": f"{forge.url}/modules.git"}
    ssh = {**base, "url": "ssh://git@git.example.org/x.git"}
    key = "-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n-----END OPENSSH PRIVATE KEY-----\n"
    for wish, field in (
        ({**base, "auth_type": "basic", "username": USER}, "secret"),
        ({**base, "auth_type": "basic", "secret": PASSWORD}, "username"),
        ({**base, "auth_type": "bearer", "secret": key}, "secret"),
        ({**ssh, "auth_type": "basic", "username": "git", "secret": key}, "auth_type"),
        ({**ssh, "auth_type": "bearer", "secret": "just a password"}, "secret"),
        ({**base, "auth_type": "basic", "username": USER, "secret": PASSWORD, "internal": True}, "patterns"),
        ({**base, "auth_type": "basic", "username": USER, "secret": PASSWORD, "internal": True, "patterns": ["*"]}, "patterns"),
        ({**base, "format": "moonbit"}, "format"),
        ({**base, "registry": "main"}, "url"),
    ):
        answer = place.api().post(place.rest + "upstreams/", wish)
        assert answer.status == 400, (wish, answer)
        assert field in answer.json()["fields"], (wish, answer)


def test_the_secret_does_not_follow_to_another_host(place: Place, add_git: Add, sshd: SshServer, modules: Modules) -> None:
    row = by_ssh(place, sshd, modules, sshd.private_key)
    address = f"{place.rest}upstreams/{row['id']}/"

    moved = place.api().patch(address, {"url": "git@git.example.org:x.git"})

    assert moved.status == 400
    assert moved.json()["code"] == "secret_required"


def test_a_public_registry_has_no_credentials(gate: Gate, forge: GitServer) -> None:
    place = gate.workspace(visibility="public")
    wish = {"name": "modules", "kind": "git", "url": f"{forge.url}/modules.git"}

    signed_in = place.api().post(place.rest + "upstreams/", {**wish, "auth_type": "basic", "username": USER, "secret": PASSWORD})

    assert signed_in.status == 400
    assert place.api().post(place.rest + "upstreams/", wish).status == 201


def test_another_repository_at_the_same_host_is_another(gate: Gate, place: Place, modules: Modules, forge: GitServer, add_git: Add) -> None:
    row = add_git(place)
    assert ask(place).status == 200
    modules.repository.git("init", "--quiet", "--bare", str(modules.repository.folder / "empty.git"))

    changed = place.api().patch(f"{place.rest}upstreams/{row['id']}/", {"url": f"{forge.url}/empty.git"})

    assert changed.status == 200, changed
    assert ask(place).status == 404


def test_a_host_that_does_not_answer_is_left_alone_for_a_while(place: Place, modules: Modules, sshd: SshServer) -> None:
    by_ssh(place, sshd, modules, sshd.private_key)
    sshd.stop()
    said = [place.as_("rita").get(f"/name-{number}") for number in range(30)]
    sshd.start()

    assert {answer.status for answer in said} == {503}
    assert "has not been answering" in said[-1].json()["error"]


def test_as_code(gate: Gate, place: Place, forge: GitServer, tmp_path: Path) -> None:
    file = tmp_path / "registry.toml"
    source = f'[[sources]]\nname = "modules"\nkind = "git"\nurl = "{forge.url}/modules.git"\npriority = 5\n'
    file.write_text(f'{source}[sources.auth]\ntype = "basic"\nusername = "{USER}"\npassword = "{PASSWORD}"\n')

    gate.server.manage("sources", "import", str(file), "--registry", f"{place.slug}/main")

    assert "1.2.0" in ask(place).json()["versions"]
    exported = gate.server.manage("sources", "export", "--registry", f"{place.slug}/main")
    assert 'kind = "git"' in exported
    assert PASSWORD not in exported
