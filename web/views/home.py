"""The home page and the account page."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from tokens.services.second_factor import has_second_factor
from web import reads
from web.doors import door, person
from web.errors import status_of
from web.forms import WorkspaceForm
from web.github_button import leads_to_github
from workspaces.access import Actor
from workspaces.errors import Conflict, Invalid
from workspaces.services.spaces import create_workspace

THEMES = ("auto", "light", "dark")
YEAR = 365 * 24 * 3600


@door("GET", "POST")
def home(request: HttpRequest, actor: Actor) -> HttpResponse:
    """My workspaces, and a form for one more."""
    person(actor)
    if request.method != "POST":
        return _home(request, actor, WorkspaceForm())
    form = WorkspaceForm(request.POST)
    if not form.is_valid():
        return _home(request, actor, form, 400)
    try:
        workspace = create_workspace(actor=actor, slug=form.cleaned_data["slug"].strip(), name=form.cleaned_data["name"])
    except (Invalid, Conflict) as error:
        form.refuse(error)
        return _home(request, actor, form, status_of(error))
    messages.success(request, _("The workspace is there. Create its first registry now."))
    return redirect("web:workspace", workspace.slug)


@door("GET", "POST")
@leads_to_github
def account(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Who I am, where I belong, and how the pages look to me (a cookie, no setting of the account)."""
    person(actor)
    if request.method == "POST":
        answer = redirect("web:account")
        theme = request.POST.get("theme", "")
        if theme in THEMES:
            answer.set_cookie("theme", theme, max_age=YEAR, samesite="Lax", httponly=True, secure=request.is_secure())
        return answer
    context = {
        "cards": reads.workspace_cards(actor),
        "actor": actor,
        "themes": _themes(request),
        "has_second_factor": has_second_factor(actor.user_id),
    }
    return render(request, "account/account.html", context)


def _themes(request: HttpRequest) -> list[tuple[str, str, bool]]:
    chosen = request.COOKIES.get("theme", "auto")
    labels = {"auto": _("As the system"), "light": _("Light"), "dark": _("Dark")}
    return [(theme, labels[theme], theme == chosen) for theme in THEMES]


def _home(request: HttpRequest, actor: Actor, form: WorkspaceForm, status: int = 200) -> HttpResponse:
    return render(request, "home.html", {"cards": reads.workspace_cards(actor), "form": form}, status=status)
