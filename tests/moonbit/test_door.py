"""What `moon` asks of a registry, with the real git (reference/moonbit.md, checks 14, 15 and 17)."""

import gzip
import hashlib
import json
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.moonbit.gits import clone, git, lines
from tests.parts.gate import Gate, Place
from tests.parts.moonbit import MoonRegistry, zipped
from tests.parts.web_client import Caller

REFS = "/git/index/info/refs?service=git-upload-pack"
FILL = """
from tests.moonbit.live import {verb}
{verb}({args})
"""


def ask(gate: Gate, verb: str, *args: object) -> None:
    """Do something inside the installation, as its own code does it."""
    gate.server.manage("shell", "-v", "0", "-c", FILL.format(verb=verb, args=", ".join(repr(one) for one in args)))


def base(place: Place) -> str:
    return f"{place.gate.url}/{place.slug}/m/{place.registry}"


def at(place: Place, who: str) -> Caller:
    return Caller(base(place), f"Bearer {place.tokens[who]}" if who else "")


def signed(place: Place, secret: str) -> str:
    return base(place).replace("://", f"://x:{secret}@") + "/git/index"


@pytest.fixture
def fresh(gate: Gate, place: Place, moon: MoonRegistry) -> Place:
    """A registry that has mirrored acme/core."""
    moon.add("acme/core", "0.1.0", "0.2.0", deps={"other/dep": "1.2.3"})
    place.upstream(moon, "moon", format="moonbit")  # type: ignore[arg-type]
    ask(gate, "mirror_all", place.slug, place.registry)
    return place


_filled: dict[str, Place] = {}


@pytest.fixture
def filled(gate: Gate, request: pytest.FixtureRequest) -> Place:
    """The same for tests that only look."""
    if gate.url not in _filled:
        _filled[gate.url] = request.getfixturevalue("fresh")
    return _filled[gate.url]


def test_moon_clones_the_index_and_pulls_what_comes_later(gate: Gate, fresh: Place, moon: MoonRegistry, tmp_path: Path) -> None:
    address = signed(fresh, fresh.tokens["rita"])
    index = clone(tmp_path, address)
    found = lines(index, "acme/core")
    assert list(found) == ["0.1.0", "0.2.0"]
    for version, line in found.items():
        answer = at(fresh, "rita").get(f"/user/acme/core/{version}.zip")
        assert line["checksum"] == hashlib.sha256(answer.body).hexdigest(), "of the zip as it is served"
        assert line["deps"] == {"other/dep": "1.2.3"}
        assert line["created_at"]
    before = git(index, "rev-parse", "HEAD").stdout
    git(index, "pull", "origin", "main")
    assert git(index, "rev-parse", "HEAD").stdout == before, "nothing new, no new commit"

    moon.add("acme/core", "0.3.0")
    moon.add("beta/web")
    moon.yank("acme/core", "0.1.0")
    ask(gate, "mirror_all", fresh.slug, fresh.registry)
    git(index, "pull", "origin", "main")
    assert list(lines(index, "acme/core")) == ["0.1.0", "0.2.0", "0.3.0"]
    assert lines(index, "acme/core")["0.1.0"]["yanked"] is True
    assert "yanked" not in lines(index, "acme/core")["0.2.0"]
    assert list(lines(index, "beta/web")) == ["0.1.0"]


@pytest.mark.parametrize("version", [0, 1, 2])
def test_every_version_of_gits_protocol(filled: Place, tmp_path: Path, version: int) -> None:
    index = clone(tmp_path, signed(filled, filled.tokens["rita"]), f"protocol.version={version}")
    assert lines(index, "acme/core")
    git(index, "-c", f"protocol.version={version}", "fetch", "--unshallow", "origin", "main")


def test_an_empty_registry_can_be_cloned(place: Place, tmp_path: Path) -> None:
    index = clone(tmp_path, signed(place, place.tokens["rita"]))
    assert [path.name for path in index.iterdir() if path.name != ".git"] == ["README.md"]


