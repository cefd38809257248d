"""Upstreams, what they answered, where versions came from, and the documents the rule rendered."""

from collections.abc import Mapping

from django.db import models

from packages.formats.npm.sent import Sent
from packages.models import NAME_LENGTH, Format, Version
from registries.models import Registry


class Upstream(models.Model):
    """A source a registry may ask, in priority order (lower first, ties by age)."""

    class Kind(models.TextChoices):
        """What kind of source it is."""

        REGISTRY = "registry"
        URL = "url"
        GIT = "git"

    class AuthType(models.TextChoices):
        """How we prove who we are to it."""

        NONE = "none"
        BEARER = "bearer"
        BASIC = "basic"

    class IndexType(models.TextChoices):
        """How a MoonBit upstream gives its index away."""

        GIT = "git"
        HTTP = "http"

    registry = models.ForeignKey(Registry, on_delete=models.CASCADE, related_name="upstreams", db_index=False)
    name = models.CharField(max_length=40)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    format = models.CharField(max_length=8, choices=Format.choices, default=Format.NPM)
    url = models.CharField(max_length=500, blank=True)
    source = models.ForeignKey(Registry, on_delete=models.CASCADE, null=True, related_name="feeds")
    priority = models.PositiveIntegerField(default=100)
    is_enabled = models.BooleanField(default=True)
    is_internal = models.BooleanField(default=False)
    patterns = models.JSONField(default=list)  # globs over canonical names; [] is every name
    auth_type = models.CharField(max_length=6, choices=AuthType.choices, default=AuthType.NONE)
    username = models.CharField(max_length=200, blank=True)
    secret_sealed = models.BinaryField(default=b"")  # encrypted under OAUTH_PASSWORD, variables unexpanded; empty: none
    secret_shown = models.CharField(max_length=500, blank=True, default="", db_default="")  # the same where it is nothing but ${…}
    is_operators = models.BooleanField(default=False, db_default=False)  # saved by an operator: ${UPSTREAM_…} is the environment's
    allows_push = models.BooleanField(default=False, db_default=False)  # admins may publish with those variables: an operator's word
    index_url = models.CharField(max_length=500, blank=True, default="", db_default="")  # of MoonBit; '' is the usual place below `url`
    index_type = models.CharField(max_length=4, choices=IndexType.choices, default=IndexType.GIT, db_default="git")
    package_url_pattern = models.CharField(max_length=500, blank=True, default="", db_default="")
    # Seconds; None is the installation's own setting.
    negative_ttl = models.PositiveIntegerField(null=True)
    connect_timeout = models.PositiveIntegerField(null=True)
    read_timeout = models.PositiveIntegerField(null=True)
    total_timeout = models.PositiveIntegerField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("priority", "id")
        constraints = (models.UniqueConstraint(fields=("registry", "name"), name="one_upstream_name_each"),)

    def __str__(self) -> str:
        return self.name


class UpstreamDocument(models.Model):
    """What an upstream last said about a name: its metadata as received, or that it has none."""

    upstream = models.ForeignKey(Upstream, on_delete=models.CASCADE, related_name="documents", db_index=False)
    name = models.CharField(max_length=NAME_LENGTH)
    is_present = models.BooleanField()
    etag = models.CharField(max_length=500, blank=True)
    last_modified = models.CharField(max_length=100, blank=True)
    body = models.BinaryField(default=b"")  # gzip of the JSON received
    digest = models.CharField(max_length=64, blank=True)  # SHA-256 of what was received, as it came
    fetched_at = models.DateTimeField()
    fresh_until = models.DateTimeField()
    sent: Sent | None = None  # no column: the body, where it has just been received
    pins: Mapping[str, str] | None = None  # no column: what its registry holds its versions to, where that has just been read

    class Meta:
        constraints = (models.UniqueConstraint(fields=("upstream", "name"), name="one_upstream_document_each"),)

    def __str__(self) -> str:
        return self.name


