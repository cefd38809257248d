"""Gatehouse with the limits it is sold with, trusting one authority of the tests' own."""

from collections.abc import Iterator

import pytest

from tests.parts.certificates import Authority
from tests.parts.gate import Gate
from tests.parts.gatehouse import Gatehouse
from tests.parts.recorder import Recorder


@pytest.fixture(scope="package")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Whom the server trusts."""
    return Authority(tmp_path_factory.mktemp("authority"), "known here")


@pytest.fixture(scope="package")
def product(tmp_path_factory: pytest.TempPathFactory, public: Recorder, authority: Authority) -> Iterator[Gate]:
    """One web process with the product's own settings."""
    env = {"DJANGO_SETTINGS_MODULE": "config.settings", "SSL_CERT_FILE": str(authority.path)}
    server = Gatehouse(tmp_path_factory.mktemp("product"), "", public.url, env=env, workers=1)
    try:
        server.start()
        yield Gate(server)
    finally:
        server.stop()
