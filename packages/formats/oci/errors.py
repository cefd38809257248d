"""What the OCI format refuses, with the codes of the Distribution Specification 1.1, section "Error codes". Pure."""

from packages.formats.errors import DocumentInvalid
from workspaces.errors import Invalid


class DigestInvalid(Invalid):
    """A digest outside the grammar, of an algorithm that is not known, or not that of the bytes."""

    code = "digest_invalid"


class ManifestInvalid(DocumentInvalid):
    """A manifest that cannot be read, or contradicts itself or its Content-Type."""

    code = "manifest_invalid"
