"""The thin path forgets a slug in the moment it is given up: nothing remembered of it answers."""

import pytest

from tests.parts.gate import Place
from tests.parts.pack import pack

GZIP = {"accept-encoding": "gzip"}


@pytest.mark.parametrize("path", ["/warm", "/warm/-/warm-1.0.0.tgz"])
def test_what_was_hot_is_sent_on_after_a_rename(place: Place, path: str) -> None:
    place.publish(pack("warm"))
    rita = place.as_("rita")
    for _ in range(6):
        answer = rita.request("GET", path, headers=GZIP)
    assert (answer.status, answer.headers.get("x-gatehouse-path")) == (200, "hot")
    assert place.api().patch(place.rest, {"slug": "newer"}).status == 200
    for _ in range(6):  # both processes
        moved = rita.request("GET", path, headers=GZIP)
        assert (moved.status, moved.headers["location"]) == (308, f"/{place.slug}/r/newer{path}")
    now = Place(place.gate, place.slug, "newer", place.tokens)
    assert now.as_("rita").request("GET", path, headers=GZIP).status == 200
    assert now.api().delete(f"{now.rest}aliases/main/").status == 204
    for _ in range(6):
        assert rita.request("GET", path, headers=GZIP).status == 404
    place.api().post(f"/api/v1/workspaces/{place.slug}/registries/", {"slug": "main"})
    for _ in range(6):
        assert rita.request("GET", path, headers=GZIP).status == 404
    assert now.as_("rita").request("GET", path, headers=GZIP).status == 200
