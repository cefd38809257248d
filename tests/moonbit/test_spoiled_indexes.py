"""Indexes that are none, are cut off, or lead elsewhere."""

from collections.abc import Callable

import pytest

from tests.moonbit.modules import mirror, source
from tests.npm.team import Team
from tests.parts.moonbit import MoonRegistry


def garbage(moon: MoonRegistry, body: bytes) -> None:
    moon.upload_pack = lambda *_, **__: body  # type: ignore[method-assign]


@pytest.mark.parametrize(
    "body",
    [b"", b"0000", b"zzzz", b"0003", b"0008ERR!", b"00", b"ffff" + b"x" * 100, b"003f" + b"0" * 59, b"\x00" * 64, b"0000" * 1000],
)
def test_an_index_that_is_no_git(team: Team, moon: MoonRegistry, body: bytes) -> None:
    moon.add("acme/core")
    upstream = source(team, moon)
    garbage(moon, body)
    assert mirror(team, upstream, "acme/*").codes == {"*": "upstream_bad_answer"}


@pytest.mark.parametrize("spoil", [lambda pack: pack[:-30], lambda pack: pack[:200], lambda pack: pack[:-40] + b"x" * 20 + pack[-20:]])
def test_a_pack_that_is_cut_off_or_wrong(team: Team, moon: MoonRegistry, spoil: Callable[[bytes], bytes]) -> None:
    moon.add("acme/core")
    moon.add("big/one", content=b"x", deps={f"dep/n{number}": "1.0.0" for number in range(200)})
    upstream, honest = source(team, moon), moon.upload_pack
    moon.upload_pack = lambda *words, send=b"": spoil(honest(*words, send=send)) if send else honest(*words)  # type: ignore[method-assign]
    assert mirror(team, upstream, "acme/*").codes == {"*": "upstream_bad_answer"}
    moon.upload_pack = honest  # type: ignore[method-assign]
    assert mirror(team, upstream, "acme/*").fetched == ["acme/core@0.1.0"]


def test_an_empty_index_and_a_redirect_elsewhere(team: Team, moon: MoonRegistry) -> None:
    upstream = source(team, moon)
    assert mirror(team, upstream, "*").codes == {"*": "upstream_bad_answer"}
