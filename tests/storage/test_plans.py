"""How PostgreSQL goes about the statements of what comes in while it knows nothing of its tables yet: as it will later.

Prepared on empty tables, and kept to for a minute or longer, a plan that goes through a table makes a first mirror job
slower with every package.
"""

import itertools
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from packages.models import Version
from packages.services import downloads, listing, receive, rows
from tests.parts.postgres import Postgres
from upstreams.selectors import held
from upstreams.services import entry, files, renderings
from upstreams.services.mirroring import moonbit, npm
from upstreams.services.modules import pull
from workspaces import reading

ROOT = Path(__file__).parents[2]
# By which column rows of these many are found; everything else is for a few rows by now.
KEYS = {
    "packages_package": ("registry_id", "folded"),
    "packages_version": ("package_id", "id"),
    "packages_file": ("version_id",),
    "packages_blob": ("id",),
    "packages_searchentry": ("package_id",),
    "upstreams_origin": ("version_id",),
    "upstreams_documentfile": ("rendering_id",),
    "upstreams_document": ("rendering_id",),
    "upstreams_rendering": ("registry_id",),
    "packages_retiredversion": ("registry_id",),
}
STATEMENTS = {
    "a version under the lock": reading.selecting(Version, entry.HELD),
    "a file that is here by now": files.STORED,
    "a file that is listed": files.LISTED,
    "the files of a package": renderings.FILES,
    "a file by its name": renderings.NAMED_FILE,
    "the versions a job finds": npm.HELD,
    "the files a job finds": npm.FILES,
    "the file a job finds": npm.FILE,
    "the module a job finds": moonbit.LOOK,
    "the versions of a module": pull.HELD,
    "what a workspace holds": held.HELD,
    "what search shows": listing.KNOWN,
    "a version that is received": reading.selecting(Version, receive.HELD),
    "before a publish": rows.BEFORE,
    "a file is listed": renderings.LIST,
    "documents of a former decision go": renderings.EMPTIED[0],
    "and its files": renderings.EMPTIED[1],
    "downloads are added": downloads.ADD.format(counted=downloads.COUNTED["postgresql"]),
}


@pytest.fixture(scope="module")
def fresh(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator["psycopg.Connection[tuple[str]]"]:
    """A connection to a database with all tables and nothing in them."""
    url = postgres.database()
    env = os.environ | {"DATABASE_URL": url, "DATA_DIR": str(tmp_path_factory.mktemp("plans"))}
    subprocess.run([sys.executable, "manage.py", "migrate", "--verbosity", "0"], cwd=ROOT, env=env, check=True)
    with psycopg.connect(url.replace("postgres://", "postgresql://"), autocommit=True, prepare_threshold=None) as made:
        made.execute("SET plan_cache_mode = force_generic_plan")
        yield made


def plan(connection: "psycopg.Connection[tuple[str]]", text: str) -> list[str]:
    numbers = itertools.count(1)
    connection.execute("DEALLOCATE ALL")
    connection.execute(f"PREPARE asked AS {re.sub('%s', lambda _: f'${next(numbers)}', text)}")
    values = ", ".join(["NULL"] * (next(numbers) - 1))
    return [line for (line,) in connection.execute(f"EXPLAIN (COSTS OFF) EXECUTE asked({values})")]


@pytest.mark.parametrize("case", STATEMENTS)
def test_no_table_is_gone_through(fresh: "psycopg.Connection[tuple[str]]", case: str) -> None:
    lines = plan(fresh, STATEMENTS[case])
    scans = [(found[1], lines[at + 1]) for at, line in enumerate(lines) if (found := re.search(r"Scan .*\bon (\w+)", line))]
    assert scans, "\n".join(lines)
    for table, condition in scans:
        keys = KEYS.get(table, ())
        assert not keys or any(re.search(rf"Index Cond: .*\b{key}\)?(::text)? = ", condition) for key in keys), "\n".join(lines)
