"""App configuration."""

from django.apps import AppConfig


class RegistriesConfig(AppConfig):
    """Where: registries and the one gate."""

    name = "registries"
    default_auto_field = "django.db.models.BigAutoField"
