"""dev -> shared as moon uses it: the real git clones and pulls dev's index, and zips come through the chain."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.moonbit.gits import clone, git, lines
from tests.moonbit.test_door import ask, at, signed
from tests.parts.gate import Gate, Place, made
from tests.parts.moonbit import MoonRegistry, zipped


def test_moon_lives_on_dev_alone(gate: Gate, place: Place, moon: MoonRegistry, tmp_path: Path) -> None:
    moon.add("acme/core", "0.1.0", "0.2.0", deps={"other/dep": "1.2.3"})
    shared = place.second("shared")
    shared.upstream(moon, "moon", format="moonbit")  # type: ignore[arg-type]
    made(place.api().post(place.rest + "upstreams/", {"name": "shared", "kind": "registry", "registry": "shared"}))
    ask(gate, "mirror_all", place.slug, "shared")
    index = clone(tmp_path, signed(place, place.tokens["rita"]))
    found = lines(index, "acme/core")
    assert list(found) == ["0.1.0", "0.2.0"]
    assert found["0.1.0"]["deps"] == {"other/dep": "1.2.3"}
    asked = len(moon.zips())
    for version, path in (("0.1.0", "/user/acme/core/0.1.0.zip"), ("0.2.0", "/user/acme%2Fcore%2F0.2.0.zip")):
        answer = at(place, "rita").get(path)
        assert answer.status == 200, answer
        assert answer.body == zipped("acme/core", version)
        assert hashlib.sha256(answer.body).hexdigest() == found[version]["checksum"]
    assert len(moon.zips()) == asked, "out of shared"
    before = git(index, "rev-parse", "HEAD").stdout
    git(index, "pull", "origin", "main")
    assert git(index, "rev-parse", "HEAD").stdout == before, "that dev keeps them now changes nothing"

    moon.add("acme/core", "0.3.0")
    moon.add("beta/web")
    ask(gate, "mirror_all", place.slug, "shared")
    git(index, "pull", "origin", "main")
    assert list(lines(index, "acme/core")) == ["0.1.0", "0.2.0", "0.3.0"]
    assert list(lines(index, "beta/web")) == ["0.1.0"]

    place.claim("beta/*")
    moon.seen.clear()
    git(index, "pull", "origin", "main")
    assert lines(index, "beta/web") == {}, "internal now, and shared has it from outside"
    assert at(place, "rita").get("/user/beta/web/0.1.0.zip").status == 404
    assert at(place, "rita").get("/user/beta%2Fweb%2F0.1.0.zip").status == 404
    assert moon.seen == []


def test_many_fetch_the_same_zip_through_the_chain_at_once(gate: Gate, place: Place, moon: MoonRegistry) -> None:
    moon.add("acme/core", "0.1.0", "0.2.0")
    shared, far = place.second("shared"), place.second("far")
    far.upstream(moon, "moon", format="moonbit")  # type: ignore[arg-type]
    for one, behind in ((place, "shared"), (shared, "far")):
        made(one.api().post(one.rest + "upstreams/", {"name": behind, "kind": "registry", "registry": behind}))
    ask(gate, "mirror_all", place.slug, "far")
    caller = at(place, "rita")
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda number: caller.get(f"/user/acme/core/0.{number % 2 + 1}.0.zip"), range(16)))
    assert [one.status for one in answers] == [200] * 16
    assert {one.body for one in answers} == {zipped("acme/core", "0.1.0"), zipped("acme/core", "0.2.0")}
    assert gate.events(place, "version.pulled") == ["version.pulled"] * 6, "two versions into three registries, each once"
