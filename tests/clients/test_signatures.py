"""The clients that check signatures find ours and the upstreams' good, none missing, and notice when one is not."""

import base64
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.clients.projects import write_package
from tests.parts.clients import Client
from tests.parts.gate import Gate, Place
from tests.parts.pack import pack
from tests.parts.recorder import Recorder

pytestmark = [pytest.mark.npm, pytest.mark.parametrize("gate", ["sqlite"], indirect=True)]
Clients = Callable[..., Client]
NO_TUF = Path(__file__).with_name("no_tuf.cjs")  # npm asks a repository on the internet first, which tests do not reach
CHECKING = ("npm-9", "npm-10", "npm-11", "npm-12", "pnpm-12")
SCHEME = "ecdsa-sha2-nistp256"


@pytest.fixture
def signed(place: Place, recorder: Recorder) -> Place:
    """A registry with a version of its own and an upstream that signs another."""
    private = ec.generate_private_key(ec.SECP256R1())
    public = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    key = {"keyid": "SHA256:theirs", "keytype": SCHEME, "scheme": SCHEME, "key": base64.b64encode(public).decode(), "expires": None}
    recorder.answers["/-/npm/v1/keys"] = {"keys": [key]}
    packed = pack("signed-outside")
    signature = private.sign(f"signed-outside@1.0.0:{packed.integrity}".encode(), ec.ECDSA(SHA256()))
    recorder.offer(packed, signatures=[{"keyid": "SHA256:theirs", "sig": base64.b64encode(signature).decode()}])
    place.upstream(recorder)
    place.publish(pack("@acme/ours", dependencies={"signed-outside": "1.0.0"}))
    return place


def checking(client: Clients, place: Place, tool: str) -> Client:
    """A project that has installed both."""
    rita = client(tool, place, "rita")
    if tool.startswith("npm"):
        rita.env["NODE_OPTIONS"] = f"--require {NO_TUF}"
    write_package(rita.project, "an-app", dependencies={"@acme/ours": "*"})
    rita.run("install")
    return rita


@pytest.mark.parametrize("tool", CHECKING)
def test_finds_nothing_missing_also_after_a_rotation(signed: Place, client: Clients, gate: Gate, tool: str) -> None:
    rita = checking(client, signed, tool)
    said = rita.run("audit", "signatures").said
    assert "2 packages have verified registry signatures" in said
    assert "missing" not in said
    gate.execute("UPDATE packages_signingkey SET expires_at = '2999-01-01 00:00:00' WHERE expires_at IS NULL")  # as a rotation does
    signed.publish(pack("@acme/newer"))
    write_package(rita.project, "an-app", dependencies={"@acme/ours": "*", "@acme/newer": "*"})
    rita.run("install")
    assert "3 packages have verified registry signatures" in rita.run("audit", "signatures").said
    keys = signed.as_("rita").get("/-/npm/v1/keys").json()["keys"]
    assert [key["expires"] is None for key in keys] == [True, False, True]


@pytest.mark.parametrize("tool", ["npm-11", "pnpm-12"])
def test_notices_a_signature_of_other_bytes(signed: Place, client: Clients, gate: Gate, tool: str) -> None:
    rita = checking(client, signed, tool)
    other = signed.publish(pack("@acme/other"))
    assert other.status == 201
    gate.execute(
        "UPDATE packages_version SET signature = (SELECT v.signature FROM packages_version v JOIN packages_package p ON"
        " p.id = v.package_id WHERE p.name = '@acme/other') WHERE signature != ''"
    )
    signed.publish(pack("@acme/ours", "0.0.1"), tag="old")  # so that the document is made anew
    said = rita.refused("audit", "signatures").said
    assert "invalid" in said
    assert "@acme/ours" in said
