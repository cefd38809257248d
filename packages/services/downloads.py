"""Downloads: counted per version and day, gathered in memory by the doors and added in one piece."""

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

from django.db import connection, transaction

ADD = (
    "INSERT INTO packages_download (package_id, version, day, count)"
    " SELECT id, %s, %s, %s FROM packages_package WHERE registry_id = %s AND format = %s AND name = %s"
    " ON CONFLICT (package_id, version, day) DO UPDATE SET count = packages_download.count + excluded.count"
)


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
    rows = [
        (one.version, day.isoformat(), times, one.registry_id, one.format, one.name)
        for one, times in sorted(counts.items())  # in one order in all processes, so that none waits for another in a circle
        if one.version
    ]
    if rows:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.executemany(ADD, rows)
    return len(rows)
