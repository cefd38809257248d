"""The tables of packages: what is held, what search keeps of it, what is counted."""

from packages.models.counts import Download, Usage
from packages.models.holdings import (
    NAME_LENGTH,
    Blob,
    BlobLink,
    File,
    Format,
    NameEpoch,
    Package,
    RetiredVersion,
    SigningKey,
    Star,
    Tag,
    Tombstone,
    Version,
)
from packages.models.search import SearchEntry, SearchWord

__all__ = [
    "NAME_LENGTH",
    "Blob",
    "BlobLink",
    "Download",
    "File",
    "Format",
    "NameEpoch",
    "Package",
    "RetiredVersion",
    "SearchEntry",
    "SearchWord",
    "SigningKey",
    "Star",
    "Tag",
    "Tombstone",
    "Usage",
    "Version",
]
