"""What lies in a version's file, whatever the format: paths with sizes, and the bytes of those asked for. Pure."""

from collections.abc import Callable
from dataclasses import dataclass, field

Wanted = Callable[[str], object]  # whether the bytes of a path are to be read as well


@dataclass
class Shelf:
    """`sizes`: bytes of each file by its path below the top. `read`: the first bytes, at most `limit`, of those that were wanted.

    `is_cut`: there are more files than are counted here.
    """

    limit: int
    sizes: dict[str, int] = field(default_factory=dict)
    read: dict[str, bytes] = field(default_factory=dict)
    is_cut: bool = False
