"""A cloned registry holds what the other held, shares its bytes, and goes its own way from then on."""

import pytest
from django.apps import apps
from django.db import models

from packages.models import BlobLink, File, Package, RetiredVersion, Tag, Tombstone, Version
from packages.services.versions import set_internal, unpublish_version
from registries.aliases import RegistryExists, SlugReserved
from registries.models import Registry
from registries.services import Changes, change_registry
from tests.api.cast import Cast, assemble, census
from tests.parts.gate import Place, made
from tests.parts.pack import pack
from tests.parts.recorder import Recorder
from upstreams.models import Origin, Pin, Upstream
from upstreams.services.clone import COPIES, LEFT_BEHIND, clone_registry
from upstreams.services.sources import create_upstream
from upstreams.services.wishes import UpstreamWish
from workspaces.errors import Denied, GatehouseError
from workspaces.models import Event
from workspaces.slugs import SlugInvalid


@pytest.fixture
def cast(db: None) -> Cast:
    return assemble()


def rows(registry: Registry) -> dict[str, object]:
    """What a reader can tell of a registry's content."""
    versions = Version.objects.filter(package__registry=registry)
    return {
        "packages": sorted(registry.packages.values_list("format", "name", "revision")),
        "versions": sorted(
            (*one[:-1], bytes(one[-1]))
            for one in versions.values_list("package__name", "version", "is_internal", "origin", "integrity", "created_at", "manifest")
        ),
        "tags": sorted(Tag.objects.filter(package__registry=registry).values_list("package__name", "name", "version__version")),
        "files": sorted(File.objects.filter(version__package__registry=registry).values_list("name", "blob__sha256")),
        "links": sorted(BlobLink.objects.filter(package__registry=registry).values_list("package__name", "blob__sha256")),
        "retired": sorted(RetiredVersion.objects.filter(registry=registry).values_list("name", "version")),
        "tombstones": sorted(Tombstone.objects.filter(registry=registry).values_list("name", "reason")),
        "upstreams": sorted(
            (one.name, one.url, one.priority, one.auth_type, bytes(one.secret_sealed)) for one in Upstream.objects.filter(registry=registry)
        ),
        "pins": sorted((one.name, bytes(one.integrities)) for one in Pin.objects.filter(registry=registry)),
    }


def filled(cast: Cast) -> Registry:
    alice = cast.actor("alice")
    wish = UpstreamWish(name="partner", url="https://partner.example.org", auth_type="bearer", secret="s3cret", priority=7)
    partner = create_upstream(actor=alice, registry=cast.main, wish=wish)
    set_internal(actor=alice, registry=cast.main, format="npm", name="@acme/foo", version="1.0.0", internal=False)
    cast.publish(pack("plain", "2.0.0"))
    unpublish_version(actor=alice, registry=cast.main, format="npm", name="plain", version="1.0.0")
    Tombstone.objects.create(workspace=cast.acme, registry=cast.main, format="npm", name="once", reason="for tests")
    Pin.objects.create(registry=cast.main, format="npm", name="seen", integrities=b'{"1.0.0":"sha512-x"}')
    pulled = Version.objects.get(package__registry=cast.main, package__name="plain")
    Origin.objects.create(version=pulled, upstream=partner, upstream_name="partner", address="https://partner.example.org/x")
    return cast.main


def test_a_clone_holds_the_same(cast: Cast) -> None:
    main = filled(cast)
    before = rows(main)
    clone = clone_registry(actor=cast.actor("alice"), registry=main, slug="copy")
    assert rows(clone) == rows(main) == before
    assert (clone.slug, clone.is_default, clone.is_internal, clone.visibility) == ("copy", False, True, "private")
    origin = Origin.objects.get(version__package__registry=clone)
    assert (origin.upstream and origin.upstream.registry_id, origin.upstream_name) == (clone.pk, "partner")
    event = Event.objects.filter(action="registry.cloned").get()
    assert (event.object, event.old, (event.new or {})["packages"]) == ("acme/copy", {"slug": "main"}, 2)
    assert "s3cret" not in str(event.new)


