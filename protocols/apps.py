"""App configuration."""

from django.apps import AppConfig


class ProtocolsConfig(AppConfig):
    """The doors for package clients."""

    name = "protocols"
    default_auto_field = "django.db.models.BigAutoField"
