"""The cast: alice owns `acme`, bob publishes there, rita reads, mallory owns `globex`; packages with and without flags."""

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from packages.blobs import Staging
from packages.formats.publication import Publication
from packages.models import Version
from packages.services.publish import publish
from registries.models import Registry
from registries.services import create_registry
from tests.parts.github import GitHub
from tests.parts.pack import pack
from tokens.services.authenticate import actor_of_user
from tokens.services.visits import note
from upstreams.models import Origin, Upstream
from upstreams.services.sources import create_upstream
from upstreams.services.wishes import UpstreamWish
from workspaces.access import Actor, Role
from workspaces.models import User, Workspace
from workspaces.services.people import create_user, set_member
from workspaces.services.spaces import create_workspace

PASSWORD = "correct horse battery"
HTML = "text/html,application/xhtml+xml"
README = "# Hello\n<script>alert(1)</script><img src=x onerror=alert(2)>"


@dataclass(frozen=True)
class World:
    """What every test of the pages starts from."""

    workspace: Workspace
    main: Registry
    upstream: Upstream

    def actor(self, name: str) -> Actor:
        return actor_of_user(User.objects.get(username=name), ip="192.0.2.7")


@pytest.fixture
def world(db: None) -> World:
    for name in ("alice", "bob", "rita", "mallory"):
        create_user(actor=Actor(None, "set-up", is_operator=True), username=name, password=PASSWORD)
    alice, mallory = (actor_of_user(User.objects.get(username=name)) for name in ("alice", "mallory"))
    acme = create_workspace(actor=alice, slug="acme", name="Acme")
    create_workspace(actor=mallory, slug="globex")
    alice = actor_of_user(User.objects.get(username="alice"))
    set_member(actor=alice, workspace=acme, username="bob", role=Role.PUBLISHER)
    set_member(actor=alice, workspace=acme, username="rita", role=Role.READER)
    main = create_registry(actor=alice, workspace=acme, slug="main")
    wish = UpstreamWish(name="outside", url="https://registry.example.org")
    return World(acme, main, create_upstream(actor=alice, registry=main, wish=wish))


@pytest.fixture
def put(world: World) -> Callable[..., Version]:
    """Publish a version as bob, or leave one behind as if it had been pulled."""

    def put(
        name: str,
        version: str,
        *,
        tags: tuple[str, ...] = ("latest",),
        pulled: bool = False,
        files: Mapping[str, bytes] | None = None,
        **manifest: Any,
    ) -> Version:
        body = {"name": name, "version": version, "description": f"about {name}", "readme": README, **manifest}
        with Staging(limit=10_000_000) as staging:
            staging.write(pack(name, version, files={"README.md": README.encode(), **(files or {})}, **manifest).tarball)
            publication = Publication(
                format="npm",
                name=name,
                version=version,
                manifest=json.dumps(body).encode(),
                tags=tags,
                filename=f"{name.rpartition('/')[2]}-{version}.tgz",
                file=staging.finish(),
            )
            origin = Version.Origin.PULLED if pulled else Version.Origin.PUBLISHED
            made = publish(actor=world.actor("bob"), registry=world.main, publication=publication, origin=origin).version
        if pulled:
            Version.objects.filter(pk=made.pk).update(is_internal=False)
            address = f"https://registry.example.org/{name}"
            Origin.objects.create(version=made, upstream=world.upstream, upstream_name="outside", address=address)
            made.refresh_from_db()
        return made

    return put


@pytest.fixture
def sign_in(world: World) -> Callable[[str], Client]:
    """A browser of that person's, who has just signed in."""

    def sign_in(name: str) -> Client:
        client = Client(headers={"accept": HTML})
        client.force_login(User.objects.get(username=name))
        session = client.session
        session["proved_at"] = int(time.time())
        user = User.objects.get(username=name)
        session["visit"] = note(visit_id=None, user_id=user.pk, agent="a test", ip="127.0.0.1", session_key=str(session.session_key))
        session["seen"] = int(time.time())
        session.save()
        return client

    return sign_in


@pytest.fixture
def alice(sign_in: Callable[[str], Client]) -> Client:
    return sign_in("alice")


@pytest.fixture
def nobody(world: World) -> Client:
    return Client(headers={"accept": HTML})


@pytest.fixture
def hub(settings: Settings, world: World) -> Iterator[GitHub]:
    """A GitHub that this installation is set up for, and takes new people from."""
    settings.EXTERNAL_HOST, settings.SIGNUP = "http://testserver", "open"
    cache.clear()
    with GitHub() as hub:
        for name, value in hub.settings.items():
            setattr(settings, name, value)
        yield hub
    cache.clear()  # whoever comes next signs in from the same address


@pytest.fixture(scope="module")  # no longer: its event loop would still run in tests that have one of their own
def browser() -> Iterator[Browser]:
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not found:
        pytest.skip("no Chromium: apt-get install -y --no-install-recommends chromium")
    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def context(browser: Browser, world: World, live_server: LiveServer) -> Iterator[BrowserContext]:
    made = browser.new_context(base_url=live_server.url, permissions=["clipboard-read", "clipboard-write"])
    yield made
    made.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """A page signed in as alice; whatever the console complains of, or asks another host for, fails the test."""
    page = context.new_page()
    page.goto("/login")
    page.get_by_label("User name").fill("alice")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", name="Your workspaces").wait_for()
    return page
