"""The real parts, each started once per run and on first use, and `gate`: a live Gatehouse on both databases."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connections
from django.test.utils import override_settings

import tests.parts.environment  # noqa: F401 - for runs that did not load it as a plugin
from tests.parts.clients import Client
from tests.parts.gate import Gate, Place
from tests.parts.gatehouse import Gatehouse
from tests.parts.postgres import Postgres
from tests.parts.recorder import Recorder
from tests.parts.s3 import S3
from tests.parts.valkey import Valkey
from tokens.usage import GATHERED

DATABASES = ("sqlite", "postgresql")


def pytest_configure() -> None:
    """A run that is told to end (a time limit, `kill`) still stops the parts it started."""
    signal.signal(signal.SIGTERM, lambda *_: pytest.exit("told to end", returncode=143))


@pytest.fixture(scope="session", autouse=True)
def _static_files_as_they_are_asked_for() -> Iterator[None]:
    """Else every `Client()` reads all static files before its first request: a third of the time of tests in process."""
    with override_settings(WHITENOISE_AUTOREFRESH=True):
        yield


@pytest.fixture(scope="session", autouse=True)
def _nobody_writes_last_used_times() -> Iterator[None]:
    """The thread of this process that does so later would meet whatever test is under way then, or none: it never begins."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(GATHERED, "_thread", threading.current_thread())
        yield


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> None:
    """A file, as the real one: threads of a database in memory share its tables and tell the second “table is locked”, at once.

    Nobody needs it after a power cut.
    """
    given = connections["default"].settings_dict
    if given["ENGINE"].endswith("sqlite3"):
        given["TEST"]["NAME"] = str(Path(settings.DATA_DIR) / "tests.sqlite3")
        given["OPTIONS"]["init_command"] += "PRAGMA synchronous=OFF;"


@pytest.fixture(scope="session")
def parts_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where parts keep their data and logs."""
    return tmp_path_factory.mktemp("parts")


@pytest.fixture(scope="session")
def postgres(parts_folder: Path) -> Iterator[Postgres]:
    """A real PostgreSQL."""
    part = Postgres(parts_folder)
    try:
        part.start()
        yield part
    finally:
        part.stop()


@pytest.fixture(scope="session")
def valkey(parts_folder: Path) -> Iterator[Valkey]:
    """A real Valkey."""
    part = Valkey(parts_folder)
    try:
        part.start()
        yield part
    finally:
        part.stop()


@pytest.fixture(scope="session")
def s3(parts_folder: Path) -> Iterator[S3]:
    """An S3 server."""
    part = S3(parts_folder)
    try:
        part.start()
        yield part
    finally:
        part.stop()


@pytest.fixture(scope="session")
def public() -> Iterator[Recorder]:
    """The upstream the installation is configured with: nothing in a test goes outside."""
    with Recorder() as recorder:
        yield recorder


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    """An upstream of the test's own."""
    with Recorder() as one:
        yield one


@pytest.fixture
def other_recorder() -> Iterator[Recorder]:
    """A second upstream of the test's own."""
    with Recorder() as one:
        yield one


@pytest.fixture(scope="session", params=DATABASES)
def gate(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, public: Recorder) -> Iterator[Gate]:
    """A live Gatehouse with two worker processes, once on SQLite and once on PostgreSQL."""
    url = request.getfixturevalue("postgres").database() if request.param == "postgresql" else ""
    server = Gatehouse(tmp_path_factory.mktemp(f"gatehouse-{request.param}"), url, public.url, env=_extra())
    try:
        server.start()
        yield Gate(server)
    finally:
        server.stop()


@pytest.fixture(scope="session")
def strict_gate(tmp_path_factory: pytest.TempPathFactory, public: Recorder) -> Iterator[Gate]:
    """A live Gatehouse that may reach no private network (but the operator's own NPM_UPSTREAM_URL)."""
    folder = tmp_path_factory.mktemp("gatehouse-strict")
    server = Gatehouse(folder, "", public.url, env={**_extra(), "ALLOWED_PRIVATE_NETWORKS": ""}, workers=1)
    try:
        server.start()
        yield Gate(server)
    finally:
        server.stop()


@pytest.fixture
def place(gate: Gate) -> Place:
    """A fresh workspace with a registry that has no upstream yet."""
    return gate.workspace()


@pytest.fixture
def npm(tmp_path: Path) -> Callable[..., Client]:
    """Make an npm with a home of its own: `npm(place, "bob")`."""
    return client_factory("npm", tmp_path)


def client_factory(tool: str, folder: Path) -> Callable[..., Client]:
    """What makes clients of one kind with homes below a folder."""

    def make(place: Place, who: str = "", *, registry: str = "", home: str = "") -> Client:
        token = place.tokens[who] if who else ""
        return Client(tool, folder / (home or f"{tool}-{who or 'nobody'}"), registry or place.url, token)

    return make


def _extra() -> dict[str, str]:
    """What a person may hand to the servers under test, e.g. GATEHOUSE_TEST_ENV="X=1 Y=2" to look for the cause of a failure."""
    return dict(pair.split("=", 1) for pair in os.environ.get("GATEHOUSE_TEST_ENV", "").split())
