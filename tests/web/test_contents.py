"""Read-me, files, dependencies and versions of a package, as pages show them."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from packages import blobs
from packages.models import Download, SearchEntry, SearchWord, Version
from packages.services.listing import list_missing
from packages.services.maintainers import set_restricted
from registries.models import Registry
from tests.web.addresses import HTTP, MAIN, text
from tests.web.conftest import World
from web.readme import LIMIT, render_readme

V = f"{HTTP}v/1.0.0/"
Put = Callable[..., Version]


def test_a_read_me_is_that_of_the_tarball(alice: Client, put: Put) -> None:
    written = "# Our *http*\n\n- [x] done\n\n[guide](./docs/guide.md#top) and [up](../../secret) ![logo](https://tracker.example.org/p.png)"
    put("@acme/http", "1.0.0", files={"README.md": written.encode(), "docs/guide.md": b"# Guide"}, readme="another one")
    for address in (HTTP, V):
        body = text(alice, address)
        assert '<h2 id="readme-our-http">Our <em>http</em></h2>' in body
        assert f'<a href="{V}files/docs/guide.md"' in body
        assert "another one" not in body
        assert "../secret" not in body
        assert "<img" not in body
    assert "Guide</h2>" in text(alice, f"{V}files/docs/guide.md")
    assert "# Guide" in text(alice, f"{V}files/docs/guide.md?source=1")


HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)><a href='javascript:alert(1)'>x</a></svg>",
    "[x](javascript:alert(1))",
    "<a href=' java\nscript:alert(1)'>x</a>",
    "<a href='data:text/html,<script>alert(1)</script>'>x</a>",
    "<form action=/logout method=post><button>x</button></form>",
    "<iframe src=//evil.example.org></iframe><style>*{display:none}</style><link rel=stylesheet href=//evil.example.org>",
    "<div style='position:fixed' class='note' id='main' onclick=alert(1)>x</div>",
    "<input type=password name=password>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
)
ALLOWED = re.compile(r"<(/?[a-z][a-z0-9]*)((?: [a-z-]+=\"[^\"<>]*\")*)>")
HARMLESS = {"href", "title", "id", "name", "rel", "align", "start", "open", "disabled", "checked", "type", "aria-label"}


@pytest.mark.parametrize("markup", HOSTILE)
def test_nothing_of_a_stranger_acts(markup: str) -> None:
    made = render_readme("README.md", f"before\n\n{markup}\n\nafter", "/files/")
    assert "before" in made
    assert not ALLOWED.sub("", made).count("<"), made
    attributes = {name for tag in ALLOWED.finditer(made) for name in re.findall(r" ([a-z-]+)=", tag[2])}
    assert attributes <= HARMLESS, made
    assert all(re.match(r"https?://|mailto:|#|/files/", href) for href in re.findall(r'href="([^"]*)"', made)), made
    assert 'id="main"' not in made
    assert 'type="password"' not in made


@pytest.mark.parametrize("piece", ["[", "*a ", "> ", "![a](b) ", "# a\n", "<div>", "|a", "[a](b", "www.a.b ", "- "])
def test_a_tiresome_text_is_cut_and_rendered(piece: str) -> None:
    made = render_readme("README.md", piece * (2 * LIMIT // len(piece)))
    assert len(made) < 40 * LIMIT


def test_files_are_listed_found_and_shown(alice: Client, put: Put) -> None:
    put("@acme/http", "1.0.0", files={"lib/a.js": b"let a = '<b>';", "lib/x.bin": b"\0\1", "long.txt": b"x" * 600_000, "<i>.js": b"1"})
    body = text(alice, f"{V}files/")
    assert [name for name in ("lib/a.js", "README.md", "package.json") if f"{V}files/{name}" not in body] == []
    assert "<i>.js" not in body
    assert "README.md" not in text(alice, f"{V}files/?q=LIB/")
    assert "No path here contains" in text(alice, f"{V}files/?q=%3Cb%3E")
    assert "let a = &#x27;&lt;b&gt;&#x27;;" in text(alice, f"{V}files/lib/a.js")
    assert "Not text" in text(alice, f"{V}files/lib/x.bin")
    assert "Only the first" in text(alice, f"{V}files/long.txt")
    for missing in ("no.js", "../../etc/passwd", "lib", "lib/", "%2e%2e/x"):
        text(alice, f"{V}files/{missing}", 404)


def test_a_version_whose_bytes_are_gone_still_has_its_pages(alice: Client, put: Put) -> None:
    made = put("@acme/http", "1.0.0", readme="# From the document")
    (file,) = made.files.select_related("blob")
    blobs.delete(file.blob.sha256)
    assert "From the document" in text(alice, HTTP)
    text(alice, f"{V}files/", 404)


def test_dependencies_by_kind(alice: Client, put: Put) -> None:
    put("@acme/log", "1.0.0")
    put("@acme/http", "1.0.0", dependencies={"@acme/log": "^1", "ms": "2"}, peerDependencies={"react": "*"}, bundleDependencies=["ms"])
    body = re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", text(alice, f"{V}dependencies/")))
    assert "Dependencies (2)" in body
    assert "Peer dependencies (1)" in body
    assert "Bundled with it (1)" in body
    put("@acme/http", "2.0.0")
    assert "depends on no other package" in text(alice, f"{HTTP}v/2.0.0/dependencies/")


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("", ["3.0.0-rc.1", "2.0.0", "1.5.0", "1.0.0"]),
        ("?range=%5E1.2", ["1.5.0"]),
        ("?hide=prereleases", ["2.0.0", "1.5.0", "1.0.0"]),
        ("?hide=prereleases&hide=deprecated", ["1.5.0", "1.0.0"]),
        ("?range=%3C2&hide=nonsense&page=99", ["1.5.0", "1.0.0"]),
        ("?range=((", []),
    ],
)
def test_versions_are_filtered(alice: Client, put: Put, query: str, wanted: list[str]) -> None:
    for number in ("1.0.0", "1.5.0", "2.0.0", "3.0.0-rc.1"):
        put("@acme/http", number)
    Version.objects.filter(version="2.0.0").update(deprecated="use 1")
    body = text(alice, f"{HTTP}versions/{query}")
    assert re.findall(r'/v/([^/"]+)/">\1<', body) == wanted
    assert ("No version fits" in body) is (not wanted)


def test_downloads_are_drawn_and_said(alice: Client, put: Put) -> None:
    here = put("@acme/http", "1.0.0").package
    today = timezone.now().date()
    for days, count in ((0, 3), (2, 9), (40, 100)):
        Download.objects.create(package=here, version="1.0.0", day=today - timedelta(days=days), count=count)
    body = text(alice, HTTP)
    assert "12 downloads in the last 30 days, most on" in body
    assert body.count("<rect") == 2


def test_dependents_are_those_of_present_versions_that_the_caller_may_know(alice: Client, nobody: Client, world: World, put: Put) -> None:
    put("Lib", "1.0.0")
    put("uses", "1.0.0", dependencies={"Lib": "1"})
    put("@acme/secret", "1.0.0", optionalDependencies={"lib": "*"})
    put("used", "1.0.0", dependencies={"Lib": "1"})
    put("used", "2.0.0")
    put("tests-with", "1.0.0", devDependencies={"Lib": "1"})
    Registry.objects.filter(pk=world.main.pk).update(visibility="public")
    set_restricted(actor=world.actor("alice"), registry=world.main, format="npm", name="@acme/secret", restricted=True)
    for client, wanted in ((alice, ["@acme/secret", "uses"]), (nobody, ["uses"])):
        listed = text(client, f"{MAIN}npm/Lib/dependents/").partition('<ul class="list">')[2]
        assert re.findall(r'class="name" href="[^"]*/npm/([^"]*)/"', listed) == wanted
        answer = client.get("/api/v1/workspaces/acme/registries/main/packages/npm/Lib/dependents/", headers={"accept": "application/json"})
        assert [one["name"] for one in answer.json()["results"]] == wanted
    assert "Nothing needs it" in text(alice, f"{MAIN}npm/uses/dependents/")


def test_what_an_older_house_listed_is_listed_anew(world: World, put: Put) -> None:
    put("uses", "1.0.0", dependencies={"lib": "1"})
    SearchWord.objects.filter(word=b"d:lib").delete()
    SearchEntry.objects.update(scheme=0, words_digest="old")
    assert list_missing() == 1
    assert list(SearchWord.objects.filter(word=b"d:lib").values_list("entry__version", flat=True)) == ["1.0.0"]
    assert list_missing() == 0
