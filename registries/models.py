"""Registries: the boundary for policy, people and upstreams; each holds packages of every format."""

from django.db import models

from workspaces.models import Workspace


class Registry(models.Model):
    """One registry of a workspace."""

    class Visibility(models.TextChoices):
        """Who may read: members only, or anybody."""

        PRIVATE = "private"
        PUBLIC = "public"

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="registries")
    slug = models.CharField(max_length=40)
    description = models.CharField(max_length=500, blank=True)
    is_internal = models.BooleanField(default=True)
    visibility = models.CharField(max_length=8, choices=Visibility.choices, default=Visibility.PRIVATE)
    is_default = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "registries"
        ordering = ("slug",)
        constraints = (
            models.UniqueConstraint(fields=("workspace", "slug"), name="one_registry_slug_each"),
            models.UniqueConstraint(fields=("workspace",), condition=models.Q(is_default=True), name="one_default_registry"),
        )

    def __str__(self) -> str:
        return f"{self.workspace.slug}/{self.slug}"

    @property
    def is_public(self) -> bool:
        """Anybody may read."""
        return self.visibility == self.Visibility.PUBLIC


class Alias(models.Model):
    """A slug a registry had before: lock files and settings that name it still find the registry."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+")
    registry = models.ForeignKey(Registry, on_delete=models.CASCADE, related_name="aliases")
    slug = models.CharField(max_length=40)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "aliases"
        ordering = ("slug",)
        constraints = (models.UniqueConstraint(fields=("workspace", "slug"), name="one_alias_each"),)

    def __str__(self) -> str:
        return self.slug
