"""Fields that take a JSON type at its word: the framework's would read 1 as true and 5 as "5"."""

from rest_framework import serializers


class Text(serializers.CharField):
    """A string; no number, no NUL."""

    def to_internal_value(self, data: object) -> str:
        """The string. Raises ValidationError."""
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class Flag(serializers.BooleanField):
    """true or false."""

    def to_internal_value(self, data: object) -> bool:
        """The flag. Raises ValidationError."""
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class Number(serializers.IntegerField):
    """A whole number."""

    def to_internal_value(self, data: object) -> int:
        """The number. Raises ValidationError."""
        if isinstance(data, bool) or not isinstance(data, int):
            self.fail("invalid")
        return data
