"""What the entry asks before it receives a long body: who may send it here, and how much of it this address takes."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from django.conf import settings
from django.http import HttpResponse

from packages.formats.npm.scan import SKELETON_LIMIT
from protocols.bodies import BodyRefused, receive_body
from protocols.npm.admit import admit
from tests.npm.team import Team


def asked(team: Team, method: str, path: str, who: str = "alice", **more: str) -> HttpResponse | int:
    headers = {"transfer-encoding": "chunked", "host": "localhost", **more}
    if who:
        headers["authorization"] = f"Bearer {team.tokens[who]}"
    return admit(method, f"/{team.slug}/r/main{path}", headers, "127.0.0.1")


def test_a_route_takes_what_its_view_takes(team: Team) -> None:
    limits = {
        ("PUT", "/any"): settings.PUBLISH_LIMIT,
        ("PUT", "/@acme/any"): settings.PUBLISH_LIMIT,
        ("PUT", "/any/-rev/1"): SKELETON_LIMIT,
        ("PUT", "/-/package/any/dist-tags/next"): settings.SMALL_BODY_LIMIT,
        ("POST", "/-/v1/login"): settings.SMALL_BODY_LIMIT,
    }
    assert {(method, path): asked(team, method, path) for method, path in limits} == limits
    for path in ("//any", "/a/b/c/d"):  # what is no address is said before the body comes
        answer = asked(team, "PUT", path)
        assert isinstance(answer, HttpResponse)
        assert answer.status_code == 404


@pytest.mark.parametrize(
    ("method", "path"), [("PUT", "/any/1.0.0"), ("PUT", "/any/-/any-1.0.0.tgz"), ("POST", "/any"), ("HEAD", "/-/v1/login")]
)
def test_an_address_without_such_a_method_takes_no_body(team: Team, method: str, path: str) -> None:
    answer = asked(team, method, path)
    assert isinstance(answer, HttpResponse)
    assert (answer.status_code, bool(answer.content), bool(answer.headers["Allow"])) == (405, True, True)


def test_who_may_not_publish_is_refused(team: Team) -> None:
    for who, status in (("rita", 403), ("mallory", 404)):
        answer = asked(team, "PUT", "/any", who, **{"Content-Length": str(settings.SMALL_BODY_LIMIT + 1)})
        assert isinstance(answer, HttpResponse)
        assert answer.status_code == status


def test_a_reader_may_send_what_a_star_is(team: Team) -> None:
    for path in ("/any", "/any/-rev/1"):
        assert asked(team, "PUT", path, "rita") == settings.SMALL_BODY_LIMIT
        for who, status in (("mallory", 404), ("", 401)):
            answer = asked(team, "PUT", path, who)
            assert isinstance(answer, HttpResponse)
            assert answer.status_code == status


def receiving(headers: dict[str, str], pieces: list[bytes], answer: BodyRefused | int) -> Awaitable[Any]:
    """A body coming in `pieces` to a door that answers so."""

    async def admitting(*_: object) -> BodyRefused | int:
        return answer

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": pieces.pop(0), "more_body": bool(pieces)}

    return receive_body({"method": "PUT", "path": "/acme/r/main/x"}, headers, "127.0.0.1", receive, admit=admitting)


def refusal(start: Callable[[], Awaitable[Any]]) -> BodyRefused:
    async def run() -> None:
        await start()

    with pytest.raises(BodyRefused) as refused:
        asyncio.run(run())
    return refused.value


def test_the_limit_of_the_route_holds_however_the_body_is_sent() -> None:
    chunked = refusal(lambda: receiving({"transfer-encoding": "chunked"}, [b"x" * 600, b"x" * 600, b""], 1000))
    declared = refusal(lambda: receiving({"content-length": "70000"}, [], 1000))
    told = refusal(lambda: receiving({"transfer-encoding": "chunked"}, [], BodyRefused(405, "no", "method_not_allowed")))
    assert (chunked.status, declared.status, told.status) == (413, 413, 405)


def test_a_short_body_is_taken_without_asking() -> None:
    async def run() -> bytes:
        body = await receiving({"content-length": "3"}, [b"abc"], BodyRefused(403, "no", "no"))
        with body.file:
            return bytes(body.file.read())

    assert asyncio.run(run()) == b"abc"


def test_nobody_waits_for_the_end_of_a_body_that_is_all_there() -> None:
    left = [b"ab", b"c", b""]

    async def run() -> bytes:
        body = await receiving({"content-length": "3"}, left, 0)
        with body.file:
            return bytes(body.file.read())

    assert (asyncio.run(run()), left) == (b"abc", [b""])
