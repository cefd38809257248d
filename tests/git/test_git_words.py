"""Addresses, what git is started with, and what is made of what it says: pure, as tables."""

import os
from pathlib import Path

import pytest

from upstreams.clients.git.address import AddressInvalid, Way, parse
from upstreams.clients.git.command import environment
from upstreams.clients.git.refs import NoAdvertisement, read_advertisement, read_listing
from upstreams.clients.git.remote import GitTarget, ssh_command
from upstreams.clients.git.trouble import meaning
from upstreams.services.git.targets import split_key

ONE, TWO = "1" * 40, "2" * 40


@pytest.mark.parametrize(
    ("text", "way", "host", "port"),
    [
        ("https://git.example.org/x.git", Way.HTTPS, "git.example.org", 443),
        ("http://git.example.org:3000/a/b/x", Way.HTTP, "git.example.org", 3000),
        ("ssh://git@git.example.org/x.git", Way.SSH, "git.example.org", 22),
        ("ssh://git@git.example.org:2222/~/x.git", Way.SSH, "git.example.org", 2222),
        ("git@git.example.org:x.git", Way.SSH, "git.example.org", 22),
        ("git@git.example.org:/srv/x.git", Way.SSH, "git.example.org", 22),
        ("git@[2001:db8::1]:x.git", Way.SSH, "2001:db8::1", 22),
        ("https://[2001:db8::1]:8443/x.git", Way.HTTPS, "2001:db8::1", 8443),
        ("/srv/git/x.git", Way.FILE, "", 0),
        ("file:///srv/git/x.git", Way.FILE, "", 0),
    ],
)
def test_addresses(text: str, way: Way, host: str, port: int) -> None:
    found = parse(text)

    assert (found.way, found.host, found.port) == (way, host, port)


@pytest.mark.parametrize(
    "text",
    [
        "-x", "--upload-pack=x:y", "ext::x", "git@-host:x", "-user@host:x", "git@host:-x", "git@host: x", "git@host:/-x", "ssh://host",
        "ssh://a b/x", "https://u@h/x", "https://h/x?q", "https://h/x#f", "https://h:0/x", "https://h:99999/x", "https://h/", "ftp://h/x",
        "git://h/x", "/a/../b", "/a//b", "//host/x", "file://h/x", "x", "", "x\n", "git@ho st:x", "git@host:x\x00", "https://h_x/x",
        "h" * 600,
        "ssh://g;it@h/x", "ssh://$(x)@h/x", "git@$(x):y",
    ],
)  # fmt: skip
def test_no_addresses(text: str) -> None:
    with pytest.raises(AddressInvalid):
        parse(text)


def pkt(*lines: str) -> bytes:
    return b"".join(f"{len(line.encode()) + 4:04x}{line}".encode() if line else b"0000" for line in lines)


def test_an_advertisement() -> None:
    found = read_advertisement(
        pkt(
            "# service=git-upload-pack\n", "", f"{ONE} HEAD\0multi_ack symref=HEAD:refs/heads/trunk agent=git/2\n",
            f"{ONE} refs/heads/trunk\n",
            f"{TWO} refs/heads/-x\n", f"{TWO} refs/pull/1/head\n", f"{TWO} refs/tags/v1\n", f"{ONE} refs/tags/v1^{{}}\n",
            f"{'0' * 40} refs/heads/nothing\n", f"{TWO} refs/heads/a..b\n", "",
        )
    )  # fmt: skip

    assert (found.head, found.default) == (ONE, "trunk")
    assert (found.branches, found.tags) == ({"trunk": ONE}, {"v1": ONE})


def test_a_listing() -> None:
    found = read_listing(f"ref: refs/heads/dev\tHEAD\n{ONE}\tHEAD\n{ONE}\trefs/heads/dev\n{TWO}\trefs/heads/feat/x\n")

    assert (found.default, found.branches) == ("dev", {"dev": ONE, "feat/x": TWO})


@pytest.mark.parametrize(
    "empty", [pkt("# service=git-upload-pack\n", "", ""), pkt("# service=git-upload-pack\n", "", f"{'0' * 40} capabilities^{{}}\0x\n", "")]
)
def test_an_empty_repository(empty: bytes) -> None:
    assert not read_advertisement(empty).branches


@pytest.mark.parametrize(
    "data",
    [b"", b"<html>", b"0000", pkt("# service=git-receive-pack\n", ""), b"ffff# service=git-upload-pack\n", b"-001", pkt(f"{ONE} HEAD\n")],
)
def test_no_advertisement(data: bytes) -> None:
    with pytest.raises(NoAdvertisement):
        read_advertisement(data)


