"""Names in addresses: the format's grammar decides; a plain and an encoded slash are one by the time they come here."""

from packages.formats.moonbit.names import parse_name
from packages.formats.npm.names import parse_known
from packages.formats.npm.versions import check_tag
from packages.models import Format
from workspaces.errors import NotFound


def format_named(format: str) -> str:  # noqa: A002 - the address's own word
    """The format itself. Raises NotFound for a word that is none."""
    if format not in Format.values:
        raise NotFound(f"There is no package format “{format[:20]}”.")
    return format


def package_name(format: str, name: str) -> str:  # noqa: A002 - the address's own word
    """The name, if it may exist in that format. Raises NotFound for the format, NameInvalid for the name."""
    if format_named(format) == "npm":
        return parse_known(name).full
    return parse_name(name).full if format == "moonbit" else name


def tag_name(format: str, tag: str) -> str:  # noqa: A002 - the address's own word
    """The tag, if that format may have it. Raises TagInvalid."""
    return check_tag(tag) if format == "npm" else tag
