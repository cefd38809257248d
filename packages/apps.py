"""App configuration."""

from django.apps import AppConfig


class PackagesConfig(AppConfig):
    """What: packages, versions, tags, files, blobs."""

    name = "packages"
    default_auto_field = "django.db.models.BigAutoField"
