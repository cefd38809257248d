"""Parts of npm's protocol that are not here yet: said in a sentence, never looked up as a package.

404 and not 501: npm repeats a GET or PUT that a 5xx answered, with waits of ten seconds and more.
"""

from collections.abc import Mapping

from django.http import HttpRequest, HttpResponse

from protocols.npm.door import visit
from protocols.npm.errors import sentence

PARTS: Mapping[str, str] = {
    "npm/v1/attestations": "Attestations are those of one version: /-/npm/v1/attestations/{package}@{version}.",
    "user": "This part of npm's login is not supported here.",
}


def absent(request: HttpRequest, ws: str, reg: str, rest: str = "") -> HttpResponse:
    """404 with a sentence, for those who may know of the registry."""
    visit(request, ws, reg)
    text = next((said for part, said in PARTS.items() if rest == part or rest.startswith(f"{part}/")), None)
    if text is None:
        return sentence(404, "There is nothing at this address.", "not_found")
    return sentence(404, text, "not_supported")
