"""The formats that can be mirrored: a line each for its driver and for the grammar of its names."""

from collections.abc import Callable, Mapping

from packages.formats.moonbit.names import parse_name
from packages.formats.npm.names import parse_known
from packages.formats.npm.ranges import is_word
from packages.formats.npm.versions import is_version
from packages.models import Format
from upstreams.services.mirroring.drivers import WITHIN, Driver, Wanted
from upstreams.services.mirroring.moonbit import Moonbit, WordsUnknown, meaningless
from upstreams.services.mirroring.npm import Npm
from workspaces.errors import Unsupported

DRIVERS: Mapping[str, Callable[[], Driver]] = {
    Format.NPM: Npm,
    Format.MOONBIT: Moonbit,
}
NAMES: Mapping[str, Callable[[str], object]] = {
    Format.NPM: parse_known,
    Format.MOONBIT: parse_name,
}


class FormatNotMirrored(Unsupported):
    """Upstreams of this format cannot be mirrored."""

    code = "format_not_mirrored"


def driver_for(format: str) -> Driver:  # noqa: A002 - the field's own word
    """A driver for one job. Raises FormatNotMirrored."""
    if format not in DRIVERS:
        raise FormatNotMirrored(f"Upstreams of format {format} cannot be mirrored yet.")
    return DRIVERS[format]()


def wanted_of(format: str, text: str) -> Wanted:  # noqa: A002 - the field's own word
    """What `name`, `name@1.2.3` or `name@^1.2` asks for. Raises NameInvalid, WordsUnknown."""
    name, at, version = text[1:].partition("@")
    name = text[0] + name
    if format in NAMES:
        NAMES[format](name)
    check_versions(format, version, field="patterns")
    return Wanted(name, version if not at or is_version(version) else WITHIN + (version.strip() or "*"))


def check_versions(format: str, words: str, *, field: str = "versions") -> None:  # noqa: A002 - the field's own word
    """What can mean no version of any name is refused before a job is written down. Raises WordsUnknown."""
    nothing = f"“{words[:80]}” means no version: say a number, a range like ^1.2, a tag, or * for all."
    why = meaningless(words) if format == Format.MOONBIT else "" if is_word(words) else nothing
    if why:
        raise WordsUnknown(why, fields={field: why})
