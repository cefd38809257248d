"""A package: its versions, tags and the sources that answer for it."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from packages.browsing import readme_of
from packages.errors import PackageNotFound
from packages.formats.facts import Facts, read_facts
from packages.formats.npm.names import parse_known
from packages.formats.npm.versions import check_tag
from packages.models import Format, Package, Version
from packages.selectors import access_of, package_of
from packages.services.versions import remove_tag, remove_tombstone, set_tag, unpublish_package
from packages.tallying import downloads_of
from registries.gate import NameNotFound, registry_for
from registries.models import Registry
from upstreams.models import Upstream
from upstreams.selectors.moved import moves_of
from upstreams.services.explain import explain
from upstreams.services.modules.explain import module_decision
from upstreams.services.resolve import Resolution, peek
from upstreams.services.tags import TagShown, tags_shown
from upstreams.services.trades import TRADES
from upstreams.terms import Decision, Outcome
from web import reads
from web.addresses import moon_url
from web.confirm import Question, ask, is_confirmed
from web.destinations import ways
from web.doors import door, sent
from web.errors import wants_html
from web.readme import render_readme
from web.snippets import install_lines, moon_lines
from web.views.registry import frame, registry_for_members
from workspaces.access import Action, Actor, Target
from workspaces.errors import Invalid, NotFound


@door("GET")
def package(request: HttpRequest, actor: Actor, ws: str, reg: str, format: str, name: str) -> HttpResponse:  # noqa: A002
    """What a package is: the read-me of its latest version, how to install it, who may do what with it."""
    try:
        found = registry_for(actor, ws, reg, Action.READ, Target(format, name))
        here = package_of(found, format, name)
    except (NameNotFound, PackageNotFound) as error:
        return absent(request, actor, registry_for(actor, ws, reg, Action.READ), Target(format, name), error)
    resolution = decided(here)
    tags = tags_of(here, resolution)
    latest = next((tag.version for tag in tags if tag.name == "latest"), "")
    shown = shown_version(here, latest)
    context = {**frame(actor, found, "packages"), **standing(actor, here, resolution)}
    context |= {
        "tab_of": "readme",
        "tags": tags,
        "latest": latest,
        "version": shown,
        "readme": readme(shown) if shown else "",
        "facts": read_facts(bytes(shown.manifest)) if shown else Facts(),
        "downloads": downloads_of(here),
        "installs": installs(here, ""),
        "moves": moves_of(found, format, name) if context["may_flag"] and resolution and asks_git(resolution) else [],
    }
    if context["is_member"]:
        context["access"] = access_of(here)
    return render(request, "package/package.html", context)


@door("GET")
def resolution(request: HttpRequest, actor: Actor, ws: str, reg: str, format: str, name: str) -> HttpResponse:  # noqa: A002
    """“Why this version?”: the trace of the rule for the name, whether or not a package is here; for members."""
    found = registry_for_members(actor, ws, reg, Target(format, name))
    trace = explain(found, format, name)
    versions = trace["versions"]
    assert isinstance(versions, dict)  # noqa: S101 - as `explain` makes it
    context = {**frame(actor, found, "packages"), "name": name, "format": format, "trace": trace, "versions": list(versions.items())[::-1]}
    return render(request, "package/resolution.html", context)


@door("POST")
def tag(request: HttpRequest, actor: Actor, ws: str, reg: str, format: str, name: str) -> HttpResponse:  # noqa: A002
    """Point a dist-tag at a version, or (`remove`) take it away."""
    found = registry_for(actor, ws, reg, Action.PUBLISH, Target(format, name))
    word = sent(request, "tag")
    if request.POST.get("remove"):
        remove_tag(actor=actor, registry=found, format=format, name=name, tag=word)
        messages.success(request, _("The tag is gone."))
    else:
        checked = check_tag_for(format, word)
        set_tag(actor=actor, registry=found, format=format, name=name, tag=checked, version=sent(request, "version"))
        messages.success(request, _("The tag is set."))
    return redirect("web:package", ws, reg, format, name)


@door("POST")
def delete(request: HttpRequest, actor: Actor, ws: str, reg: str, format: str, name: str) -> HttpResponse:  # noqa: A002
    """Delete a package with all its versions; the person types its name."""
    found = registry_for(actor, ws, reg, Action.DELETE, Target(format, name))
    package_of(found, format, name)
    if not is_confirmed(request, typed=name):
        text = _("Every version is deleted and its number never given out again. The name stays internal if it was.")
        question = Question(
            title=_("Delete %(name)s?") % {"name": name},
            text=text,
            act=_("Delete for good"),
            back=reverse("web:package", args=[ws, reg, format, name]),
            typed=name,
        )
        return ask(request, question)
    unpublish_package(actor=actor, registry=found, format=format, name=name)
    messages.success(request, _("%(name)s is deleted.") % {"name": name})
    return redirect("web:registry", ws, reg)


@door("POST")
def tombstone(request: HttpRequest, actor: Actor, ws: str, reg: str, format: str, name: str) -> HttpResponse:  # noqa: A002
    """Remove the tombstone that keeps a name internal, after a confirmation."""
    found = registry_for(actor, ws, reg, Action.MANAGE, Target(format, name))
    if not is_confirmed(request):
        question = Question(
            title=_("Let %(name)s be looked for outside again?") % {"name": name},
            text=_("Public upstreams may then be asked for this name, and their packages installed under it."),
            act=_("Remove the tombstone"),
            back=reverse("web:package", args=[ws, reg, format, name]),
        )
        return ask(request, question)
    remove_tombstone(actor=actor, registry=found, format=format, name=name)
    messages.success(request, _("The tombstone is removed."))
    return redirect("web:package", ws, reg, format, name)


def absent(request: HttpRequest, actor: Actor, found: Registry, target: Target, error: NotFound) -> HttpResponse:
    """404 that tells members what is known of the name, and offers admins the claim."""
    if not wants_html(request):
        raise error
    name, format_word = target.name or "", target.format or ""
    scope = name.partition("/")[0]
    context = {**frame(actor, found, "packages")}
    is_member = bool(context["is_member"])
    context |= {
        "name": name,
        "format": format_word,
        "claim": reads.claim_for(found.workspace, name) if is_member else None,
        "tombstone": reads.tombstone_for(found, format_word, name) if is_member else None,
        "decision": _decision_about(found, target) if is_member else None,
        "pattern": f"{scope}/*" if name.startswith("@") else name,
        "ways": ways(actor, found, format_word, name),
        "moves": moves_of(found, format_word, name) if actor.may(Action.MANAGE, found, target) else [],
    }
    return render(request, "package/absent.html", context, status=404)


def standing(actor: Actor, here: Package, resolution: Resolution | None = None) -> dict[str, object]:
    """What the rule says of the name, asking nobody, and what the caller may do with it. `resolution`: if it is known already.

    Visitors of a public registry hear of the versions it holds, not of claims, tombstones and other registries.
    """
    is_member = actor.role_in(here.registry.workspace_id) is not None
    decision = (resolution.decision if resolution else decision_of(here)) if is_member else None
    if is_member:
        is_internal = decision is not None and decision.is_internal is not False  # unknown is treated as internal
    else:
        is_internal = Version.objects.filter(package=here, is_internal=True).exists()
    target = Target(here.format, here.name)
    return {
        "package": here,
        "clause": decision.clause if decision else "",
        "is_internal_name": is_internal,
        "hides_pulled": decision is not None and decision.is_internal is True and not decision.shows_pulled,
        "may_publish": actor.may(Action.PUBLISH, here.registry, target) and not here.registry.is_archived,
        "may_delete": actor.may(Action.DELETE, here.registry, target) and not here.registry.is_archived,
        "may_flag": actor.may(Action.MANAGE, here.registry, target),
        "ways": ways(actor, here.registry, here.format, here.name),
        "may_come": decision is not None and here.format in TRADES and (decision.outcome is Outcome.ASK or any(decision.answering)),
    }


def installs(here: Package, version: str) -> list[tuple[str, str]]:
    """What clients are told to install it."""
    if here.format == Format.MOONBIT:
        return moon_lines(moon_url(here.registry), here.name, version)
    return install_lines(here.name, version)


def _decision_about(found: Registry, target: Target) -> Decision | None:
    """The same of a name that is not here; None for what is no name at all."""
    try:
        return decision_of(Package(registry=found, format=target.format or "", name=target.name or ""))
    except Invalid:
        return None


def decision_of(here: Package) -> Decision | None:
    """What the rule says of the name by what is known; None for a format without sources."""
    if here.format == Format.MOONBIT:
        return module_decision(here.registry, here.name)
    return peek(here.registry, parse_known(here.name)).decision if here.format == Format.NPM else None


def check_tag_for(format: str, word: str) -> str:  # noqa: A002
    """The tag, if the format's grammar takes it. Raises Invalid."""
    return check_tag(word) if format == Format.NPM else word


