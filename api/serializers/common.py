"""The base of every body, and the shape of every error."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers


class Body(serializers.Serializer[Any]):
    """What a caller sends. A field that is not known (or may not be written) is refused by name."""

    def to_internal_value(self, data: Any) -> Any:
        """The checked fields. Raises ValidationError."""
        if isinstance(data, Mapping):
            known = {name for name, field in self.fields.items() if not field.read_only}
            unknown = {str(name)[:80]: ["There is no such field to write here."] for name in data if name not in known}
            if unknown:
                raise serializers.ValidationError(unknown)
        return super().to_internal_value(data)


class Fault(serializers.Serializer[Any]):
    """Every error: a sentence for people, a word for programs, and the fields at fault."""

    error = serializers.CharField()
    code = serializers.CharField()
    fields = serializers.DictField(child=serializers.CharField(), required=False)  # type: ignore[assignment]
