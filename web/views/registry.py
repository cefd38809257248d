"""A registry: its packages, how clients connect, its settings."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django_htmx.http import HttpResponseClientRedirect

from packages.catalog import formats_of
from registries.gate import registry_for
from registries.models import Registry
from registries.selectors import aliases_of
from registries.services import Changes, describe
from upstreams.services.settings import change_registry
from web import reads
from web.addresses import client_url, moon_url
from web.catalog import listing
from web.doors import door, sent
from web.errors import status_of
from web.forms import PageForm, SettingsForm, SlugForm
from web.snippets import CLIENTS, moon_set_up, scope_of, set_up
from workspaces.access import ALL, Action, Actor, Target
from workspaces.errors import Conflict, Invalid
from workspaces.selectors import workspace_for
from workspaces.services.seen import unless_changed


@door("GET")
def registry(request: HttpRequest, actor: Actor, ws: str, reg: str) -> HttpResponse:
    """The packages of a registry with search, and everything a client needs to connect."""
    found = registry_for(actor, ws, reg, Action.READ)
    context = frame(actor, found, "packages")
    context |= listing(request, actor, found, is_member=bool(context["is_member"]))
    if getattr(request, "htmx", False) and request.headers.get("HX-Target") == "packages":
        return render(request, "registry/packages.html", context)
    claims = reads.claims_of(found.workspace).values_list("pattern", flat=True) if context["is_member"] else ()
    scope = scope_of(claims, found.workspace.slug)
    context |= {
        "moon_snippets": moon_set_up(moon_url(found)),
        "snippets": set_up(client_url(found), scope, claims),
        "clients": [(one.replace(" ", ""), one) for one in CLIENTS],
        "scope": scope,
    }
    upstreams = reads.upstreams_of(found) if context["is_member"] else []
    context |= {"upstreams": upstreams, "login": f"npm login --registry={client_url(found)}"}
    return render(request, "registry/registry.html", context)


@door("GET")
def arrived(request: HttpRequest, actor: Actor, ws: str, reg: str) -> HttpResponse:
    """Whether the first package is there: nothing yet (204), or off to the list. An empty registry's page asks now and then."""
    found = registry_for(actor, ws, reg, Action.READ)
    if not formats_of(found):
        return HttpResponse(status=204)
    if getattr(request, "htmx", False):
        return HttpResponseClientRedirect(reverse("web:registry", args=[ws, reg]))
    return redirect("web:registry", ws, reg)


@door("GET", "POST")
def settings(request: HttpRequest, actor: Actor, ws: str, reg: str) -> HttpResponse:
    """Description, the *Internal registry* toggle, visibility, default; for admins."""
    found = registry_for(actor, ws, reg, Action.MANAGE)
    if request.method != "POST":
        return settings_page(request, actor, found)
    form = SettingsForm(request.POST)
    if not form.is_valid():
        return settings_page(request, actor, found, form=form, status=400)
    data = form.cleaned_data
    kept = {field: data[field] for field in ("description", "internal", "visibility", "search_upstream", "audit_upstream")}
    changes = Changes(**kept, default=data["default"] or None)
    try:
        unless_changed(
            found.workspace_id,
            sent(request, "seen"),
            lambda: described(found),
            lambda: change_registry(actor=actor, registry=found, changes=changes),
        )
    except (Invalid, Conflict) as error:
        form.refuse(error)
        return settings_page(request, actor, found, form=form, status=status_of(error))
    messages.success(request, _("The settings are saved and hold from now on."))
    return redirect("web:registry-settings", ws, reg)


def registry_for_members(actor: Actor, ws: str, reg: str, target: Target = ALL) -> Registry:
    """The registry, for those of its workspace: anybody may read a public one, but not where its packages come from.

    Raises also Unauthenticated for nobody and NotFound for strangers.
    """
    found = registry_for(actor, ws, reg, Action.READ, target)
    workspace_for(actor, ws, Action.READ)
    return found


def frame(actor: Actor, found: Registry, tab: str) -> dict[str, object]:
    """What every page of a registry shows around its content."""
    return {
        "workspace": found.workspace,
        "registry": found,
        "url": client_url(found),
        "tab": tab,
        "actor": actor,
        "is_member": actor.role_in(found.workspace_id) is not None,
        "may_manage": actor.may(Action.MANAGE, found),
        "may_publish": actor.may(Action.PUBLISH, found) and not found.is_archived,
    }


def described(found: Registry) -> dict[str, object]:
    """Its settings at this moment."""
    return describe(Registry.objects.select_related("workspace").get(pk=found.pk))


def settings_page(request: HttpRequest, actor: Actor, found: Registry, *, status: int = 200, **forms: PageForm) -> HttpResponse:
    """The settings with all their forms; one of `form`, `rename_form`, `clone_form` may show what was refused."""
    shown = {
        "form": SettingsForm(initial=describe(found)).about(describe(found)),
        "rename_form": SlugForm(auto_id="rename_%s"),
        "clone_form": SlugForm(auto_id="clone_%s"),
        **forms,
    }
    context = {**frame(actor, found, "settings"), **shown, "aliases": aliases_of(found)}
    return render(request, "registry/settings.html", context, status=status)