def asks_git(resolution: Resolution) -> bool:
    """Whether a repository is among its sources: only its tags can have been moved."""
    return any(upstream.kind == Upstream.Kind.GIT for upstream in resolution.situation.upstreams.values())


def decided(here: Package) -> Resolution | None:
    """The decision for an npm name by what sources said last, nobody asked."""
    return peek(here.registry, parse_known(here.name)) if here.format == Format.NPM else None


def tags_of(here: Package, resolution: Resolution | None) -> list[TagShown]:
    """The tags that clients see."""
    if resolution is not None:
        return tags_shown(resolution)
    return [TagShown(name=tag.name, version=tag.version.version) for tag in here.tags.select_related("version")]


def tags_on(version: Version, tags: list[TagShown]) -> list[str]:
    """The names of those at a version."""
    return [tag.name for tag in tags if tag.version == version.version]


def readme(shown: Version) -> SafeString | str:
    """The version's read-me as HTML; what its manifest has in place of a file that is missing; or nothing."""
    here = shown.package
    where = [here.registry.workspace.slug, here.registry.slug, here.format, here.name, shown.version]
    name, text = readme_of(shown)
    if not text:
        name, text = "README.md", read_facts(bytes(shown.manifest)).readme
    return render_readme(name, text, reverse("web:files", args=where)) if text.strip() else ""


def shown_version(here: Package, latest: str) -> Version | None:
    """The version whose read-me stands for the package: `latest` if it is here, else the one that came last."""
    rows = Version.objects.filter(package=here).select_related("upstream_origin").order_by("-id")
    found = (rows.filter(version=latest).first() if latest else None) or rows.first()
    if found is not None:
        found.package = here
    return found
