"""A registry's address and its end: another slug, the slugs it had, a copy under a slug of its own, the archive, deletion."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from registries.aliases import release_alias
from registries.gate import registry_for
from registries.services import Changes
from upstreams.services.clone import clone_registry
from upstreams.services.deletion import check_deletable, delete_registry
from upstreams.services.settings import change_registry
from web.confirm import Question, ask, is_confirmed
from web.doors import door, sent
from web.errors import status_of
from web.forms import SlugForm
from web.views.registry import settings_page
from workspaces.access import Action, Actor
from workspaces.errors import Conflict, Invalid


@door("POST")
def rename(request: HttpRequest, actor: Actor, ws: str, reg: str) -> HttpResponse:
    """Give the registry another slug; the present one keeps leading to it."""
    found = registry_for(actor, ws, reg, Action.MANAGE)
    form = SlugForm({"slug": sent(request, "slug")}, auto_id="rename_%s")
    try:
        found = change_registry(actor=actor, registry=found, changes=Changes(slug=sent(request, "slug")))
    except (Invalid, Conflict) as error:
        form.refuse(error)
        return settings_page(request, actor, found, rename_form=form, status=status_of(error))
    messages.success(request, _("The registry has its new address; the old one keeps leading here."))
    return redirect("web:registry-settings", ws, found.slug)


@door("POST")
def release(request: HttpRequest, actor: Actor, ws: str, reg: str, alias: str) -> HttpResponse:
    """Give a former slug up, after a confirmation."""
    found = registry_for(actor, ws, reg, Action.MANAGE)
    if not is_confirmed(request):
        return ask(
            request,
            Question(
                title=_("Release the address %(slug)s?") % {"slug": alias},
                text=_("Lock files and settings that still name it stop working, and another registry may take it."),
                act=_("Release"),
                back=reverse("web:registry-settings", args=[ws, reg]),
            ),
        )
    release_alias(actor=actor, registry=found, slug=alias)
    messages.success(request, _("The address is released."))
    return redirect("web:registry-settings", ws, reg)


@door("POST")
def clone(request: HttpRequest, actor: Actor, ws: str, reg: str) -> HttpResponse:
    """Copy the registry under another slug."""
    found = registry_for(actor, ws, reg, Action.MANAGE)
    form = SlugForm({"slug": sent(request, "slug")}, auto_id="clone_%s")
    try:
        copy = clone_registry(actor=actor, registry=found, slug=sent(request, "slug"))
    except (Invalid, Conflict) as error:
        form.refuse(error)
        return settings_page(request, actor, found, clone_form=form, status=status_of(error))
    messages.success(request, _("This is the clone; from now on each goes its own way."))
    return redirect("web:registry", ws, copy.slug)


@door("POST")
def archive(request: HttpRequest, actor: Actor, ws: str, reg: str) -> HttpResponse:
    """Close the registry for writing, after a confirmation, or open it again."""
    found = registry_for(actor, ws, reg, Action.MANAGE)
    is_closing = sent(request, "archived") == "true"
    if is_closing and not is_confirmed(request):
        return ask(
            request,
            Question(
                title=_("Archive this registry?"),
                text=_("Publishing is refused from now on; installing goes on."),
                act=_("Archive"),
                back=reverse("web:registry-settings", args=[ws, reg]),
            ),
        )
    change_registry(actor=actor, registry=found, changes=Changes(archived=is_closing))
    messages.success(request, _("The registry is archived.") if is_closing else _("The registry is open again."))
    return redirect("web:registry-settings", ws, reg)


@door("POST")
def delete(request: HttpRequest, actor: Actor, ws: str, reg: str) -> HttpResponse:
    """Delete the registry with everything in it; the person types its name."""
    found = registry_for(actor, ws, reg, Action.MANAGE)
    check_deletable(actor, found)
    if not is_confirmed(request, typed=reg):
        count = found.packages.count()
        text = ngettext("%(count)s package goes with it, for good.", "%(count)s packages go with it, for good.", count) % {"count": count}
        return ask(
            request,
            Question(
                title=_("Delete the registry %(name)s?") % {"name": found},
                text=f"{text} {_('Names that were internal stay internal in the workspace.')}",
                act=_("Delete for good"),
                back=reverse("web:registry-settings", args=[ws, reg]),
                typed=reg,
            ),
        )
    delete_registry(actor=actor, registry=found)
    messages.success(request, _("The registry %(name)s is deleted.") % {"name": found})
    return redirect("web:workspace", ws)
