"""A renderer that lost the race stores nothing that is served (reference/speed.md, "Never stale by design")."""

import orjson
import pytest

from packages.blobs import Staging
from packages.formats.npm.names import parse_new
from packages.formats.npm.packument import Manifest
from packages.formats.publication import Publication
from packages.services.publish import publish
from registries.models import Registry
from registries.services import create_registry
from tokens.services.authenticate import actor_of_user
from upstreams.services import documents
from upstreams.services.files import open_file
from upstreams.services.resolve import Resolution
from workspaces.access import Actor
from workspaces.models import User
from workspaces.services.people import create_user
from workspaces.services.spaces import create_workspace

NAME = parse_new("@acme/raced")
BASE = "http://localhost/acme/r/main"


@pytest.fixture
def registry(db: None) -> Registry:
    create_user(actor=Actor(None, "set-up", is_operator=True), username="alice", password="correct horse battery")
    workspace = create_workspace(actor=alice(), slug="acme")
    return create_registry(actor=alice(), workspace=workspace, slug="main")


def alice() -> Actor:
    return actor_of_user(User.objects.get(username="alice"))


def put(registry: Registry, version: str) -> None:
    with Staging(limit=1000) as staging:
        staging.write(f"bytes of {version}".encode())
        publish(
            actor=alice(),
            registry=registry,
            publication=Publication(
                format="npm",
                name=NAME.full,
                version=version,
                manifest=b'{"dist":{}}',
                tags=("latest",),
                filename=NAME.tarball(version),
                file=staging.finish(),
            ),
        )


def shown(registry: Registry) -> list[str]:
    return sorted(orjson.loads(documents.packument(registry, NAME, "full", BASE).plain())["versions"])


def test_a_document_of_an_older_decision_is_not_kept(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    put(registry, "1.0.0")
    compose = documents.composed

    def overtaken(resolution: Resolution) -> Manifest:
        """Between our decision and our bytes somebody publishes, and a tarball request writes the newer decision down."""
        monkeypatch.setattr(documents, "composed", compose)
        slow = compose(resolution)
        put(registry, "1.0.1")
        open_file(registry, NAME, NAME.tarball("1.0.1"))
        return slow

    monkeypatch.setattr(documents, "composed", overtaken)
    assert shown(registry) == ["1.0.0"]  # begun before the publish, answered once
    assert shown(registry) == ["1.0.0", "1.0.1"]


def test_nothing_changed_means_the_same_bytes(registry: Registry) -> None:
    put(registry, "1.0.0")
    first, again = (documents.packument(registry, NAME, "full", BASE) for _ in range(2))
    assert (first.etag, first.body) == (again.etag, again.body)