def test_both_spellings_of_a_zips_address(filled: Place) -> None:
    caller = at(filled, "rita")
    plain, encoded = caller.get("/user/acme/core/0.1.0.zip"), caller.get("/user/acme%2Fcore%2F0.1.0.zip")
    assert plain.status == encoded.status == 200
    assert plain.body == encoded.body == zipped("acme/core", "0.1.0")
    for answer in (plain, encoded):
        assert answer.headers["content-type"] == "application/zip"
        assert "immutable" in answer.headers["cache-control"]
        assert answer.headers["etag"] == f'"{hashlib.sha256(plain.body).hexdigest()}"'
    assert caller.request("GET", "/user/acme/core/0.1.0.zip", headers={"if-none-match": plain.headers["etag"]}).status == 304
    assert caller.request("GET", "/user/acme/core/0.1.0.zip", headers={"range": "bytes=0-3"}).body == plain.body[:4]
    head = caller.request("HEAD", "/user/acme/core/0.1.0.zip")
    assert (head.status, head.body, head.headers["content-length"]) == (200, b"", str(len(plain.body)))


ABSENT = """/user/acme/core/9.9.9.zip /user/acme/none/0.1.0.zip /user/acme/core/latest.zip /user/acme/core.zip /user/a%00b/c/1.0.0.zip
/user/..%2f..%2fcore/0.1.0.zip /user/acme/core/..%2f0.1.0.zip /symbols.zip /assets/acme/core@0.1.0/x.wasm /assets/x.wasm.sha256
/user/acme/none.index / /git /git/index /git/index/HEAD /git/index/objects/info/packs /nothing"""


@pytest.mark.parametrize("path", ["", *ABSENT.split()])
def test_what_is_not_there_is_said_in_plain_text(filled: Place, path: str) -> None:
    answer = at(filled, "rita").get(path)
    assert answer.status in {400, 404}, answer
    if answer.status == 404:
        assert answer.headers["content-type"].startswith("text/plain")
        assert "{" not in answer.text


def test_a_private_registry_is_for_members(gate: Gate, filled: Place, tmp_path: Path) -> None:
    for path in (REFS, "/user/acme/core/0.1.0.zip", "/symbols.zip", "/user/none/none/1.0.0.zip", "/x"):
        answer = at(filled, "").get(path)
        assert answer.status == 401, path
        assert answer.headers["www-authenticate"].startswith("Basic ")
        assert Caller(base(filled), "Bearer gth_wrong").get(path).status == 401
        assert at(filled, "mallory").get(path).status == 404
    assert git(tmp_path, "clone", base(filled) + "/git/index", "x", check=False).returncode != 0
    made = filled.api("rita").post("/api/v1/tokens/", {"name": "ci", "read_only": True})
    assert lines(clone(tmp_path, signed(filled, made.json()["token"])), "acme/core")
    assert Caller(base(filled), "Basic " + _basic("x", made.json()["token"])).get("/user/acme/core/0.1.0.zip").status == 200


def _basic(username: str, password: str) -> str:
    import base64

    return base64.b64encode(f"{username}:{password}".encode()).decode()


def test_scopes_of_modules(filled: Place) -> None:
    for scope, index, core, other in [
        ("moonbit:module:*:read", 200, 200, 404),
        ("moonbit:module:acme/*:read", 403, 200, 403),
        ("moonbit:module:beta/*:read", 403, 403, 403),
        ("npm:package:*:read", 403, 403, 403),
    ]:
        made = filled.api("rita").post("/api/v1/tokens/", {"name": scope, "scopes": [scope]})
        caller = Caller(base(filled), f"Bearer {made.json()['token']}")
        asked = [caller.get(path).status for path in (REFS, "/user/acme/core/0.1.0.zip", "/user/gamma/x/0.1.0.zip")]
        assert asked == [index, core, other], scope


def test_a_public_registry_is_for_everybody(fresh: Place, tmp_path: Path) -> None:
    answer = fresh.api().patch(fresh.rest, {"visibility": "public"})
    assert answer.status == 200, answer
    index = clone(tmp_path, base(fresh) + "/git/index")
    assert list(lines(index, "acme/core")) == ["0.1.0", "0.2.0"]
    assert at(fresh, "").get("/user/acme%2Fcore%2F0.1.0.zip").status == 200
    assert Caller(base(fresh), "Bearer gth_wrong").get("/user/acme/core/0.1.0.zip").status == 401


