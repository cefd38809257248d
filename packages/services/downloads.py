"""Downloads: counted per version and day, gathered in memory by the doors and added in one piece."""

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

from django.db import connection, transaction

ADD = (
    "WITH counted (registry_id, format, name, version, times) AS (VALUES {places})"
    " INSERT INTO packages_download (package_id, version, day, count)"
    " SELECT p.id, c.version, %s, c.times FROM counted c"
    " JOIN packages_package p ON p.registry_id = c.registry_id AND p.format = c.format AND p.name = c.name WHERE true"
    " ORDER BY p.id, c.version"  # in one order in all processes, so that none waits for another in a circle
    " ON CONFLICT (package_id, version, day) DO UPDATE SET count = packages_download.count + excluded.count"
)
AT_ONCE = 200  # rows in one statement


class Downloaded(NamedTuple):
    """One file handed out: `filename` as the registry itself names it: `{bare}-{version}.tgz`, `{user}-{name}-{version}.zip`."""

    registry_id: int
    name: str
    filename: str
    format: str = "npm"

    @property
    def version(self) -> str:
        """The version by its file name; '' for a name that is not of our own making."""
        is_module = self.format == "moonbit"
        bare = self.name.replace("/", "-") if is_module else self.name.rpartition("/")[2]
        if not self.filename.startswith(f"{bare}-") or not self.filename.endswith(".zip" if is_module else ".tgz"):
            return ""
        return self.filename[len(bare) + 1 : -4]


def add_downloads(counts: Mapping[Downloaded, int], day: date) -> int:
    """Add to the counts of `day` (UTC); packages that are gone by now are left out. Returns how many rows were sent."""
    rows = [(one.registry_id, one.format, one.name, one.version, times) for one, times in counts.items() if one.version]
    with transaction.atomic(), connection.cursor() as cursor:
        for begin in range(0, len(rows), AT_ONCE):
            piece = rows[begin : begin + AT_ONCE]
            places = ", ".join(["(%s, %s, %s, %s, %s)"] * len(piece))
            cursor.execute(ADD.format(places=places), [*(value for row in piece for value in row), day.isoformat()])
    return len(rows)
