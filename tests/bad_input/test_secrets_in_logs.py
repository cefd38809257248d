"""npm and Entropic put secrets into addresses; none of them reaches the log."""

import logging
import time
from http import HTTPStatus

import pytest

from config.logs import Masked, OurOwn
from protocols.wire import shown_path
from tests.parts import faults
from tests.parts.gate import Place
from tests.parts.recorder import Recorder
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


@pytest.mark.parametrize(
    ("status", "error", "is_written"),
    [(404, None, False), (405, None, False), (500, None, True), (503, None, True), (404, ValueError("x"), True), (None, None, True)],
)
def test_a_refused_request_is_no_line_on_the_terminal(status: int | None, error: Exception | None, *, is_written: bool) -> None:
    trace = (type(error), error, error.__traceback__) if error else None
    record = logging.LogRecord("django.request", logging.WARNING, __file__, 1, "%s", ("/x",), trace)
    if status is not None:
        record.status_code = status
    assert OurOwn().filter(record) is is_written


def test_no_secret_reaches_the_log_of_a_server(place: Place, recorder: Recorder) -> None:
    secret = new_secret()
    rita = place.as_("rita")
    place.upstream(recorder)
    recorder.misbehave("*", faults.status(500))  # what fails is logged, what is refused is not
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
    assert "gth_***" in log
    assert "Not Found" not in log
    time.sleep(1.2)  # the request log is written in batches
    for file in (place.gate.server.data / "log").glob("*.jsonl"):
        written = file.read_text(encoding="utf-8")
        assert secret[4:] not in written
        assert not [token for token in place.tokens.values() if token[4:] in written]
        assert "/-/v1/login/poll/***" in written
