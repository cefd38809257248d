"""`Actor.may` with rights on single names: asked last, never for reading, and never beyond what a token leaves."""

from dataclasses import dataclass, field

import pytest

from workspaces.access import ALL, Action, Actor, Grant, Role, Target, parse_scope


@dataclass
class Place:
    id: int = 1
    workspace_id: int = 7
    is_public: bool = False


@dataclass
class Asked:
    """Rights that remember whether they were asked."""

    gives: frozenset[Action] = frozenset()
    asked: list[Target] = field(default_factory=list)

    def on(self, registry_id: int, target: Target) -> frozenset[Action]:
        assert registry_id == 1
        self.asked.append(target)
        return self.gives


WRITE, MAINTAIN = frozenset({Action.PUBLISH}), frozenset({Action.PUBLISH, Action.MAINTAIN})
NAME = Target("npm", "@acme/foo")


def actor(role: Role | None, gives: frozenset[Action] = frozenset(), grant: Grant | None = None) -> tuple[Actor, Asked]:
    rights = Asked(gives)
    return Actor(5, "rita", roles={} if role is None else {7: role}, grant=grant, rights=rights), rights


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("action", [Action.READ, Action.STAR])
def test_reading_never_asks_for_rights(role: Role, action: Action) -> None:
    who, rights = actor(role, MAINTAIN)
    assert who.may(action, Place(), NAME)
    assert rights.asked == []


@pytest.mark.parametrize("role", [Role.PUBLISHER, Role.ADMIN, Role.OWNER])
def test_who_publishes_by_role_is_not_looked_up(role: Role) -> None:
    who, rights = actor(role)
    assert who.may(Action.PUBLISH, Place(), NAME)
    assert rights.asked == []


def test_rights_on_a_name() -> None:
    for gives, publish, maintain in ((frozenset(), False, False), (WRITE, True, False), (MAINTAIN, True, True)):
        who, _ = actor(Role.READER, gives)
        assert (who.may(Action.PUBLISH, Place(), NAME), who.may(Action.MAINTAIN, Place(), NAME)) == (publish, maintain)
        assert not any(who.may(action, Place(), NAME) for action in (Action.DELETE, Action.MANAGE, Action.OWN))
        assert not who.may(Action.PUBLISH, Place(), ALL)


def test_rights_are_nothing_without_membership() -> None:
    for place in (Place(), Place(is_public=True)):
        who, rights = actor(None, MAINTAIN)
        assert not who.may(Action.PUBLISH, place, NAME)
        assert not who.may(Action.MAINTAIN, place, NAME)
        assert rights.asked == []


@pytest.mark.parametrize(
    ("grant", "publish", "maintain", "star"),
    [
        (Grant(1), True, True, True),
        (Grant(1, read_only=True), False, False, False),
        (Grant(1, registries=frozenset({2})), False, False, False),
        (Grant(1, registries=frozenset({1})), True, True, True),
        (Grant(1, scopes=()), False, False, False),
        (Grant(1, scopes=(parse_scope("npm:package:@acme/*:write"),)), True, False, True),
        (Grant(1, scopes=(parse_scope("npm:package:@acme/*:read"),)), False, False, False),
        (Grant(1, scopes=(parse_scope("npm:*:*:*"),)), True, False, True),
        (Grant(1, scopes=(parse_scope("npm:package:other:write"),)), False, False, False),
    ],
)
def test_a_token_leaves_less(grant: Grant, publish: bool, maintain: bool, star: bool) -> None:  # noqa: FBT001 - a table
    who, _ = actor(Role.READER, MAINTAIN, grant)
    got = tuple(who.may(action, Place(), NAME) for action in (Action.PUBLISH, Action.MAINTAIN, Action.STAR))
    assert got == (publish, maintain, star)


def test_who_published_maintains_while_their_role_publishes() -> None:
    own = Target("npm", "@acme/foo", is_own=True)
    expected = {Role.READER: False, Role.PUBLISHER: True, Role.ADMIN: True, Role.OWNER: True}
    assert {role: actor(role)[0].may(Action.MAINTAIN, Place(), own) for role in Role} == expected
    assert not actor(Role.PUBLISHER)[0].may(Action.MAINTAIN, Place(), NAME)
    assert not actor(Role.PUBLISHER)[0].may(Action.DELETE, Place(), own)


def test_a_restricted_name_is_read_by_members_alone() -> None:
    public, hidden = Place(is_public=True), Target("npm", "@acme/foo", is_restricted=True)
    for role, reads in ((None, False), *((role, True) for role in Role)):
        assert actor(role)[0].may(Action.READ, public, hidden) is reads
        assert actor(role)[0].may(Action.READ, public, NAME)
    assert not Actor().may(Action.READ, public, hidden)
    assert Actor(is_operator=True, user_id=1).may(Action.READ, public, hidden)