class GitListing(models.Model):
    """The last complete listing of a Git upstream: until when it counts, and the names it has."""

    upstream = models.OneToOneField(Upstream, on_delete=models.CASCADE, related_name="listing")
    refs_digest = models.CharField(max_length=64)  # SHA-256 of the branches and tags with their commits: equal means nothing to list anew
    names = models.JSONField(default=list)
    fetched_at = models.DateTimeField()
    fresh_until = models.DateTimeField()

    def __str__(self) -> str:
        return self.refs_digest


class IndexCommit(models.Model):
    """One commit of the MoonBit index that a registry serves: what it changed, of which every host makes the same history."""

    registry = models.ForeignKey(Registry, on_delete=models.CASCADE, related_name="+", db_index=False)
    number = models.PositiveIntegerField()
    is_root = models.BooleanField()  # a history begins: what went before is nobody's business any more
    is_public = models.BooleanField()  # the registry was public when this was written
    changes = models.BinaryField()  # gzip of a JSON object: path -> text, or null for a file that is gone
    created_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("registry", "number"), name="one_index_commit_each"),)

    def __str__(self) -> str:
        return f"{self.registry_id}: {self.number}"


class Pin(models.Model):
    """The integrity of every version of a name as this registry first saw it: first bytes win."""

    registry = models.ForeignKey(Registry, on_delete=models.CASCADE, related_name="+", db_index=False)
    format = models.CharField(max_length=8, choices=Format.choices)
    name = models.CharField(max_length=NAME_LENGTH)
    integrities = models.BinaryField(default=b"{}")  # JSON object: version -> SRI ("sha1-…" where that is all there was)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("registry", "format", "name"), name="one_pin_each"),)

    def __str__(self) -> str:
        return self.name


class Origin(models.Model):
    """Which upstream a pulled version came from; the name survives the upstream's deletion."""

    version = models.OneToOneField(Version, on_delete=models.CASCADE, related_name="upstream_origin")
    upstream = models.ForeignKey(Upstream, on_delete=models.SET_NULL, null=True, related_name="+")
    upstream_name = models.CharField(max_length=40)
    address = models.CharField(max_length=1000)

    def __str__(self) -> str:
        return self.upstream_name


class Rendering(models.Model):
    """One outcome of the rule for a name in a registry, good while both epochs are still current.

    `fresh_until` bounds the metadata, `files_until` the right to serve files by this decision
    (they differ: a public package's bytes do not go stale with its metadata).
    """

    registry = models.ForeignKey(Registry, on_delete=models.CASCADE, related_name="+", db_index=False)
    format = models.CharField(max_length=8, choices=Format.choices)
    name = models.CharField(max_length=NAME_LENGTH)
    folded = models.CharField(max_length=NAME_LENGTH)
    name_epoch = models.BigIntegerField()
    rule_epoch = models.BigIntegerField()
    fresh_until = models.DateTimeField()
    files_until = models.DateTimeField()
    source_digest = models.CharField(max_length=64)  # of what the answering sources said: equal means nothing to render anew
    rendered_at = models.DateTimeField()
    is_restricted = models.BooleanField(default=False, db_default=False)  # members only, although the registry is public
    is_stale = models.BooleanField(default=False, db_default=False)  # an earlier answer stands in for an upstream in trouble

    class Meta:
        constraints = (models.UniqueConstraint(fields=("registry", "format", "name"), name="one_rendering_each"),)

    def __str__(self) -> str:
        return self.name


class Document(models.Model):
    """Rendered bytes of one form for one base URL, gzip-compressed once, with strong ETags."""

    rendering = models.ForeignKey(Rendering, on_delete=models.CASCADE, related_name="documents", db_index=False)
    form = models.CharField(max_length=12)  # "full", "abbreviated"
    base_url = models.CharField(max_length=300)
    etag = models.CharField(max_length=64)  # of the gzip bytes, without quotes
    plain_etag = models.CharField(max_length=64)  # of the identity bytes
    last_modified = models.DateTimeField()
    body = models.BinaryField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("rendering", "form", "base_url"), name="one_document_each"),)

    def __str__(self) -> str:
        return f"{self.form} {self.etag}"


