"""Webhooks of a workspace: who is told what happens, what was sent, and what came of it. For admins."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from web.confirm import Question, ask, is_confirmed
from web.doors import door, sent
from web.errors import status_of
from web.forms import PageForm
from web.hook_forms import WebhookChangeForm, WebhookForm
from web.views.workspace import frame
from webhooks.models import Webhook
from webhooks.selectors import deliveries_of, delivery_of, webhook_of, webhooks_of
from webhooks.services.deliveries import redeliver, send_test
from webhooks.services.hooks import Changes, change_webhook, create_webhook, remove_webhook, rotate_secret
from webhooks.tasks import hasten
from workspaces.access import Action, Actor
from workspaces.errors import Conflict, Invalid
from workspaces.models import Workspace
from workspaces.selectors import workspace_for
from workspaces.services.seen import unless_changed

PAGE = 25


@door("GET", "POST")
def webhooks(request: HttpRequest, actor: Actor, ws: str) -> HttpResponse:
    """All of them, and a form for one more; the answer to the form is the one place that shows its secret."""
    space = workspace_for(actor, ws, Action.MANAGE)
    form = WebhookForm(request.POST if request.method == "POST" else None)
    if request.method != "POST":
        return _list(request, actor, space, form)
    if not form.is_valid():
        return _list(request, actor, space, form, 400)
    try:
        made, secret = create_webhook(actor=actor, workspace=space, **form.cleaned_data)
    except (Invalid, Conflict) as error:
        form.refuse(error)
        return _list(request, actor, space, form, status_of(error))
    return _one(request, actor, made, secret=secret, status=201)


@door("GET", "POST")
def webhook(request: HttpRequest, actor: Actor, ws: str, webhook_id: int) -> HttpResponse:
    """One: its settings and its deliveries."""
    found = webhook_of(workspace_for(actor, ws, Action.MANAGE), webhook_id)
    if request.method != "POST":
        return _one(request, actor, found)
    form = WebhookChangeForm(request.POST)
    if not form.is_valid():
        return _one(request, actor, found, form=form, status=400)
    try:
        unless_changed(
            found.workspace_id,
            sent(request, "seen"),
            lambda: settings_of(webhook_of(found.workspace, webhook_id)),
            lambda: change_webhook(actor=actor, webhook=found, changes=Changes(**form.cleaned_data)),
        )
    except (Invalid, Conflict) as error:
        form.refuse(error)
        return _one(request, actor, found, form=form, status=status_of(error))
    messages.success(request, _("The webhook is saved."))
    return redirect("web:webhook", ws, webhook_id)


@door("POST")
def try_out(request: HttpRequest, actor: Actor, ws: str, webhook_id: int) -> HttpResponse:  # noqa: ARG001 - every page takes it
    """Send something that means nothing."""
    found = webhook_of(workspace_for(actor, ws, Action.MANAGE), webhook_id)
    made = send_test(actor=actor, webhook=found)
    hasten(found.pk)
    return redirect("web:webhook-delivery", ws, webhook_id, made.pk)


@door("POST")
def rotate(request: HttpRequest, actor: Actor, ws: str, webhook_id: int) -> HttpResponse:
    """Another secret, after a confirmation; the answer shows it."""
    found = webhook_of(workspace_for(actor, ws, Action.MANAGE), webhook_id)
    if not is_confirmed(request):
        title, text = _("Replace the secret?"), _("The new one is shown once. For a day messages are signed with both.")
        return ask(request, Question(title=title, text=text, act=_("Replace"), back=_address(found)))
    changed, secret = rotate_secret(actor=actor, webhook=found)
    return _one(request, actor, changed, secret=secret, status=201)


@door("POST")
def remove(request: HttpRequest, actor: Actor, ws: str, webhook_id: int) -> HttpResponse:
    """Remove one, after a confirmation."""
    found = webhook_of(workspace_for(actor, ws, Action.MANAGE), webhook_id)
    if not is_confirmed(request):
        text = _("Nothing more is sent to %(url)s, not even what waits. What is kept of its deliveries goes too.") % {"url": found.url}
        return ask(request, Question(title=_("Remove the webhook?"), text=text, act=_("Remove"), back=_address(found)))
    remove_webhook(actor=actor, webhook=found)
    messages.success(request, _("The webhook is removed."))
    return redirect("web:webhooks", ws)


@door("GET")
def delivery(request: HttpRequest, actor: Actor, ws: str, webhook_id: int, delivery_id: int) -> HttpResponse:
    """What was sent, and what came of it."""
    found = webhook_of(workspace_for(actor, ws, Action.MANAGE), webhook_id)
    one = delivery_of(found, delivery_id)
    context = {**frame(actor, found.workspace, "webhooks"), "webhook": found, "delivery": one, "is_live": one.next_at and not one.attempts}
    is_part = getattr(request, "htmx", False) and request.headers.get("HX-Target") == "outcome"
    return render(request, "workspace/delivery_outcome.html" if is_part else "workspace/delivery.html", context)


@door("POST")
def again(request: HttpRequest, actor: Actor, ws: str, webhook_id: int, delivery_id: int) -> HttpResponse:
    """The same once more."""
    found = webhook_of(workspace_for(actor, ws, Action.MANAGE), webhook_id)
    redeliver(actor=actor, webhook=found, delivery=delivery_of(found, delivery_id))
    hasten(found.pk)
    messages.success(request, _("It is being sent again."))
    return redirect("web:webhook-delivery", ws, webhook_id, delivery_id)


def settings_of(found: Webhook) -> dict[str, object]:
    """What its form holds."""
    return {"url": found.url, "events": found.events, "active": found.is_active}


def _address(found: Webhook) -> str:
    return reverse("web:webhook", args=[found.workspace.slug, found.pk])


def _list(request: HttpRequest, actor: Actor, space: Workspace, form: PageForm, status: int = 200) -> HttpResponse:
    context = {**frame(actor, space, "webhooks"), "rows": webhooks_of(space), "form": form}
    return render(request, "workspace/webhooks.html", context, status=status)


def _one(  # what the page may show besides
    request: HttpRequest, actor: Actor, found: Webhook, *, form: PageForm | None = None, secret: str = "", status: int = 200
) -> HttpResponse:
    page = Paginator(deliveries_of(found), PAGE).get_page(request.GET.get("page"))
    context = {**frame(actor, found.workspace, "webhooks"), "webhook": found, "page": page, "secret": secret}
    context["form"] = form or WebhookChangeForm(initial=settings_of(found)).about(settings_of(found))
    return render(request, "workspace/webhook.html", context, status=status)
