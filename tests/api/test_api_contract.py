"""Requests made from the OpenAPI schema, against the live server: no 500, no answer that the schema does not tell of.

First everything but deletions, so that what they would delete is still there; then these.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.parts.gate import Gate, Place
from tests.parts.gatehouse import ADMIN, PASSWORD
from tests.parts.pack import pack
from tests.parts.recorder import Recorder

SECONDS = {"--exclude-method": 28, "--include-method": 10}
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "unsupported_method",
    "allow_header_conformance",
)
# 501 is the contract's answer for what a format does not do yet, 502 to 504 for upstreams: each has to be in the schema.
CONFIG = """
[parameters]
"path.ws" = "{ws}"
"path.reg" = "main"
"path.format" = "npm"
"path.name" = "foo"
"path.version" = "1.0.0"
"path.username" = "{person}"

[checks]
not_a_server_error.expected-statuses = ["2xx", "3xx", "4xx", "501", "502", "503", "504"]
"""


@pytest.mark.parametrize("which", SECONDS)
@pytest.mark.parametrize("gate", ["sqlite"], indirect=True)
def test_every_answer_is_one_of_the_schema(gate: Gate, place: Place, recorder: Recorder, tmp_path: Path, which: str) -> None:
    person = _furnish(place, recorder)
    config = tmp_path / "schemathesis.toml"
    config.write_text(CONFIG.format(ws=place.slug, person=person), encoding="utf-8")
    words = [sys.executable, "-m", "schemathesis.cli", "--config-file", config, "run", f"{gate.url}/api/schema/?format=json"]
    words += ["--auth", f"{ADMIN}:{PASSWORD}", "--phases", "examples,coverage,fuzzing", "--checks", ",".join(CHECKS)]
    words += ["--max-time", SECONDS[which], "--max-examples", 5, "--seed", 5, "--continue-on-failure", "--warnings", "off", "--no-color"]
    ended = subprocess.run(
        [str(word) for word in (*words, which, "DELETE")],
        cwd=tmp_path,
        env={**os.environ, "HYPOTHESIS_STORAGE_DIRECTORY": str(tmp_path / "hypothesis")},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    asked = re.search(r"(\d+) generated", ended.stdout)
    assert ended.returncode == 0, ended.stdout[-12_000:] + ended.stderr[-2_000:]
    assert asked is not None
    assert int(asked[1]) > 300, ended.stdout[-2_000:]


def _furnish(place: Place, recorder: Recorder) -> str:
    """Something at most addresses; answers who may be shut out and thrown out without harm to the tests that follow."""
    place.publish(pack("foo", "1.0.0"))
    place.publish(pack("@acme/bar", "2.0.0"))
    place.upstream(recorder)
    place.claim("@acme/*")
    below = f"/api/v1/workspaces/{place.slug}/"
    for path, body in {
        "secrets/": {"name": "TOKEN", "value": "x"},
        "webhooks/": {"url": "https://hooks.example.org/", "events": ["publish"]},
        "tokens/": {"name": "ci", "role": "reader"},
        "registries/main/mirrors/": {"upstream": "public", "patterns": ["left-*"]},
    }.items():
        answer = place.api().post(below + path, body)
        assert answer.status in {201, 202}, answer
    person = f"worn-{place.slug}"
    place.gate.person(person)
    assert place.api().post(f"{below}members/", {"username": person, "role": "reader"}).status == 201
    return person
