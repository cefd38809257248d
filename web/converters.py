"""The parts of a page's address: what does not fit is no page, whoever asks."""

from packages.models import Format
from workspaces.slugs import RESERVED


class WorkspaceSlug:
    """A workspace's slug. A reserved word is never one, so that other doors keep their addresses."""

    regex = r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?"

    def to_python(self, value: str) -> str:
        """The slug itself; ValueError is Django's word for “no match”."""
        if value in RESERVED:
            raise ValueError(value)
        return value

    def to_url(self, value: str) -> str:
        """The slug itself."""
        return value


class RegistrySlug(WorkspaceSlug):
    """A registry's slug; the same grammar and reserved words."""


class FormatWord:
    """One of the formats a registry holds."""

    regex = "|".join(Format.values)

    def to_python(self, value: str) -> str:
        """The word itself."""
        return value

    def to_url(self, value: str) -> str:
        """The word itself."""
        return value


class PackageName:
    """A package name in plain letters, with its scope's slash: `left-pad`, `@acme/http`; a module's with its user's: `acme/core`."""

    regex = r"@[^/@]+/[^/]+|(?<=/moonbit/)[^/@]+/[^/]+|[^/@][^/]*"

    def to_python(self, value: str) -> str:
        """The name as written; whether it exists is the selector's business."""
        return value

    def to_url(self, value: str) -> str:
        """The name itself."""
        return value
