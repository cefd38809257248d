# ruff: noqa: N999 - the command is named with a dash, as it is typed
"""`manage.py signing-keys list|rotate|sign-missing [workspace]`: the keys that vouch for published versions."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from packages.models import SigningKey
from packages.services.signing import rotate, sign_missing, unsigned
from workspaces.models import Workspace
from workspaces.services.audit import SYSTEM

WORDS = ("list", "rotate", "sign-missing")


class Command(BaseCommand):
    """One word of three, for one workspace or for all of them."""

    help = "List the signing keys, rotate them, or sign the versions published before there were signatures."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What to do, and for which workspace."""
        parser.add_argument("what", choices=WORDS)
        parser.add_argument("workspace", nargs="?", help="a workspace's slug; without it: all of them")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002 - Django's signature
        """Run."""
        chosen = self._workspaces(options["workspace"])
        for workspace in chosen:
            match options["what"]:
                case "list":
                    self._list(workspace)
                case "rotate":
                    keyid = rotate(actor=SYSTEM, workspace=workspace)
                    self.stdout.write(f"{workspace.slug}: signs with {keyid} from now on")
                case _:
                    self.stdout.write(f"{workspace.slug}: {sign_missing(workspace=workspace)} versions signed")

    def _workspaces(self, slug: str | None) -> list[Workspace]:
        found = list(Workspace.objects.filter(slug=slug) if slug else Workspace.objects.order_by("slug"))
        if slug and not found:
            raise CommandError(f"There is no workspace {slug}.")
        return found

    def _list(self, workspace: Workspace) -> None:
        keys = SigningKey.objects.filter(workspace=workspace).order_by("id")
        for key in keys:
            state = f"until {key.expires_at.isoformat(timespec='seconds')}" if key.expires_at else "signs now"
            self.stdout.write(f"{workspace.slug}: {key.keyid} since {key.created_at.isoformat(timespec='seconds')}, {state}")
        if not keys:
            self.stdout.write(f"{workspace.slug}: no key yet; the first published version makes one")
        if count := unsigned(workspace):
            self.stdout.write(f"{workspace.slug}: {count} versions are not signed; `signing-keys sign-missing` signs them")
