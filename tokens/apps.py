"""App configuration."""

from django.apps import AppConfig


class TokensConfig(AppConfig):
    """By what right: tokens and login sessions."""

    name = "tokens"
    default_auto_field = "django.db.models.BigAutoField"
