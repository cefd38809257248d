"""Signatures of versions: what was published here is vouched for by a key of its workspace.

As npm's registry signs: ECDSA P-256 with SHA-256 over `name@version:integrity`, base64 of the DER, and the key
named by the SHA-256 of its public half (docs of the npm registry, "registry signatures"). npm 11 `audit signatures`
and pnpm 12 check that. The private half lies in the database, sealed under OAUTH_PASSWORD.
"""

import base64
import hashlib
import logging
from dataclasses import dataclass
from datetime import timedelta

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from packages.models import Package, SigningKey, Version
from packages.services.epochs import bump_name
from workspaces import statements
from workspaces.access import Actor
from workspaces.models import Workspace
from workspaces.seal import SealBroken, seal, unseal
from workspaces.services.audit import SYSTEM, record

LOG = logging.getLogger(__name__)
PURPOSE = "gatehouse signing keys"
OVERLAP = timedelta(minutes=1)  # a publish that is under way at a rotation may still sign with the old key
BATCH = 200  # versions signed in one transaction
ALGORITHM = ec.ECDSA(SHA256())
CURRENT = "SELECT keyid FROM packages_signingkey WHERE workspace_id = %s AND expires_at IS NULL"
_opened: dict[tuple[int, str], ec.EllipticCurvePrivateKey] = {}  # of this process; a key never changes under its keyid


@dataclass(frozen=True)
class Signature:
    """A signature and the key it is checked with; both empty: none."""

    keyid: str = ""
    value: str = ""


UNSIGNED = Signature()


def current_keyid(workspace_id: int) -> str:
    """The key that signs now, "" when the workspace has none yet."""
    row = statements.row(CURRENT, [workspace_id])
    return row[0] if row is not None else ""


def sign(workspace_id: int, keyid: str | None, what: str) -> Signature:
    """Sign `name@version:integrity` with the workspace's present key `keyid`; the first signature of all makes the key.

    Inside the transaction that records the version. A key that cannot be opened any more (another OAUTH_PASSWORD) is
    replaced: what it signed stays verifiable, and publishing goes on.
    """
    try:
        keyid = keyid or _make_key(workspace_id)
        private = _private(workspace_id, keyid)
    except SealBroken:
        LOG.warning("the signing key %s of workspace %s cannot be opened with this OAUTH_PASSWORD; it is replaced", keyid, workspace_id)
        keyid = rotate(actor=SYSTEM, workspace=Workspace.objects.get(pk=workspace_id))
        private = _private(workspace_id, keyid)
    return Signature(keyid, base64.b64encode(private.sign(what.encode("utf-8"), ALGORITHM)).decode("ascii"))


@transaction.atomic
def rotate(*, actor: Actor, workspace: Workspace) -> str:
    """Sign with a new key from now on; returns its keyid. The old one is listed on with its end, for what it signed before."""
    Workspace.objects.select_for_update(no_key=True).get(pk=workspace.pk)
    old = SigningKey.objects.filter(workspace=workspace, expires_at=None).first()
    if old is not None:
        old.expires_at = timezone.now() + OVERLAP
        old.save(update_fields=["expires_at"])
    keyid = _make_key(workspace.pk)
    before = {"keyid": old.keyid} if old is not None else None
    record(actor, "signing_key.rotated", workspace.slug, workspace=workspace, old=before, new={"keyid": keyid})
    return keyid


def sign_missing(*, workspace: Workspace | None = None, limit: int | None = None) -> int:
    """Sign the npm versions that were published before there were signatures; returns how many.

    In batches, a transaction each, so that nobody waits long; `limit` bounds how many in one call.
    """
    signed = 0
    while limit is None or signed < limit:
        done = _sign_batch(workspace, BATCH if limit is None else min(BATCH, limit - signed))
        if not done:
            break
        signed += done
    return signed


def unsigned(workspace: Workspace | None = None) -> int:
    """How many versions of our own have no signature yet."""
    return _unsigned(workspace).count()


@transaction.atomic
def _sign_batch(workspace: Workspace | None, size: int) -> int:
    """The oldest ones; packages in one order, so that two who sign at once wait for each other and never in a circle."""
    rows = _unsigned(workspace).order_by("id").values_list("id", "package_id")[:size]
    packages = Package.objects.select_related("registry").filter(pk__in={package_id for _, package_id in rows})
    chosen = {version_id for version_id, _ in rows}
    signed = 0
    for package in sorted(packages, key=lambda one: (one.registry.workspace_id, one.format, one.folded, one.pk)):
        bump_name(package.registry.workspace_id, package.format, package.folded)
        keyid = current_keyid(package.registry.workspace_id)
        for version in Version.objects.filter(package=package, pk__in=chosen, signed_by="").defer("manifest"):
            signature = sign(package.registry.workspace_id, keyid, f"{package.name}@{version.version}:{version.integrity}")
            Version.objects.filter(pk=version.pk).update(signed_by=signature.keyid, signature=signature.value)
            keyid, signed = signature.keyid, signed + 1
    return signed


def _unsigned(workspace: Workspace | None) -> QuerySet[Version]:
    found = Version.objects.filter(signed_by="", package__format="npm").exclude(origin=Version.Origin.PULLED)
    return found.filter(package__registry__workspace=workspace) if workspace is not None else found


def _make_key(workspace_id: int) -> str:
    """The present key of a workspace that has none; when two make one at once, the first one's."""
    private = ec.generate_private_key(ec.SECP256R1())
    public = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode("ascii")
    key = SigningKey(workspace_id=workspace_id, keyid=keyid_of(public), public_key=public, private_sealed=seal(pem, PURPOSE))
    SigningKey.objects.bulk_create([key], ignore_conflicts=True)
    return current_keyid(workspace_id)


def keyid_of(public_key: bytes) -> str:
    """The name of a key by its SPKI in DER, as npm names its own."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(public_key).digest()).decode("ascii")


def _private(workspace_id: int, keyid: str) -> ec.EllipticCurvePrivateKey:
    """The private half, opened once per process. Raises SealBroken."""
    found = _opened.get((workspace_id, keyid))
    if found is None:
        sealed = SigningKey.objects.values_list("private_sealed", flat=True).get(workspace_id=workspace_id, keyid=keyid)
        opened = load_pem_private_key(unseal(bytes(sealed), PURPOSE).encode("ascii"), password=None)
        if not isinstance(opened, ec.EllipticCurvePrivateKey):
            raise SealBroken("a stored signing key is of another kind")
        found = _opened[workspace_id, keyid] = opened
    return found
