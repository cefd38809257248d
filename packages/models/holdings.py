"""Packages of every format: package, version, tag, file, blob, and what the internal rule remembers of names.

npm package, OCI repository, Entropic package and MoonBit module are all `Package(registry, format, name)`.

An index is a page more to write with every publish, so none is kept that another one begins with: foreign keys have
`db_index=False` where a constraint leads with them, and `unique=True`, which on PostgreSQL is two indexes for a text,
is spelled as a constraint. A young table's statistics would also make PostgreSQL choose the shorter one, which reads
every package of a registry. A constraint on a foreign key is a look at the other row, and a lock on it that publishers of
one workspace share: rows that mean nothing once the other is gone do without (`db_constraint=False`).
"""

from django.db import models

from registries.models import Registry
from workspaces.models import Membership, User, Workspace

NAME_LENGTH = 256


class Format(models.TextChoices):
    """The protocols whose packages a registry holds."""

    NPM = "npm"
    OCI = "oci"
    ENTROPIC = "entropic"
    MOONBIT = "moonbit"


class Package(models.Model):
    """A name in a registry. `folded` is its canonical form for the rule, `revision` grows with each write."""

    registry = models.ForeignKey(Registry, on_delete=models.CASCADE, related_name="packages", db_index=False)
    format = models.CharField(max_length=8, choices=Format.choices)
    name = models.CharField(max_length=NAME_LENGTH)
    folded = models.CharField(max_length=NAME_LENGTH)
    revision = models.BigIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ("name",)
        constraints = (models.UniqueConstraint(fields=("registry", "format", "name"), name="one_package_name_each"),)
        indexes = (models.Index(fields=("format", "folded")), models.Index(fields=("registry", "-updated_at", "id")))

    def __str__(self) -> str:
        return self.name


class Version(models.Model):
    """One immutable version of a package; flags and deprecation may change, bytes never."""

    class Origin(models.TextChoices):
        """How the version came here."""

        PUBLISHED = "published"
        PUSHED = "pushed"
        PULLED = "pulled"
        UPLOADED = "uploaded"

    package = models.ForeignKey(Package, on_delete=models.CASCADE, related_name="versions", db_index=False)
    version = models.CharField(max_length=256)
    manifest = models.BinaryField()  # JSON bytes as the format serves them; not jsonb, which reorders keys and refuses NUL
    is_internal = models.BooleanField()
    origin = models.CharField(max_length=9, choices=Origin.choices)
    integrity = models.CharField(max_length=256)  # SRI, "sha512-…"
    shasum = models.CharField(max_length=40, blank=True)  # SHA-1 in hex, as old npm clients check it
    size = models.BigIntegerField(default=0)  # bytes of all files
    deprecated = models.CharField(max_length=4096, blank=True)
    is_yanked = models.BooleanField(default=False)
    published_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False)
    published_by_name = models.CharField(max_length=128, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    differences = models.JSONField(default=list, db_default=[])  # where its document and its file disagree: [{field, document, tarball}]
    signed_by = models.CharField(max_length=64, blank=True, default="", db_default="")  # the keyid of our signature, if we signed it
    signature = models.CharField(max_length=160, blank=True, default="", db_default="")  # base64 DER of ECDSA P-256

    class Meta:
        constraints = (models.UniqueConstraint(fields=("package", "version"), name="one_version_number_each"),)
        indexes = (
            models.Index(fields=("package", "is_internal", "origin")),  # what a list of packages asks of each without reading rows
            models.Index(fields=("id",), condition=models.Q(signed_by="") & ~models.Q(origin="pulled"), name="versions_to_sign"),
        )

    def __str__(self) -> str:
        return self.version


class Tag(models.Model):
    """A movable name for a version: npm dist-tag, OCI tag."""

    package = models.ForeignKey(Package, on_delete=models.CASCADE, related_name="tags", db_index=False)
    name = models.CharField(max_length=256)
    version = models.ForeignKey(Version, on_delete=models.CASCADE, related_name="tags")

    class Meta:
        ordering = ("name",)
        constraints = (models.UniqueConstraint(fields=("package", "name"), name="one_tag_name_each"),)

    def __str__(self) -> str:
        return self.name


class Blob(models.Model):
    """Bytes in storage, once per installation, addressed by SHA-256 (hex)."""

    sha256 = models.CharField(max_length=64)
    sha512 = models.CharField(max_length=128)  # hex
    sha1 = models.CharField(max_length=40)  # hex
    size = models.BigIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("sha256",), name="one_blob_each"),)  # no `unique=True`: see above

    def __str__(self) -> str:
        return self.sha256


