"""App configuration."""

from django.apps import AppConfig


class ConfigConfig(AppConfig):
    """Composition: settings, the serve and bootstrap commands."""

    name = "config"
    default_auto_field = "django.db.models.BigAutoField"
