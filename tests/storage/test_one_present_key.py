"""An installation on PostgreSQL whose workspace was left with two present signing keys publishes again after the migration."""

from pathlib import Path

from tests.parts.census import execute
from tests.parts.gatehouse import Gatehouse
from tests.parts.postgres import Postgres

KEY = (
    "INSERT INTO packages_signingkey (workspace_id, keyid, public_key, private_sealed, created_at, expires_at)"
    " SELECT id, ?, '', '', now(), ?::timestamptz FROM workspaces_workspace"
)


def test_the_first_of_two_keys_stays(tmp_path: Path, postgres: Postgres) -> None:
    server = Gatehouse(tmp_path, postgres.database(), "http://127.0.0.1:1")
    place = (server.database_url, server.data)
    server.manage("migrate", "--verbosity", "0")
    server.manage("bootstrap")
    server.manage("migrate", "packages", "0008", "--verbosity", "0")
    execute(*place, "DROP INDEX one_present_signing_key")
    for keyid, end in (("long over", "2001-01-01"), ("first", None), ("second", None)):
        execute(*place, KEY, keyid, end)
    server.manage("migrate", "--verbosity", "0")

    assert execute(*place, "SELECT keyid FROM packages_signingkey WHERE expires_at IS NULL") == [("first",)]
    ended = "SELECT keyid FROM packages_signingkey WHERE expires_at BETWEEN now() - interval '1 minute' AND now()"
    assert execute(*place, ended) == [("second",)]
    assert execute(*place, "SELECT count(*) FROM pg_indexes WHERE indexname = 'one_present_signing_key'") == [(1,)]
