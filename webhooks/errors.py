"""What can be wrong with a webhook."""

from workspaces.errors import Conflict, Invalid, NotFound


class WebhookInvalid(Invalid):
    """A field of a webhook cannot be used."""

    code = "webhook_invalid"


class WebhookNotFound(NotFound):
    """No such webhook in this workspace."""

    code = "webhook_not_found"


class DeliveryNotFound(NotFound):
    """No such delivery of this webhook."""

    code = "delivery_not_found"


class WebhookInactive(Conflict):
    """Nothing is sent to a webhook that is switched off."""

    code = "webhook_inactive"


class TooManyWebhooks(Conflict):
    """The workspace has as many as it may."""

    code = "too_many_webhooks"
