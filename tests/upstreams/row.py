"""Registries of one workspace in a row, spoken to as npm does."""

import json
import time
from typing import Any

from django.test import Client

from packages.models import Version
from protocols.wire import TailAnswer
from registries.models import Registry
from registries.services import create_registry
from tests.npm.team import Team
from tests.parts.pack import pack, publish_document
from upstreams.models import Upstream
from upstreams.services.sources import create_upstream
from upstreams.services.wishes import UpstreamWish

PATIENCE = 250  # times 20 ms


class Row:
    """The registry `main` of a team, with others behind it."""

    def __init__(self, team: Team) -> None:
        self.team = team
        self.registries = {"main": team.registry}

    def registry(self, slug: str) -> Registry:
        """A further registry of the workspace."""
        self.registries[slug] = create_registry(actor=self.team.actor("alice"), workspace=self.team.space, slug=slug)
        return self.registries[slug]

    def link(self, of: str, to: str, **wish: Any) -> Upstream:
        """Let `of` ask `to`, as an owner does."""
        made = UpstreamWish(name=wish.pop("name", to), kind="registry", registry=to, **wish)
        return create_upstream(actor=self.team.actor("alice"), registry=self.registries[of], wish=made)

    def send(self, method: str, path: str, body: object = None, *, at: str = "main", who: str = "rita") -> Any:
        """A request to one of them."""
        whole = f"/{self.team.slug}/r/{at}{path}"
        headers = {"HTTP_AUTHORIZATION": f"Bearer {self.team.tokens[who]}"}
        return Client().generic(method, whole, body or b"", content_type="application/json", **headers)  # type: ignore[arg-type]

    def publish(self, name: str, version: str = "1.0.0", *, at: str) -> Any:
        """As a publisher."""

        answer = self.send("PUT", f"/{name}", json.dumps(publish_document(pack(name, version))).encode(), at=at, who="bob")
        assert answer.status_code == 201, answer.content
        return answer

    def versions(self, name: str, *, at: str = "main") -> list[str]:
        """What a reader sees."""
        answer = self.send("GET", f"/{name}", at=at)
        assert answer.status_code == 200, answer.content
        return sorted(answer.json()["versions"])

    def install(self, name: str, version: str = "1.0.0", *, at: str = "main") -> bytes:
        """The bytes of a version, once they are here."""
        for _ in range(PATIENCE):
            answer = self.send("GET", f"/{name}/-/{name.rpartition('/')[2]}-{version}.tgz", at=at)
            assert answer.status_code == 200, getattr(answer, "content", answer)
            if not isinstance(answer, TailAnswer):
                return bytes(answer.getvalue())
            answer.tail.close()  # it flows in all the same
            time.sleep(0.02)
        raise AssertionError("the file never came")

    def held(self, name: str) -> dict[str, list[str]]:
        """The versions each registry holds itself, by slug."""
        found: dict[str, list[str]] = {}
        for slug, version in Version.objects.filter(package__name=name, package__registry__workspace=self.team.space).values_list(
            "package__registry__slug", "version"
        ):
            found.setdefault(slug, []).append(version)
        return {slug: sorted(found[slug]) for slug in sorted(found)}
