"""Tokens: the caller's own, and for admins those of the workspace."""

from datetime import timedelta

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from registries.models import Registry
from registries.selectors import registries_of
from tokens.models import Token
from tokens.services.issue import Issued, Wish, create_service_token, create_token, revoke_token
from web import reads
from web.addresses import client_url
from web.confirm import Question, ask, is_confirmed
from web.doors import asked, door
from web.errors import status_of
from web.snippets import token_lines
from web.token_form import PRESETS, PROTOCOLS, RIGHTS, TokenForm
from web.views.workspace import frame
from workspaces.access import Action, Actor
from workspaces.errors import Denied, Invalid
from workspaces.models import Workspace
from workspaces.selectors import workspace_for
from workspaces.services.people import parse_role

PAGE = 50
SOON = timedelta(days=7)


@door("GET", "POST")
def tokens(request: HttpRequest, actor: Actor, ws: str) -> HttpResponse:
    """The tokens, and a form for one more; the answer to the form is the one place that shows a secret."""
    space = workspace_for(actor, ws)
    registries = list(registries_of(actor, space))
    form = _form(request, actor, space, registries)
    if request.method != "POST":
        return _page(request, actor, space, {"form": form, "registries": registries})
    if not form.is_valid():
        return _page(request, actor, space, {"form": form, "registries": registries}, 400)
    try:
        issued = _issue(actor, space, form)
    except (Invalid, Denied) as error:
        form.refuse(error)
        return _page(request, actor, space, {"form": form, "registries": registries}, status_of(error))
    fresh = _form(None, actor, space, registries)
    shown = {"issued": issued, "lines": _lines(issued, registries), "form": fresh, "registries": registries}
    return _page(request, actor, space, shown, 201)


@door("POST")
def revoke(request: HttpRequest, actor: Actor, ws: str, token_id: int) -> HttpResponse:
    """Revoke a token, after a confirmation."""
    workspace_for(actor, ws)
    if not is_confirmed(request):
        return ask(
            request,
            Question(
                title=_("Revoke this token?"),
                text=_("Whatever uses it is refused from the next request on. This cannot be undone."),
                act=_("Revoke"),
                back=reverse("web:tokens", args=[ws]),
            ),
        )
    revoke_token(actor=actor, token_id=token_id)
    messages.success(request, _("The token is revoked."))
    return redirect("web:tokens", ws)


def _form(request: HttpRequest | None, actor: Actor, space: Workspace, registries: list[Registry]) -> TokenForm:
    preset = PRESETS.get(asked(request, "preset")) if request is not None else None
    sent = request.POST if request is not None and request.method == "POST" else None
    form = TokenForm(sent, initial=dict(preset[1]) if preset else None)
    form.hold_to(registries)
    if not actor.may_in(space.pk, Action.MANAGE):
        del form.fields["role"]
        form.fields["kind"].choices = form.fields["kind"].choices[:1]  # type: ignore[attr-defined]
    return form


def _issue(actor: Actor, space: Workspace, form: TokenForm) -> Issued:
    data = form.cleaned_data
    wish = Wish(
        name=data["name"],
        read_only=data["read_only"],
        expires_at=form.expires_at(),
        registries=data["registries"] or None,
        scopes=form.words("scopes") or None,
        cidrs=form.words("cidrs"),
    )
    if data["kind"] == "service":
        role = parse_role(data.get("role") or "reader")
        return create_service_token(actor=actor, workspace=space, role=role, wish=wish)
    return create_token(actor=actor, wish=wish)


def _lines(issued: Issued, registries: list[Registry]) -> str:
    reached = [registry for registry in registries if issued.token.registries is None or registry.pk in issued.token.registries]
    first = next((registry for registry in reached if registry.is_default), reached[0] if reached else None)
    return token_lines(client_url(first), issued.secret) if first else ""


def _page(request: HttpRequest, actor: Actor, space: Workspace, shown: dict[str, object], status: int = 200) -> HttpResponse:
    context = frame(actor, space, "tokens")
    service = reads.service_tokens_of(space) if context["may_manage"] else []
    pages = Paginator(reads.tokens_of(actor), PAGE).get_page(request.GET.get("page"))
    own = list(pages)
    names = reads.registry_names(pk for token in [*own, *service] for pk in token.registries or ())
    tables = {"own": _rows(own, names), "service": _rows(service, names)}
    context |= {"page": pages, "query": "", "protocols": PROTOCOLS, "rights": RIGHTS, "is_asked": "preset" in request.GET}
    context["presets"] = [(word, label) for word, (label, _values) in PRESETS.items()]
    return render(request, "workspace/tokens.html", {**context, **tables, **shown}, status=status)


def _rows(found: list[Token], names: dict[int, str]) -> list[dict[str, object]]:
    """Tokens with the names of the registries they are held to (None: all) and whether they are over."""
    now = timezone.now()
    return [
        {
            "token": token,
            "registries": None if token.registries is None else [names[pk] for pk in token.registries if pk in names],
            "is_over": token.expires_at is not None and token.expires_at <= now,
            "is_ending": token.expires_at is not None and now < token.expires_at <= now + SOON,
        }
        for token in found
    ]
