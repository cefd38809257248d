"""The page a person opens during `npm login`: it shows who asks, and answers only to a POST (threats.md A11)."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from tokens.services.web_login import answer_login, pending_login
from web.doors import door, person
from workspaces.access import Actor

CODE = 8  # characters that a person compares with the address in the terminal


@door("GET", "POST")
def approval(request: HttpRequest, actor: Actor, page_id: str) -> HttpResponse:
    """Show the login that waits, or answer it. A used or old link is 410."""
    person(actor)
    if request.method != "POST":
        shown = {"login": pending_login(page_id), "actor": actor, "code": page_id[-CODE:]}
        return render(request, "account/approval.html", shown)
    approve = request.POST.get("answer") == "approve"
    login = answer_login(actor=actor, page_id=page_id, approve=approve)
    return render(request, "account/approved.html", {"login": login, "approved": approve})
