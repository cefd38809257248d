"""What is counted: files handed out, and what registries hold."""

from django.db import models

from packages.models.holdings import Package
from registries.models import Registry


class Download(models.Model):
    """How often a version's file was handed out on one day (UTC). The version by its number: counts outlive it."""

    package = models.ForeignKey(Package, on_delete=models.CASCADE, related_name="downloads", db_index=False)
    version = models.CharField(max_length=256)
    day = models.DateField()
    count = models.BigIntegerField(default=0)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("package", "version", "day"), name="one_download_row_each"),)

    def __str__(self) -> str:
        return f"{self.version} on {self.day}: {self.count}"


class Usage(models.Model):
    """How much a registry held when it was counted last (packages.services.counting)."""

    registry = models.OneToOneField(Registry, on_delete=models.CASCADE, primary_key=True, related_name="usage")
    packages = models.BigIntegerField()
    versions = models.BigIntegerField()
    bytes = models.BigIntegerField()  # of all files; those that several packages share are counted in each
    counted_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.registry_id}: {self.packages}"
