"""Registries side by side, spoken to as npm does and over REST."""

import json
from typing import Any

from django.test import Client

from packages.models import Tag, Version
from tests.parts.pack import Packed, pack, publish_document
from tests.parts.recorder import Recorder
from tests.upstreams.row import Row
from upstreams.models import Upstream
from upstreams.services.sources import create_upstream
from upstreams.services.wishes import UpstreamWish
from workspaces.models import Event


class Street(Row):
    """A row whose registries are not chained."""

    def rest(self, word: str, body: dict[str, object], *, at: str = "main", who: str = "bob", token: str = "") -> Any:
        """POST push/ or pull/."""
        path = f"/api/v1/workspaces/{self.team.slug}/registries/{at}/{word}/"
        headers = {"HTTP_AUTHORIZATION": f"Bearer {token or self.team.tokens[who]}"}
        return Client().post(path, json.dumps({"format": "npm", **body}), content_type="application/json", **headers)  # type: ignore[arg-type]

    def push(self, name: str, *versions: str, **more: Any) -> dict[str, Any]:
        """From main to prod (or as told), which must succeed."""
        words = {key: more.pop(key) for key in ("at", "who", "token") if key in more}
        body = {
            "name": name,
            **({"versions": list(versions)} if versions else {}),
            **({} if "to_upstream" in more else {"to": "prod"}),
            **more,
        }
        answer = self.rest("push", body, **words)
        assert answer.status_code == 200, answer.content
        found: dict[str, Any] = answer.json()
        return found

    def pull(self, name: str, *versions: str, **more: Any) -> dict[str, Any]:
        """Into main (or as told), which must succeed."""
        words = {key: more.pop(key) for key in ("at", "who", "token") if key in more}
        answer = self.rest("pull", {"name": name, **({"versions": list(versions)} if versions else {}), **more}, **words)
        assert answer.status_code == 200, answer.content
        found: dict[str, Any] = answer.json()
        return found

    def refused(self, word: str, status: int, code: str, **body: Any) -> str:
        """A push or pull that must fail and change nothing; the sentence."""
        words = {key: body.pop(key) for key in ("at", "who", "token") if key in body}
        before = rows()
        answer = self.rest(word, body, **words)
        assert (answer.status_code, answer.json().get("code")) == (status, code), answer.content
        assert rows() == before
        return str(answer.json()["error"])

    def offer(self, packed: Packed, *, at: str = "main", tag: str = "latest") -> Packed:
        """Publish what was packed."""
        answer = self.send(
            "PUT", f"/{packed.name.replace('/', '%2f')}", json.dumps(publish_document(packed, tag=tag)).encode(), at=at, who="bob"
        )
        assert answer.status_code == 201, answer.content
        return packed

    def make(self, name: str, *versions: str, at: str = "main", **manifest: Any) -> list[Packed]:
        """Publish made-up versions."""
        return [self.offer(pack(name, version, **manifest), at=at) for version in versions or ("1.0.0",)]

    def upstream(self, recorder: Recorder, name: str = "public", *, at: str = "main", **fields: Any) -> Upstream:
        """The recorder as an upstream."""
        wish = UpstreamWish(name=name, url=recorder.url, **fields)
        return create_upstream(actor=self.team.actor("alice"), registry=self.registries[at], wish=wish)

    def tags(self, name: str, at: str = "prod") -> dict[str, str]:
        """The tags a registry keeps."""
        found = Tag.objects.filter(package__registry=self.registries[at], package__name=name)
        return dict(found.values_list("name", "version__version"))

    def row_of(self, name: str, version: str = "1.0.0", at: str = "prod") -> Version:
        """The version where it is."""
        return Version.objects.get(package__registry=self.registries[at], package__name=name, version=version)


def results(answer: dict[str, Any]) -> dict[str, str]:
    """`name@version` -> what became of it."""
    return {f"{one['name']}@{one['version']}": one["result"] for one in answer["versions"]}


def rows() -> tuple[object, ...]:
    """What a refusal leaves as it is."""
    versions = Version.objects.order_by("pk").values_list("pk", "version", "is_internal", "origin", "integrity")
    tags = Tag.objects.order_by("pk").values_list("package", "name", "version")
    told = Event.objects.exclude(action__contains="upstream_trouble").exclude(action="upstream.trouble")  # an upstream's own affair
    return (*versions, *tags, told.count())


def events(action: str) -> list[Any]:
    """The events of one kind, oldest first."""
    return list(Event.objects.filter(action=action).order_by("pk"))