class DocumentFile(models.Model):
    """A file that the rendering allows and whose bytes are here: the hot path serves these and no others."""

    rendering = models.ForeignKey(Rendering, on_delete=models.CASCADE, related_name="files", db_index=False)
    filename = models.CharField(max_length=512)
    sha256 = models.CharField(max_length=64)
    size = models.BigIntegerField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("rendering", "filename"), name="one_document_file_each"),)

    def __str__(self) -> str:
        return self.filename


class Mirror(models.Model):
    """A job: bring what an upstream has under these names into the registry. Its numbers are items, one for each file wanted."""

    class State(models.TextChoices):
        """Where it stands."""

        QUEUED = "queued"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"
        CANCELLED = "cancelled"

    registry = models.ForeignKey(Registry, on_delete=models.CASCADE, related_name="mirrors", db_index=False)
    upstream = models.ForeignKey(Upstream, on_delete=models.CASCADE, related_name="mirrors")
    patterns = models.JSONField(default=list)  # globs over names; exact `name@version` where a lock file or a list asked for it
    options = models.JSONField(default=dict)  # dependencies, versions, … as the service understands them
    listed = models.CharField(max_length=100, blank=True, default="", db_default="")  # the list it was ordered with, in words
    state = models.CharField(max_length=9, choices=State.choices, default=State.QUEUED)
    total = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    left_out = models.PositiveIntegerField(default=0, db_default=0)  # optional ones that nobody has
    names = models.PositiveIntegerField(default=0, db_default=0)  # whose versions were looked up
    trouble = models.TextField(blank=True)  # why the job as a whole failed
    asked_by = models.CharField(max_length=128, blank=True)
    cancel_asked = models.BooleanField(default=False)
    beat_at = models.DateTimeField(null=True)  # the last sign of life of whoever works on it
    worker = models.CharField(max_length=80, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-id",)
        indexes = (models.Index(fields=("registry", "-id")), models.Index(fields=("state", "beat_at")))

    def __str__(self) -> str:
        return f"mirror {self.pk}"

    @property
    def unreached(self) -> int:
        """Items that are neither done nor failed."""
        return self.total - self.done - self.failed

    @property
    def is_retryable(self) -> bool:
        """Whether something is left that a retry could bring."""
        return self.state in {self.State.FAILED, self.State.CANCELLED} and self.done < self.total


class MirrorItem(models.Model):
    """One thing a job has to fetch: a name whose versions are not known yet, or one version."""

    class State(models.TextChoices):
        """Where it stands."""

        WAITING = "waiting"
        DONE = "done"
        FAILED = "failed"
        LEFT_OUT = "left"

    mirror = models.ForeignKey(Mirror, on_delete=models.CASCADE, related_name="items", db_index=False)
    name = models.CharField(max_length=NAME_LENGTH)
    version = models.CharField(max_length=256, blank=True)  # '' is the name as a whole
    state = models.CharField(max_length=7, choices=State.choices, default=State.WAITING)
    trouble = models.TextField(blank=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("mirror", "name", "version"), name="one_item_each"),)
        indexes = (models.Index(fields=("mirror", "state")),)

    def __str__(self) -> str:
        return f"{self.name}@{self.version}" if self.version else self.name


class MirrorSchedule(models.Model):
    """A mirror job that is begun again and again."""

    registry = models.ForeignKey(Registry, on_delete=models.CASCADE, related_name="schedules")
    upstream = models.ForeignKey(Upstream, on_delete=models.CASCADE, related_name="+")
    patterns = models.JSONField(default=list)
    options = models.JSONField(default=dict)
    every = models.CharField(max_length=100)  # "30m", "1h", "1d", or five cron fields (UTC)
    is_enabled = models.BooleanField(default=True)
    next_at = models.DateTimeField(db_index=True)
    created_by = models.CharField(max_length=128, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return f"{self.every} {self.upstream_id}"
