"""App configuration."""

from django.apps import AppConfig


class UpstreamsConfig(AppConfig):
    """Whence: upstreams, the rule, rendered documents."""

    name = "upstreams"
    default_auto_field = "django.db.models.BigAutoField"
