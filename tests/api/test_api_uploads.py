"""REST: uploading a tarball."""

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from packages.errors import BodyTooLarge
from tests.api.cast import PACKAGES, Cast, census, upload
from tests.parts.pack import pack, tar_gz


def staged() -> list[Path]:
    folder = Path(settings.DATA_DIR) / "staging"
    return list(folder.iterdir()) if folder.is_dir() else []


def test_an_uploaded_tarball_is_a_version_of_origin_uploaded(cast: Cast) -> None:
    packed = pack("@acme/up", "1.0.0")
    made = cast.call("bob", "POST", PACKAGES + "npm/", upload(packed.tarball, tag="beta"))
    assert made.status_code == 201, made.content
    assert (made.json()["version"], made.json()["origin"], made.json()["internal"]) == ("1.0.0", "uploaded", True)
    assert made.json()["integrity"] == packed.integrity
    tags = cast.get(PACKAGES + "npm/@acme/up/tags/")["results"]
    assert {one["name"] for one in tags} == {"beta", "latest"}
    before = census()
    assert cast.call("bob", "POST", PACKAGES + "npm/", upload(packed.tarball)).status_code == 200
    other = cast.call("bob", "POST", PACKAGES + "npm/", upload(pack("@acme/up", "1.0.0", text="other").tarball))
    assert (other.status_code, other.json()["code"]) == (409, "version_exists")
    assert census() == before
    assert staged() == []


def test_a_scoped_token_uploads_its_own_names_only(cast: Cast) -> None:
    before = census()
    assert cast.call("scoped", "POST", PACKAGES + "npm/", upload(pack("other", "1.0.0").tarball)).status_code == 403
    assert census() == before
    assert cast.call("scoped", "POST", PACKAGES + "npm/", upload(pack("@acme/up", "1.0.0").tarball)).status_code == 201


@pytest.mark.parametrize(
    ("content", "fields"),
    [
        (b"", {}),
        (b"not gzip", {}),
        (tar_gz({"package/index.js": b"1"}), {}),
        (tar_gz({"package/package.json": b"{"}), {}),
        (tar_gz({"package/package.json": b'{"name": "../x", "version": "1.0.0"}'}), {}),
        (tar_gz({"package/package.json": b'{"name": "x", "version": "one"}'}), {}),
        (tar_gz({"package/package.json": b'{"version": "1.0.0"}'}), {}),
        (pack("@acme/up", "1.0.0").tarball[:-20], {}),
        (pack("@acme/up", "1.0.0").tarball, {"tag": "1.0.0"}),
        (pack("@acme/up", "1.0.0").tarball, {"name": "x"}),
    ],
)
def test_uploads_that_cannot_be(cast: Cast, content: bytes, fields: dict[str, str]) -> None:
    before = census()
    answer = cast.call("bob", "POST", PACKAGES + "npm/", upload(content, **fields))
    assert answer.status_code == 400, answer.content
    assert census() == before
    assert staged() == []


def test_an_upload_needs_a_file_in_multipart(cast: Cast) -> None:
    before = census()
    assert cast.call("bob", "POST", PACKAGES + "npm/", {"file": "x"}).status_code == 415
    nothing = upload(b"")
    nothing.content = b"--b0und--\r\n"
    answer = cast.call("bob", "POST", PACKAGES + "npm/", nothing)
    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["file"])
    nothing.content_type = "multipart/form-data"
    assert cast.call("bob", "POST", PACKAGES + "npm/", nothing).status_code == 400
    assert cast.call("bob", "POST", PACKAGES + "oci/", upload(b"x")).status_code == 501
    assert cast.call("bob", "POST", PACKAGES + "cargo/", upload(b"x")).status_code == 404
    assert census() == before


def test_an_upload_over_the_limit_is_refused_by_its_length(cast: Cast, settings: Any) -> None:
    from api.views.packages import FormatView

    before = census()
    answer = cast.call("bob", "POST", PACKAGES + "npm/", upload(b"x"), **{"Content-Length": str(FormatView.body_limit + 1)})
    assert (answer.status_code, answer.json()["code"]) == (413, BodyTooLarge.code)
    settings.FILE_LIMIT = 10
    answer = cast.call("bob", "POST", PACKAGES + "npm/", upload(b"x" * 11))
    assert (answer.status_code, answer.json()["code"]) == (413, BodyTooLarge.code)
    assert census() == before
    assert staged() == []
