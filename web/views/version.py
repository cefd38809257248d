"""One version: its facts, the *Internal* checkbox, deprecation, deletion."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from packages.formats.facts import read_facts
from packages.models import Package, Version
from packages.selectors import package_of, version_of
from packages.services.versions import deprecate as deprecate_versions
from packages.services.versions import set_internal
from packages.tallying import downloads_of
from registries.gate import registry_for
from registries.models import Registry
from upstreams.models import Origin
from upstreams.selectors.moved import moves_of
from upstreams.services.acceptance import accept_bytes
from upstreams.services.removal import unpublish_version
from web import reads
from web.confirm import Question, ask, is_confirmed
from web.doors import asked, door, sent
from web.effects import effect_of, is_last_internal
from web.views.package import installs, readme, standing
from web.views.registry import frame
from workspaces.access import Action, Actor, Target


@door("GET")
def version(request: HttpRequest, actor: Actor, ws: str, reg: str, format: str, name: str, number: str) -> HttpResponse:  # noqa: A002
    """Everything known of one version."""
    found = registry_for(actor, ws, reg, Action.READ, Target(format, name))
    here = package_of(found, format, name)
    shown = version_of(here, number)
    shown.package = here
    context = {
        **frame(actor, found, "packages"),
        **standing(actor, here),
        "tab_of": "readme",
        "version": shown,
        "readme": readme(shown),
        "facts": read_facts(bytes(shown.manifest)),
        "downloads": downloads_of(here, number),
        "origin": Origin.objects.filter(version=shown).first(),
        "installs": installs(here, number),
        "event": reads.publication_of(shown) if actor.may_in(found.workspace_id, Action.MANAGE) else None,
        "was_changed": asked(request, "changed") == "1",
    }
    return render(request, "package/version.html", context)


@door("POST")
def internal(request: HttpRequest, actor: Actor, ws: str, reg: str, format: str, name: str, number: str) -> HttpResponse:  # noqa: A002
    """Tick or untick *Internal*; unticking the last one asks first. The page that comes next offers to take it back."""
    found = registry_for(actor, ws, reg, Action.MANAGE, Target(format, name))
    wanted = request.POST.get("internal") in {"on", "true"}
    here = package_of(found, format, name)
    shown = version_of(here, number)
    if not wanted and shown.is_internal and is_last_internal(here, shown) and not is_confirmed(request):
        question = Question(
            title=_("%(name)s will not be internal any more") % {"name": name},
            text=effect_of(here, shown, wanted=False),
            act=_("Yes, untick it"),
            back=reverse("web:version", args=[ws, reg, format, name, number]),
        )
        return ask(request, question)
    set_internal(actor=actor, registry=found, format=format, name=name, version=number, internal=wanted)
    said = _("%(version)s is internal.") if wanted else _("%(version)s is not internal any more.")
    messages.success(request, said % {"version": f"{name}@{number}"})
    undo = "?changed=1" if wanted != shown.is_internal else ""
    return redirect(reverse("web:version", args=[ws, reg, format, name, number]) + undo)


@door("GET")
def effect(request: HttpRequest, actor: Actor, ws: str, reg: str, format: str, name: str, number: str) -> HttpResponse:  # noqa: A002
    """What the other state of the box would do: shown under it before anybody decides."""
    found = registry_for(actor, ws, reg, Action.MANAGE, Target(format, name))
    here = package_of(found, format, name)
    shown = version_of(here, number)
    wanted = not shown.is_internal
    return render(request, "package/effect.html", {"wanted": wanted, "effect": effect_of(here, shown, wanted=wanted)})


@door("POST")
def accept(request: HttpRequest, actor: Actor, ws: str, reg: str, format: str, name: str, number: str) -> HttpResponse:  # noqa: A002
    """Take what a source offers now under a number that is not held here, after a confirmation."""
    found = registry_for(actor, ws, reg, Action.MANAGE, Target(format, name))
    version = f"{name}@{number}"
    if not is_confirmed(request):
        moves = [move.sentence for move in moves_of(found, format, name) if move.version == number]
        question = Question(
            title=_("Accept the new commit of %(version)s?") % {"version": version},
            text=" ".join([*moves, _after_acceptance(version)]),
            act=_("Accept the new commit"),
            back=_page_about(found, format, name),
        )
        return ask(request, question)
    accept_bytes(actor=actor, registry=found, format=format, name=name, version=number)
    messages.success(request, _("%(version)s is what its source offers at the next question.") % {"version": version})
    return redirect(_page_about(found, format, name))


@door("POST")
def deprecate(request: HttpRequest, actor: Actor, ws: str, reg: str, format: str, name: str, number: str) -> HttpResponse:  # noqa: A002
    """Set or (empty) clear the deprecation message."""
    found = registry_for(actor, ws, reg, Action.PUBLISH, Target(format, name))
    version_of(package_of(found, format, name), number)
    message = sent(request, "message")
    deprecate_versions(actor=actor, registry=found, format=format, name=name, messages={number: message})
    messages.success(request, _("The version is deprecated.") if message else _("The version is not deprecated any more."))
    return redirect("web:version", ws, reg, format, name, number)


@door("POST")
def delete(request: HttpRequest, actor: Actor, ws: str, reg: str, format: str, name: str, number: str) -> HttpResponse:  # noqa: A002
    """Delete the version, after a confirmation."""
    found = registry_for(actor, ws, reg, Action.DELETE, Target(format, name))
    here = package_of(found, format, name)
    shown = version_of(here, number)
    if not is_confirmed(request):
        question = Question(
            title=_("Delete %(version)s?") % {"version": f"{name}@{number}"},
            text=_after_deletion(shown),
            act=_("Delete for good"),
            back=reverse("web:version", args=[ws, reg, format, name, number]),
        )
        return ask(request, question)
    unpublish_version(actor=actor, registry=found, format=format, name=name, version=number)
    messages.success(request, _("%(version)s is deleted.") % {"version": f"{name}@{number}"})
    if here.versions.exists():
        return redirect("web:package", ws, reg, format, name)
    return redirect("web:registry", ws, reg)


def _page_about(found: Registry, format: str, name: str) -> str:  # noqa: A002 - the field's own word
    """The page of a package; of a name that nothing is held of, its trace."""
    is_here = Package.objects.filter(registry=found, format=format, name=name).exists()
    return reverse("web:package" if is_here else "web:resolution", args=[found.workspace.slug, found.slug, format, name])


def _after_acceptance(version: str) -> str:
    return _(
        "Accepting lets go of what was first promised of %(version)s, for everybody who installs from this registry: from the next"
        " question on its source counts. Lock files that were made before name the first files, and npm refuses the new ones by"
        " them (EINTEGRITY) until they are made anew. It cannot be taken back here. Ask whoever moved the tag if you do not know why."
    ) % {"version": version}


def _after_deletion(shown: Version) -> str:
    if shown.is_internal or shown.origin != Version.Origin.PULLED:
        return _("The number is never given out again in this registry. The name stays internal if it was.")
    return _("It was pulled from an upstream; its number is free again for a version of your own.")
