"""MoonBit's names, versions, index lines and addresses, as tables."""

import hashlib
import io
import json
import zipfile
from pathlib import Path

import pytest

from packages.formats.errors import ContentInvalid, DocumentInvalid, NameInvalid, VersionInvalid
from packages.formats.moonbit.addresses import PatternInvalid, check_pattern, entry_url, index_url, package_url
from packages.formats.moonbit.archive import check_archive
from packages.formats.moonbit.index import LINES, Held, parse_index, render_index
from packages.formats.moonbit.names import name_of_path, parse_name
from packages.formats.moonbit.versions import check_version, sort_key
from packages.formats.publication import StagedFile

CORE = parse_name("acme/core")
SUM = hashlib.sha256(b"zip").hexdigest()


@pytest.mark.parametrize("text", ["acme/core", "a/b", "Moon-Lang_1/x", "acme/core.v2", "acme/_x", "acme/a-b"])
def test_names(text: str) -> None:
    name = parse_name(text)
    assert name.full == text
    assert name.folded == text.lower()
    assert name_of_path(name.index_path) == name


@pytest.mark.parametrize(
    "text",
    ["", "acme", "acme/", "/core", "acme/core/x", "../core", "acme/..", "acme/.x", "a b/c", "acme/c\n", "acme/c\0", "é/c", "acme/é",
     "a" * 40 + "/x", "acme/" + "x" * 102, "@acme/core", "acme%2fcore", "acme\\core", None, 5, ["acme/core"]],
)  # fmt: skip
def test_what_is_no_name(text: object) -> None:
    with pytest.raises(NameInvalid):
        parse_name(text)


@pytest.mark.parametrize(
    "path", ["README.md", "user/acme/core", "user/acme.index", "acme/core.index", "user/../core.index", "user/a/b/c.index"]
)
def test_other_files_of_an_index_are_no_modules(path: str) -> None:
    assert name_of_path(path) is None


def test_versions_in_order() -> None:
    ordered = ["0.1.0-alpha", "0.1.0-alpha.1", "0.1.0-alpha.beta", "0.1.0-beta.2", "0.1.0-beta.11", "0.1.0", "0.2.0", "0.10.0", "1.0.0"]
    assert sorted(ordered, key=sort_key) == ordered
    for good in [*ordered, "1.0.0+build.5", "1.0.0-rc.1+x"]:
        assert check_version(good) == good


@pytest.mark.parametrize(
    "text", ["", "1", "1.0", "v1.0.0", "01.0.0", "1.0.0-", "1.0.0-01", "1.0.0 ", "1.0.0\n", "1." * 60, "1.0.0/../x", None, 1]
)
def test_what_is_no_version(text: object) -> None:
    with pytest.raises(VersionInvalid):
        check_version(text)


def line(version: str = "0.1.0", **more: object) -> bytes:
    return json.dumps({"name": "acme/core", "version": version, "deps": {}, "checksum": SUM, **more}).encode()


def test_an_index_is_read_line_by_line_and_bad_lines_are_counted() -> None:
    lines = [
        line("0.10.0", deps={"other/dep": "1.2.3", "acme/http": {"version": "0.1.0"}, "local": {"path": "x"}, "../up/x": "1.0.0"}),
        line("0.2.0", yanked=True),
        b"",
        b"not json",
        b"[1]",
        line("0.3.0", name="acme/other"),
        line("1.x"),
        line("0.4.0", checksum="abc"),
        line("0.5.0", description="nul \0"),
        b"[" * 5000,
        line("0.2.0", checksum=hashlib.sha256(b"later").hexdigest()),
    ]
    index = parse_index(b"\r\n".join(lines) + b"\n", CORE)
    assert [entry.version for entry in index.entries] == ["0.2.0", "0.10.0"]
    assert index.skipped == 8
    first, last = index.entries
    assert first.is_yanked
    assert first.checksum == SUM, "of two lines with one number the first counts"
    assert not last.is_yanked
    assert last.dependencies == {"other/dep": "1.2.3", "acme/http": "0.1.0"}
    assert last.integrity.startswith("sha256-")


def test_an_endless_index_is_refused() -> None:
    with pytest.raises(DocumentInvalid):
        parse_index(b"\n" * (LINES + 1), CORE)


def test_what_is_rendered_is_read_again() -> None:
    held = [
        Held(version=version, manifest=manifest, checksum=SUM, is_yanked=yanked, created_at="2026-01-01T00:00:00+00:00")
        for version, manifest, yanked in [
            ("0.10.0", b'{"deps":{"other/dep":"1.2.3"},"license":"MIT","checksum":"forged","name":"forged/name"}', False),
            ("0.2.0", b"[]", True),
        ]
    ]
    text = render_index(CORE, held)
    first, last = [json.loads(one) for one in text.splitlines()]
    assert (first["version"], first["yanked"], first["deps"]) == ("0.2.0", True, {})
    assert (last["name"], last["version"], last["checksum"], last["license"]) == ("acme/core", "0.10.0", SUM, "MIT")
    assert "yanked" not in last
    again = parse_index(text, CORE)
    assert again.skipped == 0
    assert [entry.version for entry in again.entries] == ["0.2.0", "0.10.0"]


def test_addresses() -> None:
    base = "https://registry.example.org/moon"
    assert package_url("", base, CORE, "0.1.0+b") == f"{base}/user/acme/core/0.1.0%2Bb.zip"
    assert (
        package_url("https://cdn.example.org/${username}-${name}@${version}", base, CORE, "1.0.0")
        == "https://cdn.example.org/acme-core@1.0.0"
    )
    assert index_url(base, "", "git") == f"{base}/git/index"
    assert index_url(base, "", "http") == base
    assert entry_url(base, "https://index.example.org/", CORE) == "https://index.example.org/user/acme/core.index"


ALL = "${username}/${name}/${version}"


@pytest.mark.parametrize(
    "pattern",
    [
        "${url}/x.zip",
        "${url}/${username}/${name}.zip",
        "${url}/" + ALL + "/${HOME}",
        "ftp://x/" + ALL,
        "/user/" + ALL,
        "${url}.evil.example/" + ALL,
        "https://${name}.example.org/${username}/${version}",
        "https://a@b.example/" + ALL,
        "${url}@b.example/" + ALL,
        "${url}/" + ALL + " x",
        "${url}/" + ALL + "#x",
    ],
)
def test_patterns_that_are_refused(pattern: str) -> None:
    with pytest.raises(PatternInvalid):
        check_pattern(pattern)


def staged(content: bytes) -> StagedFile:
    return StagedFile(path=Path(), content=content, size=len(content), sha1="", sha256="", sha512="")


def archive(manifest: bytes | None) -> StagedFile:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        if manifest is not None:
            file.writestr("moon.mod.json", manifest)
        file.writestr("src/lib.mbt", "fn main {}")
    return staged(content.getvalue())


def test_an_archive_that_says_it_is_another_is_refused() -> None:
    for good in (b'{"name":"acme/core","version":"0.1.0"}', b"{}", b"not json", None):
        check_archive(archive(good), CORE, "0.1.0")
    for bad in (b'{"name":"acme/other"}', b'{"name":"acme/core","version":"0.2.0"}'):
        with pytest.raises(ContentInvalid):
            check_archive(archive(bad), CORE, "0.1.0")
    check_archive(staged(b"no zip at all"), CORE, "0.1.0")
