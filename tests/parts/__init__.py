"""The real parts the tests run against, each started by the suite itself; and `need`, the one way to do without."""

import os
from pathlib import Path
from typing import NoReturn

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent


def need(part: str, reason: str) -> NoReturn:
    """Say that a part cannot be had: a skip with its reason, under CI=true a failure."""
    sentence = f"{part} cannot be had: {reason}"
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail(sentence, pytrace=False)
    pytest.skip(sentence)