class BlobLink(models.Model):
    """A package's right to a blob: bytes are shared, readability is not."""

    package = models.ForeignKey(Package, on_delete=models.CASCADE, related_name="blob_links", db_index=False)
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="links")

    class Meta:
        constraints = (models.UniqueConstraint(fields=("package", "blob"), name="one_link_each"),)

    def __str__(self) -> str:
        return f"{self.package_id} -> {self.blob_id}"


class File(models.Model):
    """A file of a version under the name clients ask for, e.g. `left-pad-1.3.0.tgz`."""

    version = models.ForeignKey(Version, on_delete=models.CASCADE, related_name="files", db_index=False)
    name = models.CharField(max_length=512)
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="files")

    class Meta:
        constraints = (models.UniqueConstraint(fields=("version", "name"), name="one_file_name_each"),)

    def __str__(self) -> str:
        return self.name


class Star(models.Model):
    """A member likes a package (`npm star`). It goes with the membership."""

    package = models.ForeignKey(Package, on_delete=models.CASCADE, related_name="stars", db_index=False)
    member = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="stars")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("package", "member"), name="one_star_each"),)

    def __str__(self) -> str:
        return f"{self.member_id} likes {self.package_id}"


class RetiredVersion(models.Model):
    """A version number that was deleted and is never given out again in this registry."""

    registry = models.ForeignKey(Registry, on_delete=models.CASCADE, related_name="+", db_index=False)
    format = models.CharField(max_length=8, choices=Format.choices)
    name = models.CharField(max_length=NAME_LENGTH)
    version = models.CharField(max_length=256)
    retired_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("registry", "format", "name", "version"), name="one_retirement_each"),)

    def __str__(self) -> str:
        return f"{self.name}@{self.version}"


class NameEpoch(models.Model):
    """A counter per canonical name and workspace, bumped in every transaction that changes the name's facts."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    format = models.CharField(max_length=8, choices=Format.choices)
    name = models.CharField(max_length=NAME_LENGTH)
    epoch = models.BigIntegerField(default=1)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("workspace", "format", "name"), name="one_epoch_each"),)

    def __str__(self) -> str:
        return f"{self.name}: {self.epoch}"


class Tombstone(models.Model):
    """Keeps a canonical name internal after its internal versions are gone (RULE.md).

    With `registry` None it holds in the whole workspace (a published version was deleted); otherwise in that
    registry and those chained to it (an internal upstream answered for the name there).
    """

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="tombstones", db_index=False)
    registry = models.ForeignKey(Registry, on_delete=models.CASCADE, null=True, related_name="tombstones")
    format = models.CharField(max_length=8, choices=Format.choices)
    name = models.CharField(max_length=NAME_LENGTH)
    reason = models.CharField(max_length=300)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("workspace", "format", "name"), condition=models.Q(registry=None), name="one_tombstone_everywhere"
            ),
            models.UniqueConstraint(
                fields=("workspace", "registry", "format", "name"), condition=~models.Q(registry=None), name="one_tombstone_each"
            ),
        )
        indexes = (models.Index(fields=("workspace", "format", "name")),)

    def __str__(self) -> str:
        return self.name


class SigningKey(models.Model):
    """A workspace's key for signing versions. A key that has an end signs no more, but vouches for what it signed before.

    Per workspace, not per installation: what is signed is `name@version:integrity` and says nothing of where, so with
    one key for all whoever publishes @acme/x in another workspace would hold a signature that is good in acme's.
    """

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="signing_keys", db_index=False)
    keyid = models.CharField(max_length=64)  # "SHA256:" and the base64 of the SHA-256 of the public key
    public_key = models.BinaryField()  # SPKI in DER
    private_sealed = models.BinaryField()  # PKCS #8 in PEM, encrypted under OAUTH_PASSWORD
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(fields=("workspace", "keyid"), name="one_signing_key_each"),
            models.UniqueConstraint(fields=("workspace",), condition=models.Q(expires_at=None), name="one_present_signing_key"),
        )

    def __str__(self) -> str:
        return self.keyid
