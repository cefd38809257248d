"""Addresses that the pages show to people: always under EXTERNAL_HOST."""

from django.conf import settings
from django.urls import reverse

from registries.models import Registry


def moon_url(registry: Registry) -> str:
    """What MoonBit's `moon` is given as its registry."""
    return f"{settings.EXTERNAL_HOST.rstrip('/')}/{registry.workspace.slug}/m/{registry.slug}"


def client_url(registry: Registry) -> str:
    """What a package client is given as its registry, with the trailing slash npm wants."""
    return f"{settings.EXTERNAL_HOST.rstrip('/')}/{registry.workspace.slug}/r/{registry.slug}/"


def invitation_url(secret: str) -> str:
    """The link that is handed to somebody who is invited."""
    return f"{settings.EXTERNAL_HOST.rstrip('/')}{reverse('web:invitation', args=[secret])}"
