"""HTTPS: a certificate that is trusted, and those that are not; git and our own client judge by the same authorities."""

from pathlib import Path

import pytest

from tests.parts.certificates import Authority, self_signed
from tests.parts.repository import GitServer, Repository
from upstreams.clients.git.address import parse
from upstreams.clients.git.remote import GitTarget, fetch, list_refs
from upstreams.clients.guard import parse_network
from upstreams.clients.http import Target, basic
from upstreams.errors import UpstreamError, UpstreamUnreachable

LOOPBACK = (parse_network("127.0.0.0/8"),)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "forge")


def target(server: GitServer, folder: Path) -> GitTarget:
    url = f"{server.url}/modules.git"
    web = Target(name="m", url=url, authorization=basic("u", "a-password"), allowed=LOOPBACK)
    return GitTarget(name="m", address=parse(url), folder=folder / "mirror", web=web, allowed=LOOPBACK)


def test_a_trusted_certificate(repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = Authority(tmp_path, "authority")
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.path))
    commit = repository.commit({"package.json": {"name": "mod", "version": "1.0.0"}})
    with GitServer(repository.folder, username="u", password="a-password", context=authority.context()) as server:
        place = target(server, tmp_path)
        assert list_refs(place).branches == {"main": commit}
        fetch(place, {"refs/heads/main": commit})

    assert (place.repository / "refs/held" / commit).exists()
    kept = b"".join(path.read_bytes() for path in place.folder.glob("**/*") if path.is_file())
    assert b"a-password" not in kept
    assert basic("u", "a-password").split()[1].encode() not in kept


def test_certificates_that_are_not(repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority, other = Authority(tmp_path, "authority"), Authority(tmp_path, "other")
    commit = repository.commit({"package.json": {"name": "mod", "version": "1.0.0"}})
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.path))
    for context in (other.context(), self_signed(tmp_path), authority.context(host="127.0.0.2")):
        with GitServer(repository.folder, context=context) as server:
            place = target(server, tmp_path)
            with pytest.raises(UpstreamUnreachable, match="TLS"):
                list_refs(place)
            with pytest.raises(UpstreamUnreachable, match="TLS"):
                fetch(place, {"refs/heads/main": commit})
            assert not server.seen


def test_a_machine_without_git(repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    place = GitTarget(name="m", address=parse(str(repository.bare)), folder=tmp_path / "mirror")

    with pytest.raises(UpstreamError, match="needs the program git") as found:
        list_refs(place)

    assert found.value.cause == "program"
