"""What the entry asks before it receives an upload's body."""

import pytest
from django.conf import settings
from django.http import HttpResponse
from django.test import Client

from api.admit import admit
from api.views.packages import FormatView
from tests.api.cast import MAIN, V1, Cast

UPLOAD = MAIN + "packages/npm/"


@pytest.mark.parametrize(
    ("who", "status"),
    [("nobody", 401), ("bad", 401), ("mallory", 404), ("rita", 403), ("readonly", 403), ("bob", 0), ("scoped", 0), ("root", 0)],
)
def test_an_upload_is_refused_by_its_head(cast: Cast, who: str, status: int) -> None:
    headers = {"authorization": cast.secret(who)} if who != "nobody" else {}
    answer = admit("POST", UPLOAD, {**headers, "content-type": "multipart/form-data; boundary=x", "content-length": "700000"}, "127.0.0.1")
    if status:
        assert isinstance(answer, HttpResponse)
        assert (answer.status_code, b'"code":' in answer.content) == (status, True)
    else:
        assert answer == FormatView.body_limit


def test_a_length_over_the_limit_is_refused_by_its_head(cast: Cast) -> None:
    answer = admit("POST", UPLOAD, {"authorization": cast.secret("bob"), "content-length": str(10**12)}, "127.0.0.1")
    assert isinstance(answer, HttpResponse)
    assert answer.status_code == 413


def test_a_session_needs_its_csrf_token_in_the_header(cast: Cast) -> None:
    client = Client()
    client.force_login(cast.people["bob"])
    cookie = f"sessionid={client.cookies['sessionid'].value}; csrftoken={'a' * 32}"
    refused = admit("POST", UPLOAD, {"cookie": cookie}, "127.0.0.1")
    assert isinstance(refused, HttpResponse)
    assert (refused.status_code, b"csrf_failed" in refused.content) == (403, True)
    assert admit("POST", UPLOAD, {"cookie": cookie, "x-csrftoken": "a" * 32}, "127.0.0.1") == FormatView.body_limit


def test_an_unknown_format_is_refused_and_other_addresses_are_not_asked(cast: Cast) -> None:
    headers = {"authorization": cast.secret("bob")}
    unknown = admit("POST", MAIN + "packages/cargo/", headers, "127.0.0.1")
    assert isinstance(unknown, HttpResponse)
    assert unknown.status_code == 404
    for method, path in (("POST", V1 + "workspaces/"), ("GET", UPLOAD), ("POST", "/nowhere/at/all/that/is/known/")):
        assert admit(method, path, {}, "127.0.0.1") == settings.SMALL_BODY_LIMIT
