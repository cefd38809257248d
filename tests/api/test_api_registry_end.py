"""The end of a registry: archived, it is only read; deleted, it is gone, and its internal names stay internal."""

from django.apps import apps

from packages.models import Blob, Package, SearchEntry, Tombstone, Version
from registries.models import Registry
from tests.api.cast import ACME, FOO, MAIN, Cast
from workspaces.models import Event


def test_an_archived_registry_is_read_and_not_written(cast: Cast) -> None:
    answer = cast.call("adam", "PATCH", MAIN, {"archived": True})
    assert (answer.status_code, answer.json()["archived"]) == (200, True)
    assert cast.call("rita", "GET", FOO).status_code == 200
    for method, path, body in (
        ("DELETE", FOO, None),
        ("PUT", f"{FOO}tags/next/", {"version": "1.0.0"}),
        ("POST", f"{MAIN}mirrors/", {"upstream": "npm", "patterns": ["x"]}),
        ("PATCH", f"{FOO}versions/1.0.0/", {"deprecated": "old"}),
    ):
        refused = cast.call("alice", method, path, body)
        assert (refused.status_code, refused.json()["code"]) == (403, "registry_archived"), (method, path, refused.content)
    assert "registry_archived" not in cast.call("rita", "DELETE", FOO).content.decode(), "who may not write hears that first"
    assert cast.call("adam", "PATCH", MAIN, {"archived": False}).status_code == 200
    assert cast.call("bob", "PUT", f"{FOO}tags/next/", {"version": "1.0.0"}).status_code == 200


def test_a_deleted_registry_leaves_nothing_but_its_names(cast: Cast) -> None:
    assert cast.call("adam", "POST", f"{ACME}registries/", {"slug": "second"}).status_code == 201
    registry = Registry.objects.get(workspace__slug="acme", slug="main")
    blobs = Blob.objects.count()
    assert Package.objects.filter(registry=registry).exists()
    assert cast.call("adam", "DELETE", MAIN).status_code == 204
    assert cast.call("adam", "GET", MAIN).status_code == 404
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            if field.related_model is Registry:
                assert not model._base_manager.filter(**{field.name: registry.pk}).exists(), (model, field)
    assert not Version.objects.filter(package__name="@acme/foo").exists()
    assert not SearchEntry.objects.filter(folded="@acme/foo").exists()
    assert Blob.objects.count() == blobs, "bytes are the collection's"
    assert Tombstone.objects.filter(workspace__slug="acme", registry=None, format="npm", name="@acme/foo").exists()
    assert Registry.objects.filter(workspace__slug="acme", is_default=True).count() == 1
    event = Event.objects.get(action="registry.deleted")
    assert event.old is not None
    assert (event.actor, event.object, event.old["packages"] > 0) == ("adam", "acme/main", True)


def test_a_registry_that_feeds_another_stays(cast: Cast) -> None:
    assert cast.call("adam", "POST", f"{ACME}registries/", {"slug": "second"}).status_code == 201
    wish = {"name": "home", "kind": "registry", "format": "npm", "registry": "main", "priority": 1}
    assert cast.call("adam", "POST", f"{ACME}registries/second/upstreams/", wish).status_code == 201
    refused = cast.call("adam", "DELETE", MAIN)
    assert (refused.status_code, refused.json()["code"]) == (409, "registry_feeds_others")
    assert "acme/second" in refused.json()["error"]
    assert Registry.objects.filter(workspace__slug="acme", slug="main").exists()
