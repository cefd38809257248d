"""Registries of one workspace in a row that hold modules, spoken to as moon does and over REST."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.test import Client

from packages.models import Version
from registries.models import Registry
from tests.moonbit.gits import git
from tests.moonbit.modules import Brought, mirror, publish_module, source
from tests.parts.moonbit import MoonRegistry, zipped
from tests.upstreams.row import Row
from upstreams.models import Upstream
from upstreams.services.modules.served import served_index
from upstreams.services.sources import change_upstream


class Terrace(Row):
    """A row of registries; each helper says at which one."""

    @contextmanager
    def standing(self, at: str) -> Iterator[None]:
        """What the helpers of one registry do, they do at that one."""
        before, self.team.registry = self.team.registry, self.registries[at]
        try:
            yield
        finally:
            self.team.registry = before

    def make(self, name: str, *versions: str, at: str = "main", content: bytes = b"", manifest: bytes = b"") -> bytes:
        """Publish versions as the team's own; the zip of the last."""
        for version in versions or ("0.1.0",):
            with self.standing(at):
                publish_module(self.team, name, version, content)
            if manifest:
                Version.objects.filter(package__registry=self.registries[at], package__name=name, version=version).update(manifest=manifest)
        return content or zipped(name, (versions or ("0.1.0",))[-1], ours="yes")

    def source(self, moon: MoonRegistry, name: str = "moon", *, at: str = "main", **wish: Any) -> Upstream:
        """A MoonBit registry as an upstream."""
        with self.standing(at):
            return source(self.team, moon, name, **wish)

    def mirror(self, upstream: Upstream, *patterns: str, at: str = "main", **options: Any) -> Brought:
        """A job over these patterns."""
        with self.standing(at):
            return mirror(self.team, upstream, *patterns, **options)

    def now(self, at: str) -> Registry:
        """The registry as the gate gives it."""
        return Registry.objects.select_related("workspace").get(pk=self.registries[at].pk)

    def index(self, at: str = "main") -> dict[str, list[str]]:
        """The versions in the newest commit of its index, by module; withdrawn ones end with `!`."""
        folder = served_index(self.now(at))
        names = git(folder, "ls-tree", "-r", "--name-only", "main").stdout.split()
        found = {name: git(folder, "show", f"main:{name}").stdout for name in names if name.startswith("user/")}
        rows = {name: [json.loads(line) for line in text.splitlines()] for name, text in found.items()}
        return {
            name.removeprefix("user/").removesuffix(".index"): [one["version"] + "!" * ("yanked" in one) for one in lines]
            for name, lines in rows.items()
        }

    def head(self, at: str = "main") -> str:
        """The newest commit of its index."""
        return git(served_index(self.now(at)), "rev-parse", "main").stdout.strip()

    def zip(self, name: str, version: str = "0.1.0", *, at: str = "main", slash: str = "/", who: str = "rita", method: str = "GET") -> Any:
        """As moon asks for it."""
        path = f"/{self.team.slug}/m/{at}/user/{name.replace('/', slash)}{slash}{version}.zip"
        headers = {"HTTP_AUTHORIZATION": f"Bearer {self.team.tokens[who]}"} if who else {}
        return Client().generic(method, path, **headers)  # type: ignore[arg-type]

    def fetch(self, name: str, version: str = "0.1.0", *, at: str = "main", slash: str = "/") -> bytes:
        """The same, which must succeed."""
        answer = self.zip(name, version, at=at, slash=slash)
        assert answer.status_code == 200, getattr(answer, "content", answer)
        return bytes(answer.getvalue())

    def read_lines(self, name: str, *, at: str = "main") -> Any:
        """A module's file, as another Gatehouse reads it."""
        headers = {"HTTP_AUTHORIZATION": f"Bearer {self.team.tokens['rita']}"}
        return Client().generic("GET", f"/{self.team.slug}/m/{at}/user/{name}.index", **headers)  # type: ignore[arg-type]


def key(row: Terrace, name: str, version: str, at: str = "shared") -> dict[str, Any]:
    return {"actor": row.team.actor("alice"), "registry": row.registries[at], "format": "moonbit", "name": name, "version": version}


def change(row: Terrace, link: str = "shared", **changes: Any) -> None:
    upstream = Upstream.objects.get(registry__workspace=row.team.space, name=link)
    change_upstream(actor=row.team.actor("alice"), upstream=upstream, changes=changes)  # type: ignore[arg-type]
