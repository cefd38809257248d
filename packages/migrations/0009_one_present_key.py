"""The last migration took PostgreSQL the index that keeps a workspace at one present signing key.

Django drops every index on a column that shall have none any more, but those of `Meta.indexes`; this one is of
`Meta.constraints`. Two first publishes at once could each leave a key since then, and the second key made every later
publish fail. What was signed with either stays verifiable.
"""

from django.db import migrations

END_ALL_BUT_THE_FIRST = (
    "UPDATE packages_signingkey SET expires_at = CURRENT_TIMESTAMP WHERE expires_at IS NULL"
    " AND id NOT IN (SELECT min(id) FROM packages_signingkey WHERE expires_at IS NULL GROUP BY workspace_id)"
)
# SQLite has it still: it makes a table anew, and the table's indexes with it.
KEEP_ONE = "CREATE UNIQUE INDEX IF NOT EXISTS one_present_signing_key ON packages_signingkey (workspace_id) WHERE expires_at IS NULL"


class Migration(migrations.Migration):
    """Ends all keys but one of each workspace and makes the index."""

    dependencies = (("packages", "0008_fewer_indexes"),)

    operations = (
        migrations.RunSQL(END_ALL_BUT_THE_FIRST, migrations.RunSQL.noop),
        migrations.RunSQL(KEEP_ONE, migrations.RunSQL.noop),
    )
