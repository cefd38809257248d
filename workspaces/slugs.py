"""Slugs of workspaces and registries (CONTRACT.md section 3). Pure."""

import re

from workspaces.errors import Invalid

SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
RESERVED = frozenset({
    "api", "admin", "v1", "v2", "www", "auth", "packages", "objects", "namespaces", "ping", "healthz", "readyz",
    "metrics", "static", "login", "logout", "signup", "account", "legacy", "abandonware", "token", "tokens", "npm",
    "oci", "r", "m", "registries", "people", "activity", "new", "settings",
})  # fmt: skip


class SlugInvalid(Invalid):
    """A slug outside the grammar, or a reserved word."""

    code = "slug_invalid"


def check_slug(slug: str) -> str:
    """The slug itself. Raises SlugInvalid."""
    if not SLUG.fullmatch(slug):
        raise SlugInvalid(
            "A slug has 1 to 40 lower-case letters, digits and dashes, and begins and ends with a letter or digit.",
            fields={"slug": "not a slug"},
        )
    if slug in RESERVED:
        raise SlugInvalid(f"“{slug}” is a word Gatehouse needs for its own addresses; choose another.", fields={"slug": "reserved"})
    return slug
