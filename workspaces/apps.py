"""App configuration."""

from django.apps import AppConfig


class WorkspacesConfig(AppConfig):
    """Who: people, workspaces, claims, the audit log."""

    name = "workspaces"
    default_auto_field = "django.db.models.BigAutoField"
