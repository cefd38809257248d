"""App configuration."""

from django.apps import AppConfig


class WebConfig(AppConfig):
    """The door for people."""

    name = "web"
    default_auto_field = "django.db.models.BigAutoField"