@pytest.mark.parametrize(
    ("said", "code", "cause"),
    [
        ("fatal: Authentication failed for 'https://x'", "upstream_unauthorized", ""),
        ("git@x: Permission denied (publickey).", "upstream_unauthorized", ""),
        ("Host key verification failed.", "host_key_changed", "host_key"),
        ('Load key "/proc/1/fd/3": invalid format\ngit@x: Permission denied (publickey).', "upstream_unauthorized", "key"),
        ("fatal: unable to access 'https://x/': The requested URL returned error: 503", "upstream_unreachable", ""),
        ("fatal: unable to access 'https://x/': The requested URL returned error: 301", "upstream_bad_answer", "redirected"),
        ("fatal: repository 'https://x/' not found", "upstream_bad_answer", "not_a_repository"),
        ("ssh: connect to host x port 22: Connection refused", "upstream_unreachable", "refused"),
        ("ssh: connect to host x port 22: Connection timed out", "upstream_timeout", ""),
        ("SSL certificate problem: self-signed certificate", "upstream_unreachable", "tls"),
        ("error: object abc: hasDotdot: contains '..'\nfatal: fsck error in packed object", "upstream_bad_answer", "damaged"),
        ("fatal: detected dubious ownership in repository at '/srv'", "upstream_bad_answer", "foreign"),
        ("something nobody has seen", "upstream_unreachable", "broken"),
        ("", "upstream_unreachable", "broken"),
    ],
)
def test_what_git_says(said: str, code: str, cause: str) -> None:
    found = meaning("modules", said)

    assert (found.code, found.cause) == (code, cause)
    assert "modules" in found.message
    assert "https://x" not in found.message, "what it said is not repeated"


def test_nobody_elses_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "GIT_SSH_COMMAND",
        "GIT_PROXY_COMMAND",
        "HTTPS_PROXY",
        "https_proxy",
        "GIT_DIR",
        "GIT_TRACE",
        "SSH_AUTH_SOCK",
        "GIT_CONFIG_PARAMETERS",
    ):
        monkeypatch.setenv(name, "/evil")
    monkeypatch.setenv("SSL_CERT_FILE", "/etc/ours.pem")
    found = environment([("http.x.extraHeader", "Authorization: y")])

    assert "/evil" not in found.values()
    assert (found["GIT_TERMINAL_PROMPT"], found["GIT_ALLOW_PROTOCOL"], found["GIT_CONFIG_GLOBAL"]) == ("0", "none", os.devnull)
    settings = {found[f"GIT_CONFIG_KEY_{number}"]: found[f"GIT_CONFIG_VALUE_{number}"] for number in range(int(found["GIT_CONFIG_COUNT"]))}
    assert settings["http.sslCAInfo"] == "/etc/ours.pem"
    assert settings["http.followRedirects"] == "false"
    assert settings["transfer.fsckObjects"] == "true"


def test_the_words_for_ssh() -> None:
    target = GitTarget(name="m", address=parse("git@git.example.org:x.git"), folder=Path("/data/a b"), private_key="k")
    words = ssh_command(target, address="192.0.2.7", key="/proc/1/fd/9", known="/data/a b/known_hosts")

    for part in (
        "HostName=192.0.2.7",
        "HostKeyAlias=git.example.org",
        "StrictHostKeyChecking=accept-new",
        "IdentityAgent=none",
        "ProxyCommand=none",
    ):
        assert f"-o {part}" in words
    assert "'UserKnownHostsFile=\"/data/a b/known_hosts\"'" in words
    given = GitTarget(name="m", address=parse("ssh://git@git.example.org:2222/x.git"), folder=Path("/d"), private_key="k", known_hosts="x")
    words = ssh_command(given, address="192.0.2.7", key="k", known="h")
    assert "StrictHostKeyChecking=yes" in words
    assert "HostKeyAlias=[git.example.org]:2222" in words


def test_a_key_and_the_hosts_behind_it() -> None:
    key = "-----BEGIN X PRIVATE KEY-----\r\nabc\r\n-----END X PRIVATE KEY-----"

    assert split_key(key) == ("-----BEGIN X PRIVATE KEY-----\nabc\n-----END X PRIVATE KEY-----\n", "")
    assert split_key(f"{key}\r\n# a note\r\nhost ssh-ed25519 AAAA\r\n\r\n")[1] == "host ssh-ed25519 AAAA\n"
