"""Every list: pages, an order, filters; what is not known is told."""

import pytest

from api.base import ListDoor
from api.urls import urlpatterns
from packages.services.counting import count_usage
from tests.api.cast import ACME, FOO, MAIN, V1, Cast

LISTS = {
    V1 + "users/": ("root", "username"),
    V1 + "tokens/": ("alice", "name"),
    V1 + "sessions/": ("alice", "seen_at"),
    V1 + "workspaces/": ("root", "slug"),
    ACME + "members/": ("alice", "username"),
    ACME + "usage/": ("alice", "registry"),
    ACME + "tokens/": ("alice", "name"),
    ACME + "alerts/": ("alice", "last_at"),
    ACME + "events/": ("alice", "id"),
    ACME + "claims/": ("alice", "pattern"),
    ACME + "invitations/": ("alice", "expires_at"),
    ACME + "secrets/": ("alice", "name"),
    ACME + "webhooks/": ("alice", "id"),
    ACME + "webhooks/{webhook}/deliveries/": ("alice", "id"),
    ACME + "tombstones/": ("alice", "name"),
    ACME + "registries/": ("alice", "slug"),
    MAIN + "aliases/": ("alice", "slug"),
    MAIN + "upstreams/": ("alice", "priority"),
    MAIN + "mirrors/": ("alice", "id"),
    MAIN + "schedules/": ("alice", "id"),
    MAIN + "packages/": ("alice", "name"),
    MAIN + "packages/npm/": ("alice", "name"),
    FOO + "versions/": ("alice", "version"),
    FOO + "tags/": ("alice", "name"),
    FOO + "dependents/": ("alice", "name"),
}
FILTERS = {
    ACME + "members/": ("role", "publisher", "reader", "king"),
    V1 + "tokens/": ("search", "ONLY", "nowhere", "x" * 129),
    ACME + "tokens/": ("search", "c", "nowhere", "x" * 129),
    ACME + "registries/": ("visibility", "private", "public", "secret"),
    MAIN + "upstreams/": ("enabled", "true", "false", "perhaps"),
    MAIN + "mirrors/": ("state", "queued", "failed", "lost"),
    MAIN + "schedules/": ("enabled", "true", "false", "perhaps"),
    ACME + "webhooks/": ("active", "true", "false", "perhaps"),
    FOO + "versions/": ("origin", "published", "pulled", "found"),
}


def test_every_list_is_here() -> None:
    lists = [pattern for pattern in urlpatterns if issubclass(pattern.callback.view_class, ListDoor)]  # type: ignore[attr-defined]
    assert len(lists) == len(LISTS)


@pytest.mark.parametrize("path", LISTS)
def test_it_is_ordered_both_ways_and_in_pages(cast: Cast, path: str) -> None:
    who, word = LISTS[path]
    path = path.format(webhook=cast.webhook.pk)
    count_usage()  # as the sweep does
    forth = [row[word] for row in cast.get(f"{path}?ordering={word}&page_size=200", who)["results"]]
    back = [row[word] for row in cast.get(f"{path}?ordering=-{word}&page_size=200", who)["results"]]
    assert forth
    assert (forth, back) == (sorted(forth), sorted(back, reverse=True))
    first = cast.get(f"{path}?ordering=-{word}&page_size=1", who)
    assert (len(first["results"]), first["results"][0][word], first["count"]) == (1, back[0], len(back))
    for wrong in ("nonsense", "pk", "password", f"{word},", "--" + word, "", f"{word}__in", "%00"):
        refused = cast.call(who, "GET", f"{path}?ordering={wrong}")
        assert (refused.status_code, set(refused.json()["fields"])) == (400, {"ordering"}), wrong
        assert word in refused.json()["error"]
    assert cast.call(who, "GET", f"{path}?nonsense=1").status_code == 400
    assert cast.call(who, "GET", f"{path}?page_size=none").status_code == 400
    assert cast.call(who, "GET", f"{path}?page=999").status_code == 404


@pytest.mark.parametrize("path", FILTERS)
def test_it_is_filtered(cast: Cast, path: str) -> None:
    word, some, none, wrong = FILTERS[path]
    everything = cast.get(path)["count"]
    assert cast.get(f"{path}?{word}={some}")["count"] > 0
    assert cast.get(f"{path}?{word}={none}")["count"] < everything
    refused = cast.call("alice", "GET", f"{path}?{word}={wrong}")
    assert (refused.status_code, set(refused.json()["fields"])) == (400, {word})
