"""The base of every body, and the shape of every error."""

from collections.abc import Collection, Mapping
from typing import Any

from rest_framework import serializers


class Body(serializers.Serializer[Any]):
    """What a caller sends. A field that is not known (or may not be written) is refused by name."""

    def to_internal_value(self, data: Any) -> Any:
        """The checked fields. Raises ValidationError."""
        if isinstance(data, Mapping):
            known = {name for name, field in self.fields.items() if not field.read_only}
            strange = {str(name)[:80]: [self.unknown_field(known)] for name in data if name not in known}
            if strange:
                raise serializers.ValidationError(strange)
        return super().to_internal_value(data)

    def unknown_field(self, known: Collection[str]) -> str:  # noqa: ARG002 - a query has more to say
        """What is said of a field that is not known."""
        return "There is no such field to write here."


class Query(Body):
    """What may stand behind the question mark. A parameter that is not known is refused, and those that are there are named."""

    def unknown_field(self, known: Collection[str]) -> str:
        """Which parameters there are; those of pages are every list's."""
        return f"There is no such query parameter here; there are {', '.join(sorted([*known, 'page', 'page_size', 'ordering']))}."


class Filter(Query):
    """A query whose parameters are compared with columns, by `lookups`."""

    lookups: Mapping[str, str] = {}


class Fault(serializers.Serializer[Any]):
    """Every error: a sentence for people, a word for programs, and the fields at fault."""

    error = serializers.CharField()
    code = serializers.CharField()
    fields = serializers.DictField(child=serializers.CharField(), required=False)  # type: ignore[assignment]
