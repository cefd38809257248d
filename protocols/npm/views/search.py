"""`GET /-/v1/search`: npm's search, and its older one that lists everything (reference/npm.md 1.2)."""

import math
import re
from email.utils import format_datetime

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from packages.search import Hit
from protocols.npm.door import visit
from protocols.npm.errors import json_response, sentence
from protocols.npm.notices import noticed
from upstreams.services.search import search
from workspaces.errors import Invalid

SIZE, LARGEST = 20, 250  # results on a page: npm's own default, and as many as its public registry gives
DEEPEST = 10_000  # where a page may begin
NUMBER = re.compile(r"[0-9]{1,18}")
WEIGHTS = ("quality", "popularity", "maintenance")


def read_search(request: HttpRequest, ws: str, reg: str) -> HttpResponse:
    """A page of what the caller may see. `quality` and its kind are read and have no say: nothing here measures them."""
    here = visit(request, ws, reg)
    size, start = min(_number(request, "size", SIZE), LARGEST), _number(request, "from", 0)
    if start > DEEPEST:
        raise Invalid(f"A search shows at most its first {DEEPEST:,} results; search for something narrower.", fields={"from": "too large"})
    for weight in WEIGHTS:
        _weight(request, weight)
    text = request.GET.get("text", "").replace("\0", "\ufffd")  # PostgreSQL takes no text with that sign
    found = search(actor=here.actor, registry=here.registry, text=text, start=start, size=size)
    objects = [_object(_package(hit), hit.score, deprecated=hit.is_deprecated) for hit in found.hits]
    objects += [_object(package, 0.0) for package in found.others]
    body = {"objects": objects, "total": found.total, "time": format_datetime(timezone.now(), usegmt=True)}
    return noticed(json_response(body), found.notices)


def read_all(request: HttpRequest, ws: str, reg: str) -> HttpResponse:
    """The list of everything that npm 6 asks for where search fails: not given out, and said so."""
    visit(request, ws, reg)
    return sentence(404, "The list of all packages is not given out; search with GET /-/v1/search?text=… instead.", "not_supported")


def _package(hit: Hit) -> dict[str, object]:
    scope = hit.name[1:].partition("/")[0] if hit.name.startswith("@") else "unscoped"
    return {"name": hit.name, "scope": scope, "version": hit.version, "date": hit.date, **hit.facts}


def _object(package: dict[str, object], score: float, *, deprecated: bool = False) -> dict[str, object]:
    version = str(package["version"])
    flags = {"unstable": version.startswith("0."), **({"deprecated": True} if deprecated else {})}
    detail = dict.fromkeys(WEIGHTS, 0.0)
    return {"package": package, "flags": flags, "score": {"final": score, "detail": detail}, "searchScore": score}


def _number(request: HttpRequest, name: str, default: int) -> int:
    text = request.GET.get(name, "").strip() or str(default)
    if not NUMBER.fullmatch(text):
        raise Invalid(f"“{name}” is a whole number from 0 on.", fields={name: "not a number"})
    return int(text)


def _weight(request: HttpRequest, name: str) -> None:
    """A weight npm sends along: any number from 0 on."""
    try:
        value = float(request.GET.get(name) or 0)
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        raise Invalid(f"“{name}” is a number from 0 on.", fields={name: "not a number"})
