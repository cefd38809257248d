"""A workspace with something of everything in it, so that every form of the pages has what it is about."""

import hashlib

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from packages.models import Tombstone
from tests.web.conftest import HTML, World
from upstreams.models import Mirror, MirrorSchedule, Upstream
from upstreams.services.sources import create_upstream
from upstreams.services.wishes import UpstreamWish
from webhooks.models import Delivery
from webhooks.services.deliveries import send_test
from webhooks.services.hooks import create_webhook
from workspaces.access import Role
from workspaces.models import Event, Invitation, User
from workspaces.services.invitations import invite
from workspaces.services.secrets import add_secret


def mirrored(world: World) -> dict[str, int]:
    """The numbers of a job and of a schedule."""
    job = Mirror.objects.create(registry=world.main, upstream=world.upstream, patterns=["left-pad"])
    schedule = MirrorSchedule.objects.create(
        registry=world.main, upstream=world.upstream, patterns=["left-pad"], every="1d", next_at=timezone.now()
    )
    return {"mirror": job.pk, "schedule": schedule.pk}


def caller_of(name: str, *, csrf: bool = False) -> Client:
    client = Client(enforce_csrf_checks=csrf, headers={"accept": HTML})
    if name:
        client.force_login(User.objects.get(username=name))
    return client


@pytest.fixture(autouse=True)
def with_github(settings: Settings) -> None:
    """Set up, so that its addresses are there; nobody listens at that one."""
    settings.EXTERNAL_HOST, settings.SIGNUP = "http://testserver", "open"
    settings.SOCIAL_AUTH_GITHUB_KEY, settings.SOCIAL_AUTH_GITHUB_SECRET = "client", "secret"
    settings.SOCIAL_AUTH_GITHUB_URL = settings.SOCIAL_AUTH_GITHUB_API_URL = "http://127.0.0.1:1"


@pytest.fixture(autouse=True)
def furnished(world: World) -> None:
    """A secret, an alert, a name that an upstream made internal, and an upstream that is switched off: the test of it asks nobody."""
    Event.objects.create(pk=7007, workspace=world.workspace, actor="gatehouse", action="alert.upstream_trouble", object="acme/main outside")
    alice = world.actor("alice")
    Tombstone.objects.create(
        workspace=world.workspace, registry=world.main, format="npm", name="left", reason="internal upstream outside answered for it"
    )
    add_secret(actor=alice, workspace=world.workspace, name="PARTNER_TOKEN", value="value-of-partner-token")
    hook, _ = create_webhook(actor=alice, workspace=world.workspace, url="https://hooks.example.org/", events=["publish"])
    send_test(actor=alice, webhook=hook)
    made, _ = invite(actor=alice, workspace=world.workspace, role=Role.READER)
    Invitation.objects.filter(pk=made.pk).update(digest=hashlib.sha256(b"the-secret-of-a-link").hexdigest())
    wish = UpstreamWish(name="asleep", url="https://registry.example.org", enabled=False)
    create_upstream(actor=alice, registry=world.main, wish=wish)


def filled(address: str, world: World) -> str:
    """The address with the world's numbers in it."""
    sent = Delivery.objects.get()
    numbers = {**mirrored(world), "webhook": sent.webhook_id, "delivery": sent.pk, "invitation": Invitation.objects.get().pk}
    return address.format(**numbers, upstream=world.upstream.pk, asleep=Upstream.objects.get(name="asleep").pk)
