"""Packages, versions, tags, tombstones, and the trace of the rule."""

from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from rest_framework import serializers

from api.fields import Flag, Text
from api.serializers.common import Body, Query
from packages.models import Format, Package, Tag, Tombstone, Version
from upstreams.selectors.tombstones import upstream_in

FORMATS = Format.values


class PackageShown(serializers.Serializer[Package]):
    """A package as a list shows it; `internal` is whether it holds an internal version."""

    format = serializers.ChoiceField(choices=FORMATS)
    name = serializers.CharField()
    latest = serializers.CharField(allow_null=True)
    internal = serializers.BooleanField(source="has_internal")
    version_count = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class PackageFilterWithin(Query):
    """Filters of the package list of one format. `search`, or `q` as the pages have it: parts of the name.

    `source`: `own` for what was made in the workspace, or the name of an upstream of the registry.
    """

    search = serializers.CharField(required=False, allow_blank=True, max_length=256)
    q = serializers.CharField(required=False, allow_blank=True, max_length=256)
    internal = serializers.BooleanField(required=False)
    source = serializers.CharField(required=False, allow_blank=True, max_length=40)  # type: ignore[assignment]  # shadows nothing

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """`q` is another word for `search`."""
        said = attrs.pop("q", "")
        return {**attrs, "search": attrs.get("search") or said}


class PackageFilter(PackageFilterWithin):
    """Filters of the package list."""

    format = serializers.CharField(required=False, max_length=20)


class PackageUpload(Body):
    """A file to publish, as multipart/form-data."""

    file = serializers.FileField(allow_empty_file=True, max_length=512)
    tag = Text(max_length=128, default="latest")


class DifferenceShown(serializers.Serializer[dict[str, str | None]]):
    """A field in which what was said of a version is not what its tarball's package.json says; null: that side says nothing."""

    field = serializers.CharField()
    document = serializers.CharField(allow_null=True)
    tarball = serializers.CharField(allow_null=True)


class VersionShown(serializers.Serializer[Version]):
    """A version. `integrity` as package managers write it, `sha256` the same file's in hex, as a MoonBit index has it.

    `differences`: what is served is the tarball's side.
    """

    version = serializers.CharField()
    internal = serializers.BooleanField(source="is_internal")
    origin = serializers.ChoiceField(choices=Version.Origin.values)
    upstream = serializers.SerializerMethodField()
    integrity = serializers.CharField()
    sha256 = serializers.SerializerMethodField()
    size = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    published_by = serializers.SerializerMethodField()
    deprecated = serializers.CharField()
    yanked = serializers.BooleanField(source="is_yanked")
    differences = DifferenceShown(many=True, read_only=True)

    def get_upstream(self, version: Version) -> str | None:
        """The upstream a pulled version came from, also after that upstream's deletion."""
        try:
            return str(version.upstream_origin.upstream_name)
        except ObjectDoesNotExist:
            return None

    def get_sha256(self, version: Version) -> str | None:
        """Of the one file it is; null for what is several."""
        digests = [file.blob.sha256 for file in version.files.all()]
        return digests[0] if len(digests) == 1 else None

    def get_published_by(self, version: Version) -> str | None:
        """The name at the time; null for what came from an upstream."""
        return version.published_by_name or (version.published_by.username if version.published_by else None)


class VersionChange(Body):
    """What may change of a version: its flag (one of the three toggles) and its deprecation ("" or null clears)."""

    internal = Flag()
    deprecated = Text(max_length=4096, allow_blank=True, allow_null=True)


class TagShown(serializers.Serializer[Tag]):
    """A tag."""

    name = serializers.CharField()
    version = serializers.CharField(source="version.version")


class TagTarget(Body):
    """The version a tag shall point at."""

    version = Text(max_length=256)


class TombstoneShown(serializers.ModelSerializer[Tombstone]):
    """What keeps a name internal after its internal versions are gone."""

    class Meta:
        model = Tombstone
        fields = ("format", "name", "reason", "created_at")


class TombstoneFilter(Query):
    """Which tombstones: of a registry, of an upstream's doing, with a part of the name."""

    registry = serializers.CharField(required=False, max_length=40)
    upstream = serializers.CharField(required=False, max_length=40)
    search = serializers.CharField(required=False, allow_blank=True, max_length=256)


class TombstoneListed(serializers.Serializer[Tombstone]):
    """A tombstone in a list; `registry` null: in the whole workspace, `upstream` null: no upstream's doing."""

    format = serializers.CharField()
    name = serializers.CharField()
    registry = serializers.CharField(source="registry.slug", default=None, allow_null=True)
    upstream = serializers.SerializerMethodField()
    reason = serializers.CharField()
    created_at = serializers.DateTimeField()

    def get_upstream(self, stone: Tombstone) -> str | None:
        """The upstream whose answer wrote it."""
        return upstream_in(stone.reason) or None


class Lifting(Body):
    """Whose tombstones shall go: those that an upstream's answers wrote in a registry; `untick` also what was pulled from it."""

    registry = Text(max_length=40)
    upstream = Text(max_length=40)
    format = Text(max_length=20, default="npm")
    untick = Flag(default=False)


class LiftingDone(serializers.Serializer[Any]):
    """How many names were let go and versions unticked; `left`: names still kept, for another go."""

    lifted = serializers.IntegerField()
    unticked = serializers.IntegerField()
    left = serializers.IntegerField()


class ResolutionQuery(Query):
    """`ask=true` asks the sources as an install would; otherwise the trace is of what is known here."""

    ask = serializers.BooleanField(default=False)


class Earlier(serializers.Serializer[Any]):
    """What a source said before that does not count now."""

    answer = serializers.CharField()
    fetched_at = serializers.DateTimeField()


class LastTrouble(serializers.Serializer[Any]):
    """Why the last question to a source failed. `asked_again_at`: null means at the next question."""

    sentence = serializers.CharField()
    code = serializers.CharField()
    at = serializers.DateTimeField()
    asked_again_at = serializers.DateTimeField(allow_null=True)


class SourceShown(serializers.Serializer[Any]):
    """One source of the trace, in the order of the rule; `through`: the chained registries it is behind, the nearest first."""

    source = serializers.CharField()  # type: ignore[assignment]
    through = serializers.ListField(child=serializers.CharField())
    kind = serializers.CharField()
    asked = serializers.BooleanField()
    allowed = serializers.BooleanField()
    clause = serializers.CharField()
    answer = serializers.CharField()
    detail = serializers.CharField()
    fetched_at = serializers.DateTimeField(allow_null=True)
    earlier = Earlier(allow_null=True)
    last_trouble = LastTrouble(allow_null=True)


class Resolution(serializers.Serializer[Any]):
    """Why this version: the trace of the rule; `versions` says which source each comes from."""

    name = serializers.CharField()
    internal = serializers.BooleanField(allow_null=True)
    clause = serializers.CharField()
    outcome = serializers.CharField()
    blocked_by = serializers.CharField(allow_null=True)
    sources = SourceShown(many=True)
    versions = serializers.DictField(child=serializers.CharField())
    shadowed = serializers.ListField(child=serializers.CharField())
