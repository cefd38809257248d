"""App configuration."""

from importlib import import_module

from django.apps import AppConfig

from config.lifeline import tie_if_supervised


class ConfigConfig(AppConfig):
    """Composition: settings, the serve and bootstrap commands."""

    name = "config"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Web workers are forked by granian before Django is set up in them: here they are tied to it.

        Every process knows our Celery application, so that a task sent from anywhere reaches our broker.
        """
        tie_if_supervised()
        import_module("config.celery")
