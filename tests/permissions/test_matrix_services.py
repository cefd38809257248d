"""Service tokens at every address of REST below a workspace: each does what a person of its role does, and its scopes leave no more.

The rows are the people's own (test_matrix_api); here stands who a service token is like, and where it is not.
"""

from typing import Any

import pytest
from django.db import transaction

from tests.api.cast import Cast, census
from tests.permissions.test_matrix_api import CALLERS, MATRIX, filled
from tokens.services.authenticate import actor_of_user
from tokens.services.issue import Wish, create_service_token
from workspaces.access import Role
from workspaces.models import User

READ, WRITE, DELETE = (f"npm:package:@acme/*:{word}" for word in ("read", "write", "delete"))
# its role and wish, and the person (of CALLERS) whose row it has
ROBOTS: dict[str, tuple[Role, dict[str, Any], str]] = {
    "reader": (Role.READER, {}, "rita"),
    "publisher": (Role.PUBLISHER, {}, "bob"),
    "admin": (Role.ADMIN, {}, "adam"),
    "read-only": (Role.ADMIN, {"read_only": True}, "readonly"),
    "write": (Role.ADMIN, {"scopes": [WRITE]}, "scoped"),
}
ROWS = sorted(row for row in MATRIX if "<ws>" in row[1])


@pytest.mark.parametrize(("method", "address"), ROWS)
def test_a_service_token_is_like_its_role(cast: Cast, method: str, address: str) -> None:
    codes, body = MATRIX[method, address]
    expected = dict(zip(CALLERS, codes, strict=True))
    got, wanted = {}, {}
    made = {name: robot(cast, role, wish) for name, (role, wish, _like) in ROBOTS.items()}
    before = census()
    for name, (_role, _wish, like) in ROBOTS.items():
        with transaction.atomic():
            answer = made[name].call(name, method, filled(cast, address), body)
            got[name], wanted[name] = answer.status_code, expected[like]
            if answer.status_code >= 400:
                assert census() == before, f"{name} was refused and something changed"
            transaction.set_rollback(True)
    assert got == wanted


@pytest.mark.parametrize(
    ("scope", "codes"),
    [
        (READ, (200, 403, 403, 403)),
        (WRITE, (200, 200, 403, 403)),
        (DELETE, (403, 403, 204, 403)),
        ("npm:package:@acme/*:*", (200, 200, 204, 403)),
        ("npm:package:@other/*:*", (403, 403, 403, 403)),
        ("oci:repository:*:*", (403, 403, 403, 403)),
        ("npm:*:*:*", (200, 200, 204, 403)),
    ],
)
def test_a_scope_gives_what_it_says(cast: Cast, scope: str, codes: tuple[int, ...]) -> None:
    """Reading, tagging, deleting, and flagging one package, by a service token of an admin's role."""
    caller = robot(cast, Role.ADMIN, {"scopes": [scope]})
    foo = "/api/v1/workspaces/acme/registries/main/packages/npm/@acme/foo/"
    asked = (("GET", "", None), ("PUT", "tags/next/", {"version": "1.0.0"}), ("DELETE", "versions/1.0.0/", None))
    asked = (*asked, ("PATCH", "versions/1.0.0/", {"internal": False}))  # type: ignore[assignment]
    got = []
    for method, path, body in asked:
        with transaction.atomic():
            got.append(caller.call("it", method, foo + path, body).status_code)
            transaction.set_rollback(True)
    assert tuple(got) == codes


class Robot:
    """A service token that asks."""

    def __init__(self, cast: Cast, secret: str) -> None:
        self.cast, self.value = cast, secret

    def call(self, name: str, method: str, path: str, body: object) -> Any:
        """As the cast does it, under that name."""
        return self.cast.call("nobody", method, path, body, Authorization=f"Bearer {self.value}") if name else None


def robot(cast: Cast, role: Role, wish: dict[str, Any]) -> Robot:
    """A fresh service token of acme."""
    alice = actor_of_user(User.objects.get(username="alice"))
    issued = create_service_token(actor=alice, workspace=cast.main.workspace, role=role, wish=Wish(name="robot", **wish))
    return Robot(cast, issued.secret)
