"""What happens between `make run` and the first process: schema, first run, the public npm upstream."""

import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.db import OperationalError, connection
from django.db.migrations.executor import MigrationExecutor

from config.bootstrap import FirstRun, bootstrap
from config.env import EnvironmentInvalid, discover_npm_upstream
from packages.services.signing import sign_missing
from upstreams.errors import UpstreamInvalid
from workspaces.errors import Invalid

SIGNED_AT_START = 1000  # versions from before there were signatures: half a second; the housekeeping signs the rest


def prepare() -> FirstRun:
    """Bring the database up to date and make what the first run needs. Raises EnvironmentInvalid for a value that cannot be."""
    with ThreadPoolExecutor(1) as pool:  # asking npm takes half a second: meanwhile the schema is made
        asked = pool.submit(discover_npm_upstream, Path(settings.DATA_DIR)) if settings.NPM_UPSTREAM_URL is None else None
        reach_database()
        migrate()
        if asked is not None:
            settings.NPM_UPSTREAM_URL = asked.result()  # the operator's word from here on, also in this process
    made = first_run()
    sign_missing(limit=SIGNED_AT_START)
    return made


def reach_database() -> None:
    """Open the first connection. Raises EnvironmentInvalid; the pool of PostgreSQL has tried for ten seconds by then."""
    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)  # the one line below says it
    try:
        connection.ensure_connection()
    except OperationalError as error:
        reason = str(error.__cause__ or error).strip().splitlines()[0]
        raise EnvironmentInvalid(f"DATABASE_URL: the database cannot be opened ({reason})") from error


def migrate() -> None:
    """Apply what is not applied yet; when nothing is, only look (Django's own command takes a second to find out)."""
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        call_command("migrate", verbosity=0, interactive=False)


def first_run() -> FirstRun:
    """The bootstrap with the values of the environment. Raises EnvironmentInvalid."""
    try:
        return bootstrap(username=settings.ADMIN_USERNAME, password=settings.ADMIN_PASSWORD, npm_upstream_url=settings.NPM_UPSTREAM_URL)
    except UpstreamInvalid as error:
        raise EnvironmentInvalid(f"NPM_UPSTREAM_URL: {error}") from error
    except Invalid as error:
        name = "ADMIN_USERNAME" if "username" in error.fields else "ADMIN_PASSWORD"
        raise EnvironmentInvalid(f"{name}: {error.fields.get('username', error)}") from error