def test_then_each_goes_its_own_way(cast: Cast) -> None:
    main = filled(cast)
    clone = clone_registry(actor=cast.actor("alice"), registry=main, slug="copy")
    kept = rows(main)
    cast.publish(pack("only-there", "1.0.0"), registry=clone)
    unpublish_version(actor=cast.actor("alice"), registry=clone, format="npm", name="@acme/foo", version="2.0.0")
    assert rows(main) == kept
    assert not Package.objects.filter(registry=main, name="only-there").exists()


@pytest.mark.parametrize("who", ["bob", "rita", "mallory", "readonly", "scoped"])
def test_only_admins_clone(cast: Cast, who: str) -> None:
    before = census()
    answer = cast.call(who, "POST", "/api/v1/workspaces/acme/registries/main/clone/", {"slug": "copy"})
    assert answer.status_code == (404 if who == "mallory" else 403)
    assert census() == before


@pytest.mark.parametrize(("slug", "error"), [("main", RegistryExists), ("old", SlugReserved), ("New!", SlugInvalid), ("npm", SlugInvalid)])
def test_a_slug_that_is_not_free(cast: Cast, slug: str, error: type[GatehouseError]) -> None:
    alice = cast.actor("alice")
    for name in ("old", "main"):
        change_registry(actor=alice, registry=cast.main, changes=Changes(slug=name))
    before = census()
    with pytest.raises(error):
        clone_registry(actor=alice, registry=cast.main, slug=slug)
    assert census() == before


def test_a_token_held_to_the_registry_does_not_clone_it(cast: Cast) -> None:
    from tokens.services.authenticate import actor_of_token
    from tokens.services.issue import Wish, create_token

    held = create_token(actor=cast.actor("alice"), wish=Wish(name="held", registries=[cast.main.pk]))
    before = census()
    with pytest.raises(Denied):
        clone_registry(actor=actor_of_token(held.secret, "127.0.0.1"), registry=cast.main, slug="copy")
    assert census() == before


def test_no_table_of_a_registry_is_forgotten() -> None:
    """A table that reaches a registry, package, version or upstream is copied, or left behind on purpose."""
    reach = {Registry, Package, Version, Upstream}
    known = {one.model.__name__ for one in COPIES} | LEFT_BEHIND
    for model in apps.get_models():
        targets = {field.related_model for field in model._meta.concrete_fields if isinstance(field, models.ForeignKey)}
        if targets & reach:
            assert model.__name__ in known, f"{model.__name__}: copy it in upstreams/services/clone.py, or leave it behind"


def test_a_clone_serves_at_once_and_the_old_goes_on(place: Place, recorder: Recorder) -> None:
    place.upstream(recorder)
    recorder.add("from-outside", "1.0.0")
    own = pack("@acme/own")
    place.publish(own)
    assert place.as_("rita").get("/from-outside/-/from-outside-1.0.0.tgz").status == 200
    place.set_internal("@acme/own", "1.0.0", internal=False)
    made(place.api().post(f"{place.rest}clone/", {"slug": "copy"}))
    copy = Place(place.gate, place.slug, "copy", place.tokens)
    recorder.forget()
    for one in (copy, place):
        document = one.as_("rita").get("/@acme%2fown").json()
        assert document["versions"]["1.0.0"]["dist"]["tarball"] == f"{one.url}@acme/own/-/own-1.0.0.tgz"
        assert one.as_("rita").get("/@acme/own/-/own-1.0.0.tgz").body == own.tarball
        assert one.as_("rita").get("/from-outside/-/from-outside-1.0.0.tgz").status == 200
        assert one.api().get(f"{one.rest}packages/npm/@acme%2fown/versions/1.0.0/").json()["internal"] is False
    assert recorder.asked("from-outside", tarball=True) == []
    copy.publish(pack("@acme/own", "2.0.0"))
    assert (copy.versions("@acme/own"), place.versions("@acme/own")) == (["1.0.0", "2.0.0"], ["1.0.0"])
