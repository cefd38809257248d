"""Bodies that are gzip already, and hashes, which no database compresses: PostgreSQL need not try, nor unpack what it made of it."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

COLUMNS = (("upstreams_upstreamdocument", "body"), ("upstreams_document", "body"), ("upstreams_pin", "integrities"))


def _set(editor: BaseDatabaseSchemaEditor, storage: str) -> None:
    if editor.connection.vendor == "postgresql":
        for table, column in COLUMNS:
            editor.execute(f"ALTER TABLE {table} ALTER COLUMN {column} SET STORAGE {storage}")


def forwards(_: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    """What is written from now on lies as it came (PostgreSQL's manual, section 65.2)."""
    _set(editor, "EXTERNAL")


def backwards(_: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    """As Django makes columns of bytes."""
    _set(editor, "EXTENDED")


class Migration(migrations.Migration):
    """No table is rewritten; what lies there already stays as it is."""

    dependencies = (("upstreams", "0009_push_allowed"),)
    operations = (migrations.RunPython(forwards, backwards),)
