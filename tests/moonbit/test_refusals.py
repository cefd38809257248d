"""Every error the house knows, said by the MoonBit door: a status, a line of text, never a 500."""

import importlib
import pkgutil
from collections.abc import Iterator

import pytest

import packages
import registries
import tokens
import upstreams
import workspaces
from protocols.moonbit.errors import answer
from workspaces.errors import GatehouseError, Unauthenticated, Unavailable

ROOTS = (packages, registries, tokens, upstreams, workspaces)


def every(kind: type[GatehouseError] = GatehouseError) -> Iterator[type[GatehouseError]]:
    yield kind
    for one in kind.__subclasses__():
        yield from every(one)


def test_no_error_is_a_fault_of_ours() -> None:
    for root in ROOTS:
        for module in pkgutil.walk_packages(root.__path__, f"{root.__name__}."):
            if "migrations" not in module.name and "commands" not in module.name:
                importlib.import_module(module.name)
    kinds = set(every())
    assert len(kinds) > 60
    for kind in kinds:
        error = kind.__new__(kind)
        error.message, error.fields = "A sentence.", {}
        if isinstance(error, Unavailable):
            error.retry_after = 5
        response = answer(error)
        assert 300 <= response.status_code < 600
        assert response.status_code != 500 or isinstance(error, Unavailable), kind
        assert response.content == b"A sentence.\n"
        assert response.headers["content-type"].startswith("text/plain")
        assert ("WWW-Authenticate" in response.headers) == isinstance(error, Unauthenticated)


@pytest.mark.parametrize("slug", ["UPPER", "a" * 60, "-x", "%00", "é"])
@pytest.mark.django_db
def test_odd_slugs_look_like_unknown_ones(slug: str) -> None:
    from django.test import Client

    answer = Client().get(f"/{slug}/m/main/user/acme/core/0.1.0.zip")
    assert answer.status_code == 401
