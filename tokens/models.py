"""Tokens and the login sessions that issue them."""

from django.db import models

from registries.models import Registry
from workspaces.models import ROLE_CHOICES, User, Workspace


class Token(models.Model):
    """A credential of a person, or of a workspace itself (a service token, with a role of its own).

    Only the SHA-256 of the secret is stored. `registries` (ids) and `scopes` (strings): null is all, [] nothing.
    """

    secret_hash = models.CharField(max_length=64, unique=True)
    prefix = models.CharField(max_length=16)
    name = models.CharField(max_length=128)
    owner = models.ForeignKey(User, on_delete=models.CASCADE, null=True, related_name="tokens")
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, null=True, related_name="service_tokens")
    role = models.PositiveSmallIntegerField(choices=ROLE_CHOICES, null=True)
    read_only = models.BooleanField(default=False)
    registries = models.JSONField(null=True)
    scopes = models.JSONField(null=True)
    cidrs = models.JSONField(default=list)
    expires_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True)
    last_used_ip = models.CharField(max_length=45, blank=True, default="", db_default="")

    class Meta:
        ordering = ("-created_at", "-id")
        constraints = (
            models.CheckConstraint(
                condition=models.Q(owner__isnull=False, workspace__isnull=True, role__isnull=True)
                | models.Q(owner__isnull=True, workspace__isnull=False, role__isnull=False),
                name="token_of_person_or_workspace",
            ),
        )

    def __str__(self) -> str:
        return self.name


class LoginSession(models.Model):
    """A client's web login in progress: the client polls `poll_hash`, a person approves at the page.

    Both ids are 128-bit and random; the poll id is stored hashed, and so the row opens nothing by itself.
    """

    class State(models.TextChoices):
        """Where the login stands."""

        PENDING = "pending"
        APPROVED = "approved"
        DENIED = "denied"

    page_id = models.CharField(max_length=32, unique=True)
    poll_hash = models.CharField(max_length=64, unique=True)
    registry_path = models.CharField(max_length=100)  # "{ws}/{reg}" as the client asked
    client = models.CharField(max_length=200)
    ip = models.CharField(max_length=45)
    state = models.CharField(max_length=8, choices=State.choices, default=State.PENDING)
    user = models.ForeignKey(User, on_delete=models.CASCADE, null=True, related_name="+")
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.client


class Identity(models.Model):
    """A way in beside the password: an account at a provider (`github`), known by the provider's own id and nothing else.

    `login` is what the account was called there when it was last used; names and e-mail addresses there change hands.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="identities", db_index=False)
    provider = models.CharField(max_length=16)
    uid = models.CharField(max_length=64)
    login = models.CharField(max_length=100)
    token_sealed = models.BinaryField()  # what the provider gave us, encrypted under OAUTH_PASSWORD
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("provider", "uid"), name="one_person_for_each_identity"),
            models.UniqueConstraint(fields=("user", "provider"), name="one_identity_of_each_provider"),
        )

    def __str__(self) -> str:
        return f"{self.login} at {self.provider}"


class SecondFactor(models.Model):
    """A person's authenticator: the key it shares with us, and the time step of the last code that was taken."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="second_factor")
    key_sealed = models.BinaryField()  # base 32, encrypted under OAUTH_PASSWORD
    last_step = models.BigIntegerField()  # of 30 seconds since 1970; a code is good once (RFC 6238 section 5.2)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"second factor of {self.user_id}"


class RecoveryCode(models.Model):
    """A code for the day the authenticator is lost; deleted when it is used."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="recovery_codes", db_index=False)
    digest = models.CharField(max_length=64)  # SHA-256 in hexadecimal

    class Meta:
        constraints = (models.UniqueConstraint(fields=("user", "digest"), name="one_recovery_code_each"),)

    def __str__(self) -> str:
        return f"recovery code of {self.user_id}"


class Visit(models.Model):
    """A browser that is signed in. Its session's key is a credential, and sealed."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="visits")
    agent = models.CharField(max_length=300, blank=True)  # what the browser says of itself
    ip = models.CharField(max_length=45, blank=True)  # where it was seen last
    created_at = models.DateTimeField(auto_now_add=True)
    seen_at = models.DateTimeField(auto_now_add=True, db_index=True)
    session_sealed = models.BinaryField()  # encrypted under OAUTH_PASSWORD

    def __str__(self) -> str:
        return f"{self.user_id} at {self.ip}"


class LoginPassword(models.Model):
    """A password that is good for one login of a client at one registry."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="login_passwords")
    registry = models.ForeignKey(Registry, on_delete=models.CASCADE, related_name="+")
    digest = models.CharField(max_length=64, unique=True)  # SHA-256 in hexadecimal
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"login of {self.user_id}"
