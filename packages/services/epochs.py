"""Name epochs: bumped in every transaction that changes what the rule knows of a name.

The bump is a row lock too: writers of one name in one workspace queue behind it.
"""

from workspaces import statements

BUMP = (
    "INSERT INTO packages_nameepoch (workspace_id, format, name, epoch) VALUES (%s, %s, %s, 1)"
    " ON CONFLICT (workspace_id, format, name) DO UPDATE SET epoch = packages_nameepoch.epoch + 1"
)

HOLD = (
    "INSERT INTO packages_nameepoch (workspace_id, format, name, epoch) VALUES (%s, %s, %s, 0)"
    " ON CONFLICT (workspace_id, format, name) DO UPDATE SET epoch = packages_nameepoch.epoch"
)


def bump_name(workspace_id: int, format: str, folded: str) -> None:  # noqa: A002 - the field's own word
    """Make everything rendered of the name old. Call first in the transaction that changes it."""
    statements.run(BUMP, [workspace_id, format, folded])


def hold_name(workspace_id: int, format: str, folded: str) -> None:  # noqa: A002 - the field's own word
    """Queue behind the writers of a name without making anything old. Inside a transaction, whose end lets it go."""
    statements.run(HOLD, [workspace_id, format, folded])
