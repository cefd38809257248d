"""What a registry shows of a module that a repository has."""

import base64
import hashlib
from collections.abc import Callable
from typing import Any

from tests.parts.gate import Place

Add = Callable[..., dict[str, Any]]
MOD = "/mod"


def shown(place: Place, name: str = "mod", *, status: int = 200) -> dict[str, Any]:
    answer = place.as_("rita").get(f"/{name}", accept="application/json")
    assert answer.status == status, answer
    found: dict[str, Any] = answer.json()
    return found


def bytes_of(place: Place, version: str, *, name: str = "mod") -> bytes:
    answer = place.as_("rita").get(f"/{name}/-/{name}-{version}.tgz")
    assert answer.status == 200, answer
    return answer.body


def integrity(data: bytes) -> str:
    return "sha512-" + base64.b64encode(hashlib.sha512(data).digest()).decode()
