"""A workspace of its own for each test of the npm door, spoken to through Django's test client."""

import json
import secrets
from typing import Any

from django.test import Client

from packages.models import Package, RetiredVersion, Star, Tag, Version
from registries.models import PackageRight, RestrictedName
from registries.services import create_registry
from tests.parts.pack import pack, publish_document
from tokens.models import Token
from tokens.services.authenticate import actor_of_user
from tokens.services.issue import Wish, create_token
from workspaces.access import Actor, Role
from workspaces.models import Event, Group, GroupMember, Membership, User, Workspace

PASSWORD = "correct horse battery"


class Team:
    """A workspace with one registry, a person per role, a stranger, and a token each."""

    def __init__(self) -> None:
        self.slug = f"w-{secrets.token_hex(4)}"
        self.space = Workspace.objects.create(slug=self.slug, name=self.slug)
        self.tokens = {"": ""}
        self.people: dict[str, User] = {}
        for who, role in {"alice": Role.OWNER, "bob": Role.PUBLISHER, "rita": Role.READER, "mallory": None}.items():
            self.person(who, role)
        self.registry = create_registry(actor=self.actor("alice"), workspace=self.space, slug="main")

    def person(self, who: str, role: Role | None) -> None:
        """Somebody, with a token that may do all they may."""
        user = User.objects.filter(username=who).first() or User.objects.create_user(who, f"{who}@example.org", PASSWORD)
        if role is not None:
            Membership.objects.create(user=user, workspace=self.space, role=role)
        self.people[who] = user
        self.tokens[who] = self.token(who)

    def token(self, who: str, **wish: Any) -> str:
        """The secret of a further token of theirs."""
        return create_token(actor=self.actor(who), wish=Wish(name="tests", **wish)).secret

    def actor(self, who: str) -> Actor:
        return actor_of_user(self.people[who])

    def send(self, who: str, method: str, path: str, body: object = None, **headers: str) -> Any:
        named = {"HTTP_" + name.upper(): value for name, value in headers.items()}
        token = self.tokens.get(who, who)
        if token:
            named.setdefault("HTTP_AUTHORIZATION", f"Bearer {token}")
        data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        return Client().generic(method, f"/{self.slug}/r/main{path}", data, content_type="application/json", **named)  # type: ignore[arg-type]

    def publish(self, name: str, version: str = "1.0.0", *, who: str = "bob", tag: str = "latest", **more: Any) -> Any:
        return self.send(who, "PUT", "/" + name.replace("/", "%2f"), publish_document(pack(name, version, **more), tag=tag))


def facts() -> tuple[object, ...]:
    """What a refusal must leave as it is."""
    rows = (
        Version.objects.values_list("package__name", "version", "deprecated"),
        Tag.objects.values_list("name", "version__version"),
        Membership.objects.values_list("workspace", "user", "role"),
        GroupMember.objects.values_list("group__slug", "member"),
        Group.objects.values_list("slug", "description"),
        PackageRight.objects.values_list("name", "member__user__username", "group__slug", "permission"),
        RestrictedName.objects.values_list("registry", "name"),
        Star.objects.values_list("package__name", "member"),
        Package.objects.values_list("name", "revision"),
    )
    # That an upstream was in trouble may be told; it is no doing of whoever was refused.
    events = Event.objects.exclude(action__endswith="upstream_trouble").exclude(action="upstream.trouble")
    return (*(sorted(one, key=str) for one in rows), events.count(), RetiredVersion.objects.count(), Token.objects.count())
