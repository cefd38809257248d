"""The upstreams of a registry: where it looks, in which order, and what is internal about it."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from registries.gate import registry_for
from registries.models import Registry
from upstreams.models import Upstream
from upstreams.selectors.tombstones import number_left_by
from upstreams.services.credentials import is_operator, may_publish_at
from upstreams.services.leaving import Belongings, belongings_by, belongings_of
from upstreams.services.sources import change_upstream, create_upstream, remove_upstream, upstream_of
from upstreams.services.wishes import UpstreamWish, describe
from web import reads
from web.confirm import Question, ask, is_confirmed
from web.doors import asked, door, sent
from web.errors import status_of
from web.presets import presets
from web.sources import ChainForm, GitForm, MoonbitForm, UpstreamForm
from web.views.registry import frame, registry_for_members
from workspaces.access import Action, Actor
from workspaces.errors import Conflict, Invalid
from workspaces.services.seen import unless_changed

AnyForm = UpstreamForm | ChainForm
CHAIN, GIT, MOONBIT = Upstream.Kind.REGISTRY, Upstream.Kind.GIT, "moonbit"


@door("GET", "POST")
def upstreams(request: HttpRequest, actor: Actor, ws: str, reg: str) -> HttpResponse:
    """The sources in the order they are asked; admins add one here."""
    if request.method != "POST":
        return _list(request, actor, registry_for_members(actor, ws, reg))
    found = registry_for(actor, ws, reg, Action.MANAGE)
    form = _form(request, actor, found, request.POST.get("kind", ""))
    if not form.is_valid():
        return _list(request, actor, found, form, 400)
    try:
        create_upstream(actor=actor, registry=found, wish=UpstreamWish(**form.changes()))
    except (Invalid, Conflict) as error:
        form.refuse(error)
        return _list(request, actor, found, form, status_of(error))
    messages.success(request, _("The upstream is added."))
    return redirect("web:upstreams", ws, reg)


@door("GET", "POST")
def upstream(request: HttpRequest, actor: Actor, ws: str, reg: str, upstream_id: int) -> HttpResponse:
    """Change one upstream."""
    found = registry_for(actor, ws, reg, Action.MANAGE)
    source = upstream_of(found, upstream_id)
    kind = MOONBIT if source.format == MOONBIT and source.kind == Upstream.Kind.URL else source.kind
    form = _form(request, actor, found, kind, initial={**describe(source), "patterns": "\n".join(source.patterns)})
    form.about(describe(source))
    if request.method != "POST":
        return _one(request, actor, source, form)
    if not form.is_valid():
        return _one(request, actor, source, form, 400)
    try:
        unless_changed(
            found.workspace_id,
            sent(request, "seen"),
            lambda: describe(upstream_of(found, upstream_id)),
            lambda: change_upstream(actor=actor, upstream=source, changes=form.changes()),
        )
    except (Invalid, Conflict) as error:
        form.refuse(error)
        return _one(request, actor, source, form, status_of(error))
    messages.success(request, _("The upstream is saved."))
    _tell_of_left(request, source, was_internal=source.is_internal)
    return redirect("web:upstreams", ws, reg)


@door("POST")
def switch(request: HttpRequest, actor: Actor, ws: str, reg: str, upstream_id: int) -> HttpResponse:
    """Enable or disable an upstream."""
    found = registry_for(actor, ws, reg, Action.MANAGE)
    source = upstream_of(found, upstream_id)
    enabled = request.POST.get("enabled") == "true"
    change_upstream(actor=actor, upstream=source, changes={"enabled": enabled})
    messages.success(request, _("It is asked again.") if enabled else _("It is not asked any more."))
    return redirect("web:upstreams", ws, reg)


@door("POST")
def remove(request: HttpRequest, actor: Actor, ws: str, reg: str, upstream_id: int) -> HttpResponse:
    """Remove an upstream, after a confirmation."""
    found = registry_for(actor, ws, reg, Action.MANAGE)
    source = upstream_of(found, upstream_id)
    if not is_confirmed(request):
        return ask(
            request,
            Question(
                title=_("Remove the upstream %(name)s?") % {"name": source.name},
                text=_leaving(belongings_of(source)),
                act=_("Remove"),
                back=reverse("web:upstreams", args=[ws, reg]),
            ),
        )
    remove_upstream(actor=actor, upstream=source)
    messages.success(request, _("The upstream is removed."))
    return redirect("web:upstreams", ws, reg)


def _tell_of_left(request: HttpRequest, source: Upstream, *, was_internal: bool) -> None:
    """Turned off, the toggle leaves names behind that stay internal."""
    left = number_left_by(source.registry, source.name)
    if was_internal and left and not Upstream.objects.filter(pk=source.pk, is_internal=True).exists():
        said = ngettext(
            "%(n)d name stays internal, because it answered for it.", "%(n)d names stay internal, because it answered for them.", left
        )
        messages.warning(request, said % {"n": left} + " " + _("“Names kept internal”, at Claims, lists them and lets them go at once."))


def _leaving(belongings: Belongings) -> str:
    """What a removal means."""
    text = _("What was pulled from it stays here. Its patterns no longer count as claims.")
    told = belongings.as_text()
    return f"{text} " + _("Deleted with it: %(told)s.") % {"told": told} if told else text


def _form(request: HttpRequest, actor: Actor, found: Registry, kind: str, initial: dict[str, object] | None = None) -> AnyForm:
    """The form for that kind of source, filled with what was sent."""
    data = request.POST if request.method == "POST" else None
    if kind == CHAIN:
        return ChainForm(data, slugs=reads.registries_beside(actor, found), initial=initial)
    if kind == GIT:
        return GitForm(data, initial=initial, auto_id="git_%s")
    if kind == MOONBIT:
        return MoonbitForm(data, initial=initial, auto_id="moonbit_%s")
    return UpstreamForm(data, initial=initial, lends=is_operator(actor))


def _list(request: HttpRequest, actor: Actor, found: Registry, form: AnyForm | None = None, status: int = 200) -> HttpResponse:
    """The page; `form` is the one that was refused."""
    slugs = reads.registries_beside(actor, found)
    known, word = presets(), asked(request, "preset")
    initial = dict(known[word][1]) if word in known else None
    forms = {
        "form": form if type(form) is UpstreamForm else UpstreamForm(initial=initial, lends=is_operator(actor)),
        "git_form": form if isinstance(form, GitForm) else GitForm(auto_id="git_%s"),
        "moonbit_form": form if isinstance(form, MoonbitForm) else MoonbitForm(auto_id="moonbit_%s"),
        "chain_form": form if isinstance(form, ChainForm) else ChainForm(slugs=slugs) if slugs else None,
    }
    rows = reads.upstreams_of(found)
    leaving = {number: _leaving(belongings) for number, belongings in belongings_by(rows).items()}
    context = {
        **frame(actor, found, "upstreams"),
        "upstreams": rows,
        "leaving": leaving,
        "order": ",".join(str(row.pk) for row in rows),
        "presets": [(one, label) for one, (label, _values) in known.items()],
        "is_asked": word in known,
        "troubles": reads.troubles_of(found, rows),
        **forms,
    }
    return render(request, "registry/upstreams.html", context, status=status)


def _one(request: HttpRequest, actor: Actor, source: Upstream, form: AnyForm, status: int = 200) -> HttpResponse:
    left = number_left_by(source.registry, source.name)
    told = {"upstream": source, "form": form, "left": left, "may_publish": may_publish_at(actor, source)}
    context = {**frame(actor, source.registry, "upstreams"), **told}
    return render(request, "registry/upstream.html", context, status=status)
