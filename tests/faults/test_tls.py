"""Upstreams whose TLS cannot be trusted: 503, nothing asked, nothing stored, and the reason in words.

Nothing is sent before the certificate is judged: neither the name nor our credentials. No answer was received, so for a
client it is an upstream that cannot be reached.
"""

import ssl
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from tests.parts.certificates import DAY, Authority, self_signed
from tests.parts.gate import Gate
from tests.parts.recorder import Recorder
from tests.parts.tls import TlsRecorder

Make = Callable[[Authority, Path], ssl.SSLContext]
SECRET = "the-partners-own-secret"
BAD: dict[str, tuple[Make, str]] = {
    "self-signed": (lambda _, folder: self_signed(folder), "its TLS certificate is self-signed"),
    "another name": (lambda known, _: known.context(host="registry.example.org"), "its TLS certificate is for another name"),
    "another address": (lambda known, _: known.context(host="127.0.0.2"), "its TLS certificate is for another name"),
    "expired": (lambda known, _: known.context(ends=-DAY), "its TLS certificate has expired"),
    "not yet": (lambda known, _: known.context(ends=5 * DAY), "its TLS certificate is not valid yet"),
    "unknown authority": (
        lambda _, folder: Authority(folder, "unknown here").context(),
        "its TLS certificate is of an authority this machine does not trust",
    ),
}


def test_a_certificate_of_a_known_authority_is_good(product: Gate, authority: Authority) -> None:
    place = product.workspace()
    with TlsRecorder(authority.context(ends=timedelta(hours=1))) as upstream:
        upstream.add("over-tls")
        place.upstream(upstream, auth_type="bearer", secret=SECRET)
        assert place.versions("over-tls") == ["1.0.0"]
        assert place.as_("rita").get("/over-tls/-/over-tls-1.0.0.tgz").status == 200
        assert upstream.mentions(SECRET)


@pytest.mark.parametrize("case", BAD)
def test_a_bad_certificate_ends_it_before_anything_is_sent(product: Gate, authority: Authority, tmp_path: Path, case: str) -> None:
    make, words = BAD[case]
    place = product.workspace()
    with TlsRecorder(make(authority, tmp_path)) as upstream:
        upstream.add("over-tls")
        place.upstream(upstream, auth_type="bearer", secret=SECRET)
        before = product.census()
        answer = place.as_("rita").get("/over-tls")

    assert (answer.status, answer.json()["code"]) == (503, "upstream_unreachable"), answer
    assert answer.json()["error"] == f"Upstream public cannot be reached ({words})."
    assert int(answer.headers["retry-after"]) > 0
    assert not upstream.seen
    assert product.events(place, "upstream.trouble") == ["upstream.trouble"]
    after = product.census()
    assert {table for table in after.rows if after.rows[table] != before.rows[table]} == {"workspaces_event"}
    assert after.blobs == before.blobs


def test_what_speaks_no_tls_at_an_https_address(product: Gate, recorder: Recorder) -> None:
    place = product.workspace()
    wish = {"name": "public", "kind": "url", "format": "npm", "url": recorder.url.replace("http:", "https:")}
    assert place.api().post(place.rest + "upstreams/", wish).status == 201
    answer = place.as_("rita").get("/over-tls")

    assert (answer.status, answer.json()["error"]) == (503, "Upstream public cannot be reached (it does not speak TLS at that port).")
