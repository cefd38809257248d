"""`manage.py check_templates`: every template of ours compiles."""

from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.template import TemplateDoesNotExist, TemplateSyntaxError, engines


class Command(BaseCommand):
    """Compiles each file below templates/, so that a typo is found before a person finds the page."""

    help = "Compile every template and name those that do not."
    requires_system_checks = ()

    def handle(self, *_args: object, **_options: object) -> None:
        """Raises CommandError with a line for each broken template."""
        root = Path(settings.BASE_DIR, "templates")
        wrong = [line for path in sorted(root.rglob("*.*")) if path.is_file() and (line := _fault(path.relative_to(root)))]
        if wrong:
            raise CommandError("\n".join(wrong))


def _fault(name: Path) -> str | None:
    try:
        engines["django"].get_template(str(name))
    except (TemplateSyntaxError, TemplateDoesNotExist, UnicodeDecodeError) as error:
        return f"templates/{name}: {error}"
    return None
