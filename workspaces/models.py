"""People, workspaces, membership, claims and the audit log."""

from django.contrib.auth.models import AbstractUser
from django.core.validators import RegexValidator
from django.db import models

from workspaces.access import Role

ROLE_CHOICES = [(role.value, role.word) for role in Role]


class User(AbstractUser):
    """A person. A superuser is an operator of the whole installation."""

    username = models.CharField(
        max_length=64,
        unique=True,
        validators=[RegexValidator(r"\A[a-z0-9][a-z0-9._-]{0,63}\Z", "Lower-case letters, digits, dot, dash and underscore.")],
        error_messages={"unique": "A user with that name exists already."},
    )

    class Meta(AbstractUser.Meta):
        pass


class Workspace(models.Model):
    """A team's own space: the boundary for people, claims and the internal rule."""

    slug = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=200, blank=True)
    # Bumped in the transaction that changes claims, upstreams, settings or policies: whatever was
    # rendered under an older number is never served again (see docs/architecture.md).
    rule_epoch = models.BigIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("slug",)

    def __str__(self) -> str:
        return self.slug


class Membership(models.Model):
    """One person's role in one workspace."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="memberships", db_index=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.PositiveSmallIntegerField(choices=ROLE_CHOICES, default=Role.READER)
    is_active = models.BooleanField(default=True, db_default=True)  # else the role and all that hangs on it rest
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("workspace", "user"), name="one_membership_each"),)
        ordering = ("user__username",)

    def __str__(self) -> str:
        return f"{self.user_id} in {self.workspace_id}"


class Invitation(models.Model):
    """A link that makes whoever opens it a member: once, for five days. Only the digest of its secret is kept."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="invitations")
    digest = models.CharField(max_length=64, unique=True)  # SHA-256 of the secret, in hexadecimal
    email = models.CharField(max_length=254, blank=True)  # whom it is meant for; nobody's address is proved here, so it binds nobody
    role = models.PositiveSmallIntegerField(choices=ROLE_CHOICES)
    # A person's word holds while they may still give it; a service token has no person, and its invitations no inviter.
    inviter = models.ForeignKey(User, on_delete=models.CASCADE, null=True, related_name="invitations")
    invited_by = models.CharField(max_length=128)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)  # accepted or withdrawn

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.role} in {self.workspace_id}"


class Group(models.Model):
    """Some of a workspace's members under one name: what npm calls a team of an organisation."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="groups", db_index=False)
    slug = models.CharField(max_length=40)
    description = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("workspace", "slug"), name="one_group_slug_each"),)
        ordering = ("slug",)

    def __str__(self) -> str:
        return self.slug


class GroupMember(models.Model):
    """A member in a group. It hangs on the membership, so who leaves the workspace leaves its groups."""

    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="members", db_index=False)
    member = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="groups")

    class Meta:
        constraints = (models.UniqueConstraint(fields=("group", "member"), name="one_place_in_a_group"),)

    def __str__(self) -> str:
        return f"{self.member_id} in {self.group_id}"


class Claim(models.Model):
    """A name pattern that is internal everywhere in the workspace, whether or not a package exists."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="claims", db_index=False)
    pattern = models.CharField(max_length=214)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("workspace", "pattern"), name="one_claim_each"),)
        ordering = ("pattern",)

    def __str__(self) -> str:
        return self.pattern


class Secret(models.Model):
    """A value that upstreams of the workspace name as ${NAME}; written, used, never shown."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="secrets", db_index=False)
    name = models.CharField(max_length=64)
    value_sealed = models.BinaryField()  # encrypted under OAUTH_PASSWORD
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("workspace", "name"), name="one_secret_name_each"),)
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class Event(models.Model):
    """One line of the audit log: who did what to which object, from what to what. Never edited."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, null=True, related_name="events", db_index=False)
    at = models.DateTimeField(auto_now_add=True, db_index=True)
    actor = models.CharField(max_length=128)
    token_name = models.CharField(max_length=128, blank=True)
    ip = models.CharField(max_length=45, blank=True)
    action = models.CharField(max_length=64)
    object = models.CharField(max_length=400)
    old = models.JSONField(null=True)
    new = models.JSONField(null=True)

    class Meta:
        ordering = ("-id",)
        _pages = models.Index(fields=("workspace", "id", "action"), name="events_page_by_page")  # counted without reading rows
        indexes = (models.Index(fields=("workspace", "action")), _pages)

    def __str__(self) -> str:
        return f"{self.actor} {self.action} {self.object}"


class Acknowledgement(models.Model):
    """Somebody looked at an alert: its kind, about that thing, up to that event. What comes after is open again."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="acknowledgements", db_index=False)
    action = models.CharField(max_length=64)
    object = models.CharField(max_length=400)
    through = models.BigIntegerField()  # the last event it covers
    by = models.CharField(max_length=128)
    at = models.DateTimeField(auto_now=True)
    note = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("workspace", "action", "object"), name="one_acknowledgement_each"),)

    def __str__(self) -> str:
        return f"{self.action} {self.object}"
