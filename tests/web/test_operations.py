"""Alive and ready."""

import socket
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.test import Client

from web.views import operations


def test_healthz_asks_nothing(client: Client) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.content) == (200, b"ok\n")


@pytest.mark.django_db
def test_readyz(client: Client) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {"status": "ok", "down": [], "checks": {"database": "ok", "storage": "ok", "queue": "ok"}}


@pytest.mark.django_db
def test_readyz_asks_the_queue(client: Client, settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    assert client.get("/readyz").json()["checks"]["queue"] == "ok"
    (tmp_path / "queue" / "in").rmdir()
    (tmp_path / "queue" / "in").write_text("in the way")
    assert client.get("/readyz").json()["down"] == ["queue"]
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    settings.REDIS_URL = f"redis://:hunter2@127.0.0.1:{port}/0"
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["down"]) == (503, ["queue"])
    assert "hunter2" not in answer.content.decode()


@pytest.mark.django_db
def test_readyz_names_what_is_down_and_keeps_its_text(
    client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> None:
        raise OperationalError("connection to 10.0.0.5 failed for user secret")

    monkeypatch.setattr(operations, "CHECKS", {**operations.CHECKS, "database": broken})
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["down"] == ["database"]
    assert "10.0.0.5" not in answer.content.decode()
    assert "10.0.0.5" in caplog.text, "who runs it reads it there"


@pytest.mark.django_db
def test_an_unexpected_error_shows_no_inside(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_args: object, **_kwargs: object) -> None:
        raise RuntimeError("secret inside")

    monkeypatch.setattr("web.views.session.safe_next", broken)
    client.raise_request_exception = False
    page = client.get("/login", headers={"accept": "text/html"})
    assert page.status_code == 500
    assert "secret inside" not in page.content.decode()
    assert "Traceback" not in page.content.decode()
    assert client.get("/login", headers={"accept": "application/json"}).json()["code"] == "server_error"


@pytest.mark.django_db
@pytest.mark.parametrize("kind", [OperationalError, InterfaceError])
def test_a_database_that_cannot_answer_is_503(client: Client, monkeypatch: pytest.MonkeyPatch, kind: type[Exception]) -> None:
    def broken(*_args: object, **_kwargs: object) -> None:
        raise kind("connection to 10.0.0.5 failed for user secret")

    monkeypatch.setattr("web.views.session.safe_next", broken)
    client.raise_request_exception = False
    page = client.get("/login", headers={"accept": "text/html"})
    assert (page.status_code, page.headers["retry-after"]) == (503, "5")
    assert "The database cannot answer now" in page.content.decode()
    assert "10.0.0.5" not in page.content.decode()
    assert client.get("/login", headers={"accept": "application/json"}).json()["code"] == "unavailable"


def test_a_foreign_host_is_400(client: Client) -> None:
    answer = client.get("/login", headers={"host": "evil.example", "accept": "text/html"})
    assert answer.status_code == 400
    assert settings.EXTERNAL_HOST not in answer.content.decode()
