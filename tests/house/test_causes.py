"""Where the database does not answer, no door tells its caller why, and each tells the log."""

import pytest
from django.db import InterfaceError, OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import Client

ADDRESSES = {
    "rest": "/api/v1/whoami/",
    "npm": "/team/r/main/left",
    "moonbit": "/team/m/main/git/index/info/refs?service=git-upload-pack",
    "web": "/account/",
    "admin": "/admin/",
}
CAUSE = "couldn't get a connection after 20.00 sec"


@pytest.mark.parametrize("kind", [OperationalError, InterfaceError])
@pytest.mark.parametrize("path", ADDRESSES.values(), ids=ADDRESSES)
def test_the_cause_is_in_the_log(
    path: str, kind: type[Exception], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refused(_: BaseDatabaseWrapper) -> None:
        raise kind(CAUSE)

    monkeypatch.setattr(BaseDatabaseWrapper, "ensure_connection", refused)
    client = Client(raise_request_exception=False)
    client.cookies["sessionid"] = "a" * 32  # a browser's own; package clients and REST send none
    authorization = {} if path in {ADDRESSES["web"], ADDRESSES["admin"]} else {"Authorization": f"Bearer gth_{'a' * 46}"}
    answer = client.get(path, headers=authorization)

    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert CAUSE not in answer.content.decode()
    assert f"{kind.__name__}: {CAUSE}" in caplog.text
