"""The fixed cast in one database: alice owns acme, adam administers, bob publishes, rita reads, mallory owns globex, root operates."""

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.test import Client

from packages.blobs import Staging
from packages.formats.publication import Publication
from packages.models import Tombstone
from packages.services.publish import publish
from packages.services.versions import set_tag
from registries.models import Alias, Registry
from registries.services import create_registry
from tests.parts.pack import Packed, pack
from tokens.models import Token, Visit
from tokens.services.authenticate import actor_of_user
from tokens.services.issue import Issued, Wish, create_service_token, create_token
from tokens.services.visits import note
from upstreams.models import Mirror, MirrorSchedule, Upstream
from upstreams.services.mirroring.orders import Order, order
from upstreams.services.mirroring.schedules import Plan, create_schedule
from upstreams.services.sources import create_upstream
from upstreams.services.wishes import UpstreamWish
from webhooks.models import Delivery, Webhook
from webhooks.services.deliveries import send_test
from webhooks.services.hooks import create_webhook
from workspaces.access import Actor, Role
from workspaces.models import Claim, Event, Invitation, Membership, Secret, User, Workspace
from workspaces.services.audit import SYSTEM, record
from workspaces.services.invitations import invite
from workspaces.services.secrets import add_secret
from workspaces.services.spaces import add_claim, create_workspace

V1 = "/api/v1/"
ACME = V1 + "workspaces/acme/"
MAIN = ACME + "registries/main/"
PACKAGES = MAIN + "packages/"
FOO = MAIN + "packages/npm/@acme/foo/"
OWN_APPS = ("workspaces", "registries", "packages", "tokens", "upstreams", "webhooks")
RESTLESS = frozenset({"last_used_at", "last_used_ip", "last_login"})


@dataclass
class Cast:
    """People, their tokens and what they have made."""

    people: dict[str, User] = field(default_factory=dict)
    tokens: dict[str, Issued] = field(default_factory=dict)
    acme: Workspace = field(init=False)
    globex: Workspace = field(init=False)
    main: Registry = field(init=False)
    other: Registry = field(init=False)
    claim: Claim = field(init=False)
    upstream: Upstream = field(init=False)
    mirror: Mirror = field(init=False)
    schedule: MirrorSchedule = field(init=False)
    secret_of_acme: Secret = field(init=False)
    alert: Event = field(init=False)
    webhook: Webhook = field(init=False)
    delivery: Delivery = field(init=False)
    invitation: Invitation = field(init=False)
    service: Issued = field(init=False)
    visit: int = field(init=False)  # alice's browser

    def actor(self, who: str) -> Actor:
        """That person at a browser."""
        return actor_of_user(User.objects.get(username=who))

    def secret(self, who: str) -> str:
        """The Authorization header of a caller: a person's token, `nobody`, or `bad`."""
        if who == "nobody":
            return ""
        if who == "bad":
            return "Bearer gth_notavalidtoken"
        return f"Bearer {self.tokens[who].secret}"

    def call(self, who: str, method: str, path: str, body: object = None, **headers: str) -> Any:
        """One request in JSON (or, for a dict with a file, multipart)."""
        client = Client(raise_request_exception=True, headers={"Authorization": self.secret(who)} if who != "nobody" else None)
        if isinstance(body, Multipart):
            return client.generic(method, path, body.content, body.content_type, headers=headers)
        content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        return client.generic(method, path, content, "application/json", headers=headers)

    def get(self, path: str, who: str = "alice") -> Any:
        """The JSON of a GET that must succeed."""
        answer = self.call(who, "GET", path)
        assert answer.status_code == 200, answer.content
        return answer.json()

    def publish(self, packed: Packed, registry: Registry | None = None, who: str = "bob") -> None:
        """Publish below REST."""
        with Staging(limit=2**20) as staging:
            staging.write(packed.tarball)
            publication = Publication(
                format="npm",
                name=packed.name,
                version=packed.version,
                manifest=json.dumps(dict(packed.manifest)).encode(),
                tags=(),
                filename=packed.filename,
                file=staging.finish(),
            )
            publish(actor=self.actor(who), registry=registry or self.main, publication=publication)


@dataclass
class Multipart:
    """A multipart body, byte for byte."""

    content: bytes
    content_type: str


