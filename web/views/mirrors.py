"""Mirror jobs of a registry: order them, watch them, see what failed; and their schedules."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from registries.gate import registry_for
from registries.models import Registry
from upstreams.models import Mirror
from upstreams.services.mirroring.hold import OPEN
from upstreams.services.mirroring.lists import wanted_by_lock
from upstreams.services.mirroring.orders import Order, cancel, mirror_of, order, retry
from upstreams.services.mirroring.report import failures_of, left_out_of
from upstreams.services.mirroring.schedules import Plan, change_schedule, create_schedule, remove_schedule, schedule_of
from upstreams.services.sources import upstream_named
from upstreams.tasks import send_mirror
from web import reads
from web.confirm import Question, ask, is_confirmed
from web.doors import door
from web.errors import status_of
from web.forms import PageForm
from web.mirror_forms import MirrorForm, ScheduleForm
from web.views.registry import frame, registry_for_members
from workspaces.access import Action, Actor
from workspaces.errors import Conflict, Invalid, Unsupported

PAGE = 20
REFUSALS = (Invalid, Conflict, Unsupported)


@door("GET", "POST")
def mirrors(request: HttpRequest, actor: Actor, ws: str, reg: str) -> HttpResponse:
    """The jobs, the newest first, with how far they are; publishers order one here."""
    if request.method != "POST":
        return _list(request, actor, registry_for_members(actor, ws, reg))
    found = registry_for(actor, ws, reg, Action.PUBLISH)
    form = MirrorForm(request.POST, request.FILES, upstreams=reads.mirrored_upstreams(found), auto_id="order_%s")
    if not form.is_valid():
        return _list(request, actor, found, status=400, form=form)
    try:
        made = _order(actor, found, form)
    except REFUSALS as error:
        form.refuse(error)
        return _list(request, actor, found, status=status_of(error), form=form)
    messages.success(request, _("The job is ordered."))
    return _sent(made)


@door("GET")
def mirror(request: HttpRequest, actor: Actor, ws: str, reg: str, mirror_id: int) -> HttpResponse:
    """One job: how far it is, what failed and why."""
    found = registry_for_members(actor, ws, reg)
    job = mirror_of(found, mirror_id)
    told = {"failures": failures_of(job), "left_out": left_out_of(job)}
    context = {**_context(actor, found), "job": job, "is_live": job.state in OPEN, **told}
    is_part = getattr(request, "htmx", False) and request.headers.get("HX-Target") == "job"
    return render(request, "registry/mirror_job.html" if is_part else "registry/mirror.html", context)


@door("POST")
def stop(request: HttpRequest, actor: Actor, ws: str, reg: str, mirror_id: int) -> HttpResponse:
    """Cancel a job; what came in stays."""
    job = mirror_of(registry_for(actor, ws, reg, Action.PUBLISH), mirror_id)
    cancel(actor=actor, mirror=job)
    messages.success(request, _("The job is being cancelled; what came in stays."))
    return redirect("web:mirror", ws, reg, mirror_id)


@door("POST")
def again(request: HttpRequest, actor: Actor, ws: str, reg: str, mirror_id: int) -> HttpResponse:
    """Try again what failed."""
    job = mirror_of(registry_for(actor, ws, reg, Action.PUBLISH), mirror_id)
    made = retry(actor=actor, mirror=job)
    messages.success(request, _("A new job tries again what failed."))
    return _sent(made)


@door("POST")
def schedules(request: HttpRequest, actor: Actor, ws: str, reg: str) -> HttpResponse:
    """Order a job for again and again."""
    found = registry_for(actor, ws, reg, Action.MANAGE)
    form = ScheduleForm(request.POST, upstreams=reads.mirrored_upstreams(found), auto_id="schedule_%s")
    if not form.is_valid():
        return _list(request, actor, found, status=400, schedule_form=form)
    plan = Plan(patterns=tuple(form.lines()), every=form.cleaned_data["every"], options=form.options())
    try:
        create_schedule(actor=actor, registry=found, upstream=upstream_named(found, form.cleaned_data["upstream"]), plan=plan)
    except REFUSALS as error:
        form.refuse(error)
        return _list(request, actor, found, status=status_of(error), schedule_form=form)
    messages.success(request, _("The schedule is kept."))
    return redirect("web:mirrors", ws, reg)


@door("POST")
def schedule_switch(request: HttpRequest, actor: Actor, ws: str, reg: str, schedule_id: int) -> HttpResponse:
    """Enable or disable a schedule."""
    schedule = schedule_of(registry_for(actor, ws, reg, Action.MANAGE), schedule_id)
    enabled = request.POST.get("enabled") == "true"
    change_schedule(actor=actor, schedule=schedule, changes={"enabled": enabled})
    messages.success(request, _("The schedule is enabled.") if enabled else _("The schedule rests."))
    return redirect("web:mirrors", ws, reg)


@door("POST")
def schedule_remove(request: HttpRequest, actor: Actor, ws: str, reg: str, schedule_id: int) -> HttpResponse:
    """Remove a schedule, after a confirmation."""
    schedule = schedule_of(registry_for(actor, ws, reg, Action.MANAGE), schedule_id)
    if not is_confirmed(request):
        text = _("What it ordered so far stays, and so does what came in.")
        return ask(
            request, Question(title=_("Remove this schedule?"), text=text, act=_("Remove"), back=reverse("web:mirrors", args=[ws, reg]))
        )
    remove_schedule(actor=actor, schedule=schedule)
    messages.success(request, _("The schedule is removed."))
    return redirect("web:mirrors", ws, reg)


def _order(actor: Actor, found: Registry, form: MirrorForm) -> Mirror:
    """The job of a form that was sent. Raises what the services raise."""
    upstream, lock = upstream_named(found, form.cleaned_data["upstream"]), form.cleaned_data["lock"]
    wanted, listed = wanted_by_lock(upstream, lock.read(), lock.name) if lock else ([], "")
    wish = Order(patterns=form.lines(), options=form.options(has_lock=bool(wanted)), wanted=wanted, listed=listed)
    return order(actor=actor, registry=found, upstream=upstream, order=wish)


def _sent(made: Mirror) -> HttpResponse:
    """To the job's page; a worker gets it as soon as it is written."""
    transaction.on_commit(lambda: send_mirror(made.pk))
    return redirect("web:mirror", made.registry.workspace.slug, made.registry.slug, made.pk)


def _context(actor: Actor, found: Registry) -> dict[str, object]:
    return {**frame(actor, found, "mirrors"), "may_mirror": actor.may(Action.PUBLISH, found)}


def _list(request: HttpRequest, actor: Actor, found: Registry, *, status: int = 200, **forms: PageForm) -> HttpResponse:
    """The page; one of `form` and `schedule_form` may show what was refused."""
    page = Paginator(reads.mirrors_of(found), PAGE).get_page(request.GET.get("page"))
    context = {**_context(actor, found), "page": page, "is_live": any(job.state in OPEN for job in page)}
    if getattr(request, "htmx", False) and request.headers.get("HX-Target") == "jobs":
        return render(request, "registry/mirror_jobs.html", context)
    upstreams = reads.mirrored_upstreams(found)
    context |= {
        "schedules": reads.schedules_of(found),
        "has_upstreams": bool(upstreams),
        "chained": reads.chained_registries(actor, found),
        "form": MirrorForm(upstreams=upstreams, auto_id="order_%s"),
        "schedule_form": ScheduleForm(upstreams=upstreams, auto_id="schedule_%s"),
        **forms,
    }
    return render(request, "registry/mirrors.html", context, status=status)
