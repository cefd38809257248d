"""npm and Entropic put secrets into addresses; none of them reaches the log."""

import logging
import time
from http import HTTPStatus

import pytest

from config.logs import Masked
from protocols.wire import shown_path
from tests.parts.gate import Place
from tokens.secrets import new_secret


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/w/r/m/-/user/token/gth_abc123", "/w/r/m/-/user/token/gth_***"),
        ("/w/r/m/-/npm/v1/tokens/token/gth_abc/x?y=gth_2&z=1", "/w/r/m/-/npm/v1/tokens/token/gth_***/x?y=gth_***&z=1"),
        ("/v1/auth/ent_v1_some-thing.else", "/v1/auth/ent_v1_***"),
        ("/w/r/m/-/v1/login/poll/S3cret-id", "/w/r/m/-/v1/login/poll/***"),
        ("/w/r/m/gthings/poll", "/w/r/m/gthings/poll"),
        ("/" + "a" * 190 + "gth_" + "b" * 50, "/" + "a" * 190 + "gth_***"),
    ],
)
def test_what_is_shown_of_an_address(path: str, shown: str) -> None:
    assert shown_path(path) == shown


def test_a_traceback_is_masked_too() -> None:
    try:
        int("gth_" + "x" * 46)
    except ValueError as error:
        record = logging.LogRecord("a", logging.ERROR, __file__, 1, "%s", ("ent_v1_y",), (ValueError, error, error.__traceback__))
    line = Masked().format(record)
    assert ("xxx" in line, "ent_v1_***" in line, "gth_***" in line) == (False, True, True)


def test_no_secret_reaches_the_log_of_a_server(place: Place) -> None:
    secret = new_secret()
    rita = place.as_("rita")
    for method, path in (
        ("DELETE", f"/-/user/token/{secret}"),
        ("DELETE", f"/-/npm/v1/tokens/token/{secret}"),
        ("GET", f"/-/v1/login/poll/{secret[4:]}"),
        ("GET", f"/{secret}"),
        ("POST", f"/-/user/token/{secret}"),
    ):
        assert rita.request(method, path).status >= HTTPStatus.BAD_REQUEST or method == "DELETE"
    log = place.gate.server.log()
    assert secret[4:] not in log
    assert "***" in log
    time.sleep(1.2)  # the request log is written in batches
    for file in (place.gate.server.data / "log").glob("*.jsonl"):
        written = file.read_text(encoding="utf-8")
        assert secret[4:] not in written
        assert not [token for token in place.tokens.values() if token[4:] in written]
        assert "/-/v1/login/poll/***" in written
