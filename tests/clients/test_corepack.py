"""corepack takes package managers from the registry, and checks their signatures."""

import base64
import json
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.parts.clients import Client
from tests.parts.gate import Place
from tests.parts.pack import Packed, pack
from tests.parts.recorder import Recorder

pytestmark = [pytest.mark.npm, pytest.mark.parametrize("gate", ["sqlite"], indirect=True)]
Clients = Callable[..., Client]
KEY_ID = "SHA256:a-key-of-the-upstream"


def manager(name: str, version: str, program: str) -> Packed:
    """A package manager that only says its version."""
    said = f"console.log('{name} {version} from the registry')\n".encode()
    return pack(name, version, files={program: said}, bin={"pnpm": program})


def keys(public: ec.EllipticCurvePublicKey) -> str:
    """What COREPACK_INTEGRITY_KEYS is told to trust."""
    der = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return json.dumps({"npm": [{"keyid": KEY_ID, "key": base64.b64encode(der).decode()}]})


def offer_signed(outer: Recorder, packed: Packed, private: ec.EllipticCurvePrivateKey) -> None:
    """Offer it as the public registry does: signed."""
    signature = private.sign(f"{packed.name}@{packed.version}:{packed.integrity}".encode(), ec.ECDSA(hashes.SHA256()))
    outer.offer(packed, signatures=[{"keyid": KEY_ID, "sig": base64.b64encode(signature).decode()}])


def test_the_upstreams_signature_is_checked(town: Place, client: Clients, outer: Recorder) -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    offer_signed(outer, manager("pnpm", "9.1.0", "bin/pnpm.cjs"), private)
    rita = client("corepack", town, "rita")
    rita.env = {"COREPACK_INTEGRITY_KEYS": keys(private.public_key())}
    (rita.project / "package.json").write_text('{"name": "an-app"}', encoding="utf-8")
    rita.run("use", "pnpm@9.1.0")

    pinned = json.loads((rita.project / "package.json").read_text(encoding="utf-8"))["packageManager"]
    assert pinned.startswith("pnpm@9.1.0+sha512.")
    assert rita.run("pnpm", "--version").out.strip() == "pnpm 9.1.0 from the registry"
    assert rita.run("prepare", "pnpm@latest", "--activate").code == 0


def test_another_key_is_refused(town: Place, client: Clients, outer: Recorder) -> None:
    offer_signed(outer, manager("npm", "9.2.0", "bin/npm-cli.js"), ec.generate_private_key(ec.SECP256R1()))
    rita = client("corepack", town, "rita")
    rita.env = {"COREPACK_INTEGRITY_KEYS": keys(ec.generate_private_key(ec.SECP256R1()).public_key())}

    assert "Signature does not match" in (done := rita.refused("npm@9.2.0", "--version")).said, str(done)


def test_our_own_signature_is_checked(place: Place, client: Clients) -> None:
    place.publish(manager("pnpm", "9.5.0", "bin/pnpm.cjs"))
    rita = client("corepack", place, "rita")
    rita.env = {"COREPACK_INTEGRITY_KEYS": json.dumps({"npm": place.as_("rita").get("/-/npm/v1/keys").json()["keys"]})}

    assert rita.run("pnpm@9.5.0", "--version").out.strip() == "pnpm 9.5.0 from the registry"


def test_a_scoped_package_manager(town: Place, client: Clients, outer: Recorder) -> None:
    outer.offer(manager("@yarnpkg/cli-dist", "4.1.0", "bin/yarn.js"))
    rita = client("corepack", town, "rita")
    rita.env = {"COREPACK_INTEGRITY_KEYS": "0"}

    assert rita.run("yarn@4.1.0", "--version").out.strip() == "@yarnpkg/cli-dist 4.1.0 from the registry"


def test_without_a_token_it_is_told_to_sign_in(town: Place, client: Clients) -> None:
    assert "401" in (done := client("corepack", town).refused("pnpm@9.1.0", "--version")).said, str(done)
