"""App configuration."""

from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    """Telling other programs what happened in a workspace."""

    name = "webhooks"
    default_auto_field = "django.db.models.BigAutoField"
