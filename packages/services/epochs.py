"""Name epochs: bumped in every transaction that changes what the rule knows of a name.

The bump is a row lock too: writers of one name in one workspace queue behind it.
"""

from packages.models import NameEpoch
from workspaces import statements

BUMP = (
    "INSERT INTO packages_nameepoch (workspace_id, format, name, epoch) VALUES (%s, %s, %s, 1)"
    " ON CONFLICT (workspace_id, format, name) DO UPDATE SET epoch = packages_nameepoch.epoch + 1"
)


def bump_name(workspace_id: int, format: str, folded: str) -> None:  # noqa: A002 - the field's own word
    """Make everything rendered of the name old. Call first in the transaction that changes it."""
    statements.run(BUMP, [workspace_id, format, folded])


def hold_name(workspace_id: int, format: str, folded: str) -> None:  # noqa: A002 - the field's own word
    """Queue behind the writers of a name without making anything old. Inside a transaction, whose end lets it go."""
    key = {"workspace_id": workspace_id, "format": format, "name": folded}
    NameEpoch.objects.get_or_create(**key, defaults={"epoch": 0})
    NameEpoch.objects.select_for_update().get(**key)
