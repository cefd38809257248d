"""The test of an upstream: an answer in the page it was asked from, or a page of its own where there is no script."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from registries.gate import registry_for
from upstreams.services.probing import probe_upstream
from upstreams.services.sources import upstream_of
from web.doors import door
from web.views.registry import frame
from workspaces.access import Action, Actor
from workspaces.errors import TooManyRequests


@door("POST")
def test(request: HttpRequest, actor: Actor, ws: str, reg: str, upstream_id: int) -> HttpResponse:
    """Ask the upstream now and tell what stands in the way."""
    found = registry_for(actor, ws, reg, Action.MANAGE)
    source = upstream_of(found, upstream_id)
    in_page = bool(getattr(request, "htmx", False))
    try:
        context = {"upstream": source, "verdict": probe_upstream(actor=actor, upstream=source)}
    except TooManyRequests as error:
        if not in_page:
            raise
        context = {"upstream": source, "patience": error.message}  # script takes in what is 200
    if in_page:
        return render(request, "registry/verdict.html", context)
    return render(request, "registry/tested.html", {**frame(actor, found, "upstreams"), **context})
