"""Downloads: counted per version and day, gathered in memory by the doors and added in one piece."""

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

import orjson
from django.db import connection, transaction

from workspaces import statements

# One value for all rows: a statement with a thousand places costs its driver more than it costs the database.
COUNTED = {
    "postgresql": "json_to_recordset(%s::json) AS c (registry_id bigint, format text, name text, version text, times bigint)",
    "sqlite": "(SELECT value ->> 'registry_id' registry_id, value ->> 'format' format, value ->> 'name' name,"
    " value ->> 'version' version, value ->> 'times' times FROM json_each(%s)) c",
}
ADD = (
    "INSERT INTO packages_download (package_id, version, day, count) SELECT q.id, q.version, %s, q.times FROM (SELECT (SELECT p.id"
    " FROM packages_package p WHERE p.registry_id = c.registry_id AND p.format = c.format AND p.name = c.name) id, c.version, c.times"
    " FROM {counted}) q WHERE q.id IS NOT NULL"
    " ORDER BY q.id, q.version"  # in one order in all processes, so that none waits for another in a circle
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
        {"registry_id": one.registry_id, "format": one.format, "name": one.name, "version": one.version, "times": times}
        for one, times in counts.items()
        if one.version
    ]
    if rows:
        counted = COUNTED[connection.vendor]
        with transaction.atomic():
            statements.run(ADD.format(counted=counted), [day.isoformat(), orjson.dumps(rows).decode()])
    return len(rows)