def upload(content: bytes, filename: str = "x.tgz", **fields: str) -> Multipart:
    """A body with one file and these fields."""
    parts = [f'--b0und\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode() for key, value in fields.items()]
    head = f'--b0und\r\nContent-Disposition: form-data; name="file"; filename="{filename}"\r\nContent-Type: application/gzip\r\n\r\n'
    return Multipart(b"".join(parts) + head.encode() + content + b"\r\n--b0und--\r\n", "multipart/form-data; boundary=b0und")


def assemble() -> Cast:
    """Everybody, with workspaces, registries, packages, a claim, an upstream, a tombstone and a service token."""
    cast = Cast()
    for name in ("alice", "adam", "bob", "rita", "mallory", "carol"):
        cast.people[name] = User.objects.create_user(name, f"{name}@example.org", "correct horse")
    cast.people["root"] = User.objects.create_superuser("root", "root@example.org", "correct horse")
    cast.acme = create_workspace(actor=cast.actor("alice"), slug="acme", name="Acme")
    cast.globex = create_workspace(actor=cast.actor("mallory"), slug="globex", name="Globex")
    for name, role in {"adam": Role.ADMIN, "bob": Role.PUBLISHER, "rita": Role.READER}.items():
        Membership.objects.create(workspace=cast.acme, user=cast.people[name], role=role)
    cast.main = create_registry(actor=cast.actor("alice"), workspace=cast.acme, slug="main")
    create_registry(actor=cast.actor("alice"), workspace=cast.acme, slug="shelf")
    cast.other = create_registry(actor=cast.actor("mallory"), workspace=cast.globex, slug="main")
    _fill(cast)
    for name in cast.people:
        cast.tokens[name] = create_token(actor=cast.actor(name), wish=Wish(name=f"{name}'s"))
    alice = cast.actor("alice")
    cast.tokens["readonly"] = create_token(actor=alice, wish=Wish(name="readonly", read_only=True))
    cast.tokens["scoped"] = create_token(actor=alice, wish=Wish(name="scoped", scopes=["npm:package:@acme/*:write"]))
    return cast


def _fill(cast: Cast) -> None:
    alice = cast.actor("alice")
    for version in ("1.0.0", "2.0.0"):
        cast.publish(pack("@acme/foo", version))
    cast.publish(pack("plain", "1.0.0", dependencies={"@acme/foo": "1"}))
    set_tag(actor=alice, registry=cast.main, format="npm", name="@acme/foo", tag="beta", version="2.0.0")
    cast.claim = add_claim(actor=alice, workspace=cast.acme, pattern="@acme/*")
    Alias.objects.create(workspace=cast.acme, registry=cast.main, slug="before")
    wish = UpstreamWish(name="npm", url="https://registry.example.org")
    cast.upstream = create_upstream(actor=alice, registry=cast.main, wish=wish)
    cast.mirror = order(actor=alice, registry=cast.main, upstream=cast.upstream, order=Order(patterns=["left-*"]))
    plan = Plan(patterns=("left-*",), every="1d")
    cast.schedule = create_schedule(actor=alice, registry=cast.main, upstream=cast.upstream, plan=plan)
    cast.secret_of_acme = add_secret(actor=alice, workspace=cast.acme, name="PARTNER_TOKEN", value="value-of-partner-token")
    cast.alert = record(SYSTEM, "alert.upstream_trouble", "acme/main npm", workspace=cast.acme, new={"sentence": "It refused us."})
    cast.webhook, _ = create_webhook(actor=alice, workspace=cast.acme, url="https://hooks.example.org/gatehouse", events=["publish"])
    cast.delivery = send_test(actor=alice, webhook=cast.webhook)
    Tombstone.objects.create(workspace=cast.acme, format="npm", name="@acme/gone", reason="for tests")
    cast.invitation, _ = invite(actor=alice, workspace=cast.acme, role=Role.READER)
    cast.invitation.digest = hashlib.sha256(b"the-secret-of-a-link").hexdigest()
    cast.invitation.save()
    cast.visit = note(visit_id=None, user_id=cast.people["alice"].pk, agent="a test", ip="198.51.100.7", session_key="none")
    cast.service = create_service_token(actor=alice, workspace=cast.acme, role=Role.PUBLISHER, wish=Wish(name="ci"))


def census() -> dict[str, list[tuple[Any, ...]]]:
    """Every row of the team's own, events included: what a refusal must leave as it was.

    Not which browsers are signed in: that is noted with any request of a session, as a token's last use is.
    """
    found: dict[str, list[tuple[Any, ...]]] = {}
    for label in OWN_APPS:
        for model in apps.get_app_config(label).get_models():
            if model is Visit:
                continue
            columns = [column.attname for column in model._meta.concrete_fields if column.attname not in RESTLESS]
            found[model._meta.label] = [
                tuple(bytes(one) if isinstance(one, memoryview) else one for one in row)
                for row in model._default_manager.order_by("pk").values_list(*columns)
            ]
    return found


def token_rows() -> int:
    """How many tokens there are."""
    return Token.objects.count()
