"""A tarball that is published from the browser."""

from collections.abc import Callable

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from packages.models import Version
from tests.parts.pack import pack
from tests.web.addresses import MAIN
from tests.web.conftest import World
from web.views.upload import UPLOAD_LIMIT, admit

UPLOAD = f"{MAIN}upload/"


def send(client: Client, content: bytes, tag: str = "latest") -> tuple[int, str]:
    answer = client.post(UPLOAD, {"file": SimpleUploadedFile("x.tgz", content), "tag": tag})
    return answer.status_code, answer.headers.get("Location", "") or answer.content.decode()


@pytest.fixture
def bob(sign_in: Callable[[str], Client]) -> Client:
    return sign_in("bob")


def test_a_file_becomes_a_version(bob: Client, world: World) -> None:
    made = pack("@acme/http", "1.0.0")
    assert send(bob, made.tarball, "beta") == (302, f"{MAIN}npm/@acme/http/v/1.0.0/")
    version = Version.objects.get()
    assert (version.origin, version.is_internal, version.published_by_name) == ("uploaded", True, "bob")
    assert [tag.name for tag in version.tags.all()] == ["beta", "latest"], "the first version is the latest too"
    assert send(bob, made.tarball)[0] == 302, "the same bytes once more change nothing"
    status, body = send(bob, pack("@acme/http", "1.0.0", files={"x": b"y"}).tarball)
    assert (status, "already" in body) == (409, True)


@pytest.mark.parametrize(
    ("content", "tag"), [(b"", "latest"), (b"no tarball", "latest"), (b"\x1f\x8b" + b"x" * 50, "latest"), (None, "1.0.0")]
)
def test_what_is_no_package_is_refused_at_the_form(bob: Client, content: bytes | None, tag: str) -> None:
    status, body = send(bob, pack("left", "1.0.0").tarball if content is None else content, tag)
    assert (status, "Traceback" in body) == (400, False)
    assert 'class="error"' in body or 'role="alert"' in body
    assert not Version.objects.exists()


def test_only_this_page_and_only_for_publishers_takes_more_than_a_form(bob: Client, sign_in: Callable[[str], Client]) -> None:
    def limit(client: Client, path: str) -> int:
        cookie = "; ".join(f"{name}={one.value}" for name, one in client.cookies.items())
        return admit(path, {"Cookie": cookie}, "192.0.2.7")

    assert (limit(bob, UPLOAD), limit(bob, f"{MAIN}settings/")) == (UPLOAD_LIMIT, settings.SMALL_BODY_LIMIT)
    assert limit(sign_in("rita"), UPLOAD) == limit(Client(), UPLOAD) == limit(bob, "/nowhere/at/all") == settings.SMALL_BODY_LIMIT
