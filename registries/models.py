"""Registries: the boundary for policy, people and upstreams; each holds packages of every format."""

from django.db import models

from workspaces.models import Group, Membership, Workspace


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
    # What may leave for public upstreams beyond single packages: what people search for, and names to be audited.
    search_upstream = models.BooleanField(default=False, db_default=False)
    audit_upstream = models.BooleanField(default=False, db_default=False)
    is_archived = models.BooleanField(default=False, db_default=False)  # what is there stays installable, and nothing is written any more
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

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+", db_index=False)
    registry = models.ForeignKey(Registry, on_delete=models.CASCADE, related_name="aliases")
    slug = models.CharField(max_length=40)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "aliases"
        ordering = ("slug",)
        constraints = (models.UniqueConstraint(fields=("workspace", "slug"), name="one_alias_each"),)

    def __str__(self) -> str:
        return self.slug


class PackageRight(models.Model):
    """What a member or a group may do with one name beyond their role: read, write, or maintain it.

    Kept here and by name, below the packages, because the gate and the authoriser ask for it. It hangs on the
    membership or the group and ends with them; whoever deletes a package deletes its rights (`forget_name`).
    """

    class Permission(models.TextChoices):
        """Read gives nothing that a reader has not, and is listed; maintain is write, and naming who else may."""

        READ = "read"
        WRITE = "write"
        MAINTAIN = "maintain"

    registry = models.ForeignKey(Registry, on_delete=models.CASCADE, related_name="package_rights", db_index=False)
    format = models.CharField(max_length=8)
    name = models.CharField(max_length=256)
    member = models.ForeignKey(Membership, on_delete=models.CASCADE, null=True, related_name="package_rights")
    group = models.ForeignKey(Group, on_delete=models.CASCADE, null=True, related_name="package_rights")
    permission = models.CharField(max_length=8, choices=Permission.choices)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("registry", "format", "name", "member"), name="one_right_per_member"),
            models.UniqueConstraint(fields=("registry", "format", "name", "group"), name="one_right_per_group"),
            models.CheckConstraint(
                condition=models.Q(member=None, group__isnull=False) | models.Q(member__isnull=False, group=None),
                name="a_right_is_a_members_or_a_groups",
            ),
        )

    def __str__(self) -> str:
        return f"{self.permission} {self.name}"


class RestrictedName(models.Model):
    """A package that only members may know of although its registry is public (npm: access restricted)."""

    registry = models.ForeignKey(Registry, on_delete=models.CASCADE, related_name="restricted_names", db_index=False)
    format = models.CharField(max_length=8)
    name = models.CharField(max_length=256)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("registry", "format", "name"), name="one_restriction_each"),)

    def __str__(self) -> str:
        return self.name
