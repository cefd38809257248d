"""`npm token list` and `revoke`: the shape npm needs, pages, and by which words a token is named."""

import pytest

from protocols.npm.views import tokens as view
from tests.npm.team import Team, facts
from tokens.models import Token
from tokens.secrets import digest
from tokens.services.issue import Issued, Wish, create_token
from workspaces.models import Event

TOKENS = "/-/npm/v1/tokens"


def issued(team: Team, who: str = "bob", **wish: object) -> Issued:
    return create_token(actor=team.actor(who), wish=Wish(name="one", **wish))  # type: ignore[arg-type]


def key_of(team: Team, one: Issued) -> str:
    rows = team.send("bob", "GET", TOKENS).json()["objects"]
    return str(next(row["key"] for row in rows if one.secret.startswith(row["token"])))


def revoke(team: Team, named: str, who: str = "bob") -> int:
    return int(team.send(who, "DELETE", f"{TOKENS}/token/{named}").status_code)


def test_the_shape(team: Team) -> None:
    one = issued(team, cidrs=["10.0.0.0/8"], read_only=True)
    told = team.send("bob", "GET", TOKENS).json()
    assert (told["total"], told["urls"], len(told["objects"])) == (2, {}, 2)
    newest = told["objects"][0]
    assert set(newest) == {"token", "key", "name", "created", "updated", "readonly", "cidr_whitelist", "expires", "scopes"}
    assert (newest["token"], newest["readonly"], newest["cidr_whitelist"]) == (one.secret[:8], True, ["10.0.0.0/8"])
    assert one.secret[8:] not in str(told)
    assert one.token.secret_hash not in str(told)
    assert digest(one.secret) != newest["key"], "the key is none of the two"


def test_pages_that_npm_follows(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(view, "PAGE", 2)
    for _ in range(4):
        issued(team)
    seen, path = [], TOKENS
    while path:
        told = team.send("bob", "GET", path).json()
        assert told["total"] == 5
        assert len(told["objects"]) <= 2
        seen += [row["key"] for row in told["objects"]]
        following = told["urls"].get("next", "")
        assert following.startswith(f"http://testserver/{team.slug}/r/main{TOKENS}?page=") or not following
        path = following.partition("/r/main")[2]
    assert len(set(seen)) == len(seen) == 5
    assert team.send("bob", "GET", f"{TOKENS}?page=99").json()["objects"] == []
    for page in ("-1", "x", "9" * 30, "1.5", "%00", "\u0661"):
        answer = team.send("bob", "GET", f"{TOKENS}?page={page}")
        assert (answer.status_code, list(answer.json()["fields"])) == (400, ["page"])


@pytest.mark.parametrize("word", ["key", "short key", "beginning", "beginning as listed", "secret"])
def test_revoked_by(team: Team, word: str) -> None:
    one = issued(team)
    words = {"key": key_of(team, one), "secret": one.secret, "beginning": one.secret[:8], "beginning as listed": f"{one.secret[:8]}…"}
    words["short key"] = words["key"][:6]
    assert revoke(team, words[word]) == 204
    assert not Token.objects.filter(pk=one.token.pk).exists()
    assert team.send(one.secret, "GET", "/-/whoami").status_code == 401
    assert Event.objects.filter(action="token.revoked").count() == 1
    assert revoke(team, words[word]) == 404


def test_what_names_no_token_of_the_callers(team: Team) -> None:
    one, hers = issued(team), issued(team, "alice")
    key, before = key_of(team, one), facts()
    words = [
        "x",
        "gth_",
        "gth_x",
        key[:5],
        key[1:],
        key.upper(),
        one.secret[:9],
        one.secret[:-1],
        one.secret + "x",
        hers.secret,
        hers.secret[:8],
    ]
    words += [one.token.secret_hash, str(one.token.pk), "%00", "%", "…", "..", "a" * 5000, "%F0%9F%98%80" * 9]
    for word in words:
        answer = team.send("bob", "DELETE", f"{TOKENS}/token/{word}")
        assert (answer.status_code, answer.json()["code"]) == (404, "token_not_found"), word
    assert revoke(team, key, "alice") == 404
    assert revoke(team, key, "mallory") == 404
    assert revoke(team, key, "") == 401
    assert facts() == before


def test_a_beginning_that_two_share_ends_neither(team: Team) -> None:
    one, two = issued(team), issued(team)
    Token.objects.filter(pk=two.token.pk).update(prefix=one.secret[:8])
    before = facts()
    answer = team.send("bob", "DELETE", f"{TOKENS}/token/{one.secret[:8]}")
    assert (answer.status_code, answer.json()["code"]) == (409, "token_ambiguous")
    assert facts() == before
    assert revoke(team, one.secret) == 204


def test_the_cost_does_not_grow_with_tokens(team: Team, django_assert_max_num_queries: object) -> None:
    for _ in range(30):
        issued(team)
    one = issued(team)
    with django_assert_max_num_queries(12):  # type: ignore[operator]
        assert revoke(team, one.secret[:8]) == 204
    with django_assert_max_num_queries(8):  # type: ignore[operator]
        assert team.send("bob", "GET", TOKENS).json()["total"] == 31
