"""One suite, two backends: `packages.blobs` over files and over S3."""

import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import storages

from tests.parts import ROOT
from tests.parts.s3 import KEYS

BACKENDS = ("files", "s3")


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The storage under test, with staging and cache in a folder of the test's own."""
    settings.DATA_DIR = tmp_path
    if request.param == "s3":
        part = request.getfixturevalue("s3")
        for key, value in KEYS.items():
            monkeypatch.setenv(key, value)
        monkeypatch.setenv("STORAGE_URL", part.storage_url(part.bucket()))
        entry = runpy.run_path(str(ROOT / "config" / "settings.py"))["STORAGES"]["blobs"]  # exactly what STORAGE_URL makes of it
    else:
        entry = {"BACKEND": "packages.durable.DurableFileStorage", "OPTIONS": {"location": str(tmp_path / "blobs")}}
    settings.STORAGES = {**settings.STORAGES, "blobs": entry}
    storages._storages.clear()  # type: ignore[attr-defined]
    yield str(request.param)
    storages._storages.clear()  # type: ignore[attr-defined]
