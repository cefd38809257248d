"""A password for one login of a client, made where the client is set up."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from tokens.services.login_password import make_login_password
from web.addresses import client_url
from web.doors import door, person
from web.views.registry import frame, registry_for_members
from workspaces.access import Actor


@door("POST")
def login_password(request: HttpRequest, actor: Actor, ws: str, reg: str) -> HttpResponse:
    """Make one and show it, this once."""
    found = registry_for_members(person(actor), ws, reg)
    secret = make_login_password(actor=actor, registry=found)
    command = f"npm login --auth-type=legacy --registry={client_url(found)}"
    context = {**frame(actor, found, "packages"), "secret": secret, "command": command}
    return render(request, "registry/login_password.html", context, status=201)
