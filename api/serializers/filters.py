"""What lists are filtered by where a column is compared; those that search have their own beside what they show."""

from collections.abc import Mapping

from rest_framework import serializers

from api.serializers.common import Filter
from packages.models import Version
from registries.models import Registry
from upstreams.models import Mirror, Upstream
from workspaces.access import Role


class MemberFilter(Filter):
    """Members with a role."""

    lookups: Mapping[str, str] = {"role": "role"}
    role = serializers.ChoiceField(choices=[role.word for role in Role], required=False)

    def validate_role(self, word: str) -> int:
        """As the column has it."""
        return int(Role[word.upper()])


class RegistryFilter(Filter):
    """Registries by their settings."""

    lookups: Mapping[str, str] = {"internal": "is_internal", "visibility": "visibility", "archived": "is_archived"}
    internal = serializers.BooleanField(required=False)
    visibility = serializers.ChoiceField(choices=Registry.Visibility.values, required=False)
    archived = serializers.BooleanField(required=False)


class UpstreamFilter(Filter):
    """Upstreams by their settings."""

    lookups: Mapping[str, str] = {"kind": "kind", "enabled": "is_enabled", "internal": "is_internal"}
    kind = serializers.ChoiceField(choices=Upstream.Kind.values, required=False)
    enabled = serializers.BooleanField(required=False)
    internal = serializers.BooleanField(required=False)


class MirrorFilter(Filter):
    """Jobs by how far they are, and by upstream."""

    lookups: Mapping[str, str] = {"state": "state", "upstream": "upstream__name"}
    state = serializers.ChoiceField(choices=Mirror.State.choices, required=False)
    upstream = serializers.CharField(max_length=40, required=False)


class ScheduleFilter(Filter):
    """Schedules by whether they are on, and by upstream."""

    lookups: Mapping[str, str] = {"enabled": "is_enabled", "upstream": "upstream__name"}
    enabled = serializers.BooleanField(required=False)
    upstream = serializers.CharField(max_length=40, required=False)


class VersionFilter(Filter):
    """Versions by their flag, and by how they came."""

    lookups: Mapping[str, str] = {"internal": "is_internal", "origin": "origin", "yanked": "is_yanked"}
    internal = serializers.BooleanField(required=False)
    origin = serializers.ChoiceField(choices=Version.Origin.values, required=False)
    yanked = serializers.BooleanField(required=False)


class WebhookFilter(Filter):
    """Webhooks that are on, or off."""

    lookups: Mapping[str, str] = {"active": "is_active"}
    active = serializers.BooleanField(required=False)
