"""`manage.py bootstrap`: the first run by hand, idempotent."""

from django.conf import settings
from django.core.management.base import BaseCommand

from config.greeting import greeting
from config.preparation import prepare


class Command(BaseCommand):
    """Applies migrations and makes whatever of the first run is missing."""

    help = "Create the administrator, the workspace team and its registry main with the upstream npm, as far as they are missing."

    def handle(self, *_args: object, **_options: object) -> None:
        """Prepare, and print what was made; secrets only when they are new."""
        made = prepare()
        self.stdout.write(greeting(address=settings.EXTERNAL_HOST, username=settings.ADMIN_USERNAME, made=made))