def test_nobody_pushes(filled: Place, tmp_path: Path) -> None:
    index = clone(tmp_path, signed(filled, filled.tokens["alice"]))
    (index / "user" / "evil.index").write_text("{}", encoding="utf-8")
    git(index, "add", ".")
    git(index, "-c", "user.name=x", "-c", "user.email=x@example.org", "commit", "-m", "x")
    assert git(index, "push", "origin", "main", check=False).returncode != 0
    caller = at(filled, "alice")
    assert caller.get("/git/index/info/refs?service=git-receive-pack").status == 403
    assert caller.get(REFS.partition("?")[0]).status == 403, "the old protocol of plain files"
    assert caller.request("POST", "/git/index/git-receive-pack", body=b"0000").status == 403


NONE = [b"", b"0000", b"zzzz", b"\x1f\x8b", b"0032want " + b"0" * 40 + b"\n00000009done\n", b"0" * 70_000, b"ffff" * 10]


@pytest.mark.parametrize("body", NONE)
def test_requests_that_are_none(filled: Place, body: bytes) -> None:
    headers = {"content-type": "application/x-git-upload-pack-request"}
    for more in ({}, {"content-encoding": "gzip"}, {"git-protocol": "version=2"}, {"git-protocol": "version=9; rm -rf /"}):
        answer = at(filled, "rita").request("POST", "/git/index/git-upload-pack", body=body, headers={**headers, **more})
        assert answer.status in {200, 400}, answer
        assert b"PACK" not in answer.body


def test_a_zipped_request_and_a_bomb(filled: Place) -> None:
    caller, headers = at(filled, "rita"), {"content-type": "application/x-git-upload-pack-request", "content-encoding": "gzip"}
    refs = caller.get(REFS).body
    sha = refs.split(b"0000", 1)[1][4:44]
    want = b"want " + sha + b" side-band-64k no-progress\n"
    body = f"{len(want) + 4:04x}".encode() + want + b"0000" + b"0009done\n"
    answer = caller.request("POST", "/git/index/git-upload-pack", body=gzip.compress(body), headers=headers)
    assert answer.status == 200
    assert b"PACK" in answer.body
    bomb = caller.request("POST", "/git/index/git-upload-pack", body=gzip.compress(b"0" * 40_000_000), headers=headers)
    assert bomb.status == 413


def test_many_clone_at_once(filled: Place, tmp_path: Path) -> None:
    def one(number: int) -> str:
        (tmp_path / str(number)).mkdir()
        return git(clone(tmp_path / str(number), signed(filled, filled.tokens["rita"])), "rev-parse", "HEAD").stdout

    with ThreadPoolExecutor(6) as pool:
        heads = set(pool.map(one, range(12)))
    assert len(heads) == 1
    left = subprocess.run(["ps", "-eo", "ppid,args"], capture_output=True, text=True, check=True).stdout
    assert "upload-pack --stateless-rpc --strict" not in left, "no git of ours stays behind"


@pytest.mark.parametrize("index_type", ["git", "http"])
def test_another_gatehouse_mirrors_from_this_one(gate: Gate, filled: Place, index_type: str, moons: Callable[[], MoonRegistry]) -> None:
    """As the seed's own tool does: `${url}/user/${username}/${name}/${version}.zip`, credentials on index and zips."""
    second = filled.second("second-" + index_type)
    wish = {"name": "first", "format": "moonbit", "url": base(filled), "index_type": index_type, "auth_type": "bearer"}
    wish |= {"secret": filled.tokens["rita"], "package_url_pattern": "${url}/user/${username}/${name}/${version}.zip"}
    made = second.api().post(second.rest + "upstreams/", wish)
    assert made.status == 201, made
    ask(gate, "mirror_names", second.slug, second.registry, "acme/core")
    ours = [json.loads(one) for one in at(second, "rita").get("/user/acme/core.index").text.splitlines()]
    theirs = [json.loads(one) for one in at(filled, "rita").get("/user/acme/core.index").text.splitlines()]
    assert ours == theirs
    answer = at(second, "rita").get("/user/acme/core/0.2.0.zip")
    assert hashlib.sha256(answer.body).hexdigest() == ours[1]["checksum"]


def test_a_renamed_registry_leads_on(fresh: Place, tmp_path: Path) -> None:
    address = signed(fresh, fresh.tokens["rita"])
    assert fresh.api().patch(fresh.rest, {"slug": "newer"}).status == 200
    assert lines(clone(tmp_path, address), "acme/core")
    answer = at(fresh, "rita").get("/user/acme%2Fcore%2F0.1.0.zip")
    assert answer.status == 308
    assert answer.headers["location"] == f"/{fresh.slug}/m/newer/user/acme/core/0.1.0.zip"
