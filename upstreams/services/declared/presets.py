"""Presets: what is known of a kind of source before anybody fills in a field. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from packages.formats.moonbit.addresses import USUAL

PUBLIC = "https://mooncakes.io"


@dataclass(frozen=True, kw_only=True)
class Preset:
    """The fields a preset fills; '' is to be given, where the kind of source has it."""

    format: str
    url: str = ""
    index_url: str = ""
    package_url_pattern: str = ""
    priority: int = 100


# `custom` is no preset but a type: everything is said in the file.
CUSTOM = Preset(format="moonbit")
PRESETS: Mapping[str, Preset] = {
    "npm": Preset(format="npm"),
    "moonbit-registry": Preset(format="moonbit", package_url_pattern=USUAL, priority=50),
    "mooncakes": Preset(
        format="moonbit",
        url=PUBLIC,
        index_url=f"{PUBLIC}/git/index",
        package_url_pattern="https://download.mooncakes.io/user/${username}/${name}/${version}.zip",
    ),
}
