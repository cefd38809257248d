"""A workspace's own page, its name and its end."""

from collections.abc import Callable

from django.test import Client

from packages.models import Blob, Package, Usage, Version
from packages.services.counting import count_usage
from registries.services import create_registry
from tests.web.addresses import text
from tests.web.conftest import World
from upstreams.services.removal import unpublish_version
from workspaces.models import Event, User, Workspace


def test_the_overview_tells_how_much_there_is_and_what_happened(alice: Client, put: Callable[..., Version], world: World) -> None:
    for number in range(3):
        put("@acme/http", f"1.{number}.0")
    assert count_usage() == 1
    size = sum(Version.objects.values_list("size", flat=True))
    usage = Usage.objects.get()
    assert (usage.packages, usage.versions, usage.bytes) == (1, 3, size)
    page = text(alice, "/acme/")
    assert "<dt>Versions</dt><dd>3</dd>" in page
    assert "A version was published" in page.partition("Lately")[2]
    assert count_usage() == 0, "nothing changed"
    unpublish_version(actor=world.actor("alice"), registry=world.main, format="npm", name="@acme/http", version="1.2.0")
    assert count_usage() == 1
    rows = alice.get("/api/v1/workspaces/acme/usage/").json()["results"]
    assert [(row["registry"], row["versions"]) for row in rows] == [("main", 2)]


def test_registries_come_a_page_at_a_time_and_are_found(alice: Client, world: World) -> None:
    for number in range(30):
        create_registry(actor=world.actor("alice"), workspace=world.workspace, slug=f"lib-{number:02}")
    first, second = text(alice, "/acme/"), text(alice, "/acme/?page=2")
    last = 'href="/acme/registries/lib-29/">lib-29</a>'
    assert ("lib-00</a>" in first, last in first, last in second) == (True, False, True)
    found = text(alice, "/acme/?q=LIB-2")
    assert (found.count('<th scope="row"><a'), "lib-05</a>" in found) == (10, False)
    assert "Nothing matches" in text(alice, "/acme/?q=zzz")


def test_an_owner_renames_and_deletes(alice: Client, put: Callable[..., Version], sign_in: Callable[[str], Client]) -> None:
    put("@acme/http", "1.0.0")
    assert alice.post("/acme/settings/", {"name": "Acme Ltd"}).status_code == 302
    assert "<h1>Acme Ltd</h1>" in text(alice, "/acme/")
    asked = alice.post("/acme/delete/")
    assert (asked.status_code, "Delete for good" in asked.content.decode()) == (200, True)
    assert alice.post("/acme/delete/", {"confirm": "yes", "typed": "acne"}).status_code == 400
    assert Workspace.objects.filter(slug="acme").exists()
    blobs = Blob.objects.count()
    assert alice.post("/acme/delete/", {"confirm": "yes", "typed": "acme"}).status_code == 302
    assert not Package.objects.exists()
    assert Workspace.objects.get().slug == "globex"
    assert (Blob.objects.count(), alice.get("/acme/").status_code) == (blobs, 404)
    assert Event.objects.get(action="workspace.deleted").workspace is None
    assert sign_in("bob").get("/").status_code == 200
    taken = alice.post("/", {"slug": "acme"})  # clients that still name it would install from whoever gets it
    assert (taken.status_code, "was deleted" in taken.content.decode()) == (409, True)
    User.objects.filter(username="alice").update(is_superuser=True)
    assert sign_in("alice").post("/", {"slug": "acme"}).status_code == 302
