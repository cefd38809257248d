"""Webhooks and what was, or is to be, sent to them. What happened itself is in the audit log (docs/adr/0015)."""

from django.db import models

from workspaces.models import Event, Workspace


class Webhook(models.Model):
    """An address that is told what happens in one workspace."""

    class Reason(models.TextChoices):
        """Why nothing is sent."""

        NONE = ""
        PERSON = "switched_off"
        FAILURES = "failures"
        GONE = "gone"  # it answered 410

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="webhooks")
    url = models.CharField(max_length=500)
    events = models.JSONField(default=list)  # words of webhooks.kinds
    is_active = models.BooleanField(default=True)
    reason = models.CharField(max_length=20, choices=Reason.choices, default=Reason.NONE, blank=True)
    secret_sealed = models.BinaryField()  # encrypted under OAUTH_PASSWORD
    # The one before a rotation: both sign until then, so that receivers change theirs in their own time.
    former_sealed = models.BinaryField(null=True)
    former_until = models.DateTimeField(null=True)
    seen_through = models.BigIntegerField(default=0)  # events up to this one are settled: sent, or none of its own
    failing_since = models.DateTimeField(null=True)
    failures = models.PositiveIntegerField(default=0)  # one after the other
    paused_until = models.DateTimeField(null=True)
    held_until = models.DateTimeField(null=True)  # by the worker that sends now
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return f"webhook {self.pk}"


class Delivery(models.Model):
    """One event for one webhook. `event` is None for a test; `next_at` None where nothing more is tried."""

    class State(models.TextChoices):
        """How far it is."""

        WAITING = "waiting"
        DELIVERED = "delivered"
        FAILED = "failed"
        DROPPED = "dropped"  # the webhook was switched off first

    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="deliveries", db_index=False)
    event = models.ForeignKey(Event, on_delete=models.CASCADE, null=True, related_name="+")
    uid = models.CharField(max_length=40, unique=True)  # webhook-id: the same at every try
    type = models.CharField(max_length=20)
    body = models.TextField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    attempts = models.PositiveIntegerField(default=0)
    tries_left = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField(null=True)
    last_at = models.DateTimeField(null=True)
    status = models.PositiveSmallIntegerField(null=True)
    millis = models.PositiveIntegerField(null=True)
    trouble = models.CharField(max_length=300, blank=True)
    excerpt = models.CharField(max_length=1000, blank=True)  # of what was answered
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        ordering = ("-id",)
        constraints = (models.UniqueConstraint(fields=("webhook", "event"), name="one_delivery_each"),)
        indexes = (models.Index(fields=("webhook", "next_at")),)

    def __str__(self) -> str:
        return self.uid
