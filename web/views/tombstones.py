"""Names kept internal by tombstones: why, since when, and letting go of those that an upstream left."""

from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from registries.gate import registry_for
from registries.models import Registry
from registries.selectors import registries_of
from upstreams.selectors.tombstones import buried, pulled_from, tombstones_of
from upstreams.services.tombstones import MOST, check_let_go, lift
from web.confirm import Question, ask, is_confirmed
from web.doors import asked, door, sent
from web.views.workspace import frame
from workspaces.access import Action, Actor
from workspaces.errors import Conflict, NotFound
from workspaces.selectors import workspace_for

PAGE = 50
FEW = 12  # names in the question


@door("GET")
def tombstones(request: HttpRequest, actor: Actor, ws: str) -> HttpResponse:
    """All of them in groups, and one by one."""
    space = workspace_for(actor, ws)
    chosen = {"registry": asked(request, "registry")[:40], "upstream": asked(request, "upstream")[:40], "search": asked(request, "q")[:214]}
    page = Paginator(tombstones_of(space, **chosen), PAGE).get_page(request.GET.get("page"))
    somewhere = next(iter(registries_of(actor, space)), None)  # where a name that is internal everywhere is looked at
    words = {"registry": chosen["registry"], "upstream": chosen["upstream"], "q": chosen["search"]}
    context = {
        **frame(actor, space, "claims"),
        **chosen,
        "page": page,
        "groups": buried(space),
        "somewhere": somewhere.slug if somewhere else "",
        "is_filtered": any(chosen.values()),
        "query": urlencode({word: value for word, value in words.items() if value}) + "&",
    }
    return render(request, "workspace/tombstones.html", context)


@door("POST")
def lift_all(request: HttpRequest, actor: Actor, ws: str) -> HttpResponse:
    """Let go of what one upstream left in one registry; the person types the upstream's name."""
    found = registry_for(actor, ws, sent(request, "registry"), Action.MANAGE)
    format_word, upstream, untick = sent(request, "format"), sent(request, "upstream"), request.POST.get("untick") == "on"
    back = reverse("web:tombstones", args=[ws])
    try:
        check_let_go(found, upstream, format_word)
        if not is_confirmed(request, typed=upstream):
            return ask(request, _question(found, format_word, upstream, back, untick=untick))
        done = lift(actor=actor, registry=found, format=format_word, upstream=upstream, untick=untick)
    except (Conflict, NotFound) as error:
        messages.error(request, error.message)
        return redirect(back)
    said = ngettext("%(n)d name may be looked for outside again.", "%(n)d names may be looked for outside again.", done.lifted)
    messages.success(request, said % {"n": done.lifted})
    if done.unticked:
        said = ngettext("%(n)d version is not internal any more.", "%(n)d versions are not internal any more.", done.unticked)
        messages.success(request, said % {"n": done.unticked})
    return redirect(back)


def _question(found: Registry, format_word: str, upstream: str, back: str, *, untick: bool) -> Question:
    names = tombstones_of(found.workspace, registry=found.slug, upstream=upstream).filter(format=format_word).values_list("name", flat=True)
    number = names.count()
    few = ", ".join(names[:FEW]) + (" …" if number > FEW else "")
    text = ngettext("%(n)d name: %(few)s.", "%(n)d names: %(few)s.", number) % {"n": number, "few": few}
    if number > MOST:
        text += " " + _("The first %(n)d are let go now.") % {"n": MOST}
    text += " " + _("Public upstreams may then be asked for them, and their packages installed under these names.")
    held = pulled_from(found, format_word, upstream).count()
    if held and untick:
        text += " " + ngettext("%(n)d version pulled from it is unticked.", "%(n)d versions pulled from it are unticked.", held) % {
            "n": held
        }
    elif held:
        text += " " + _("Names of which internal versions are held here stay internal by these.")
    return Question(
        title=_("Let go of the names that %(upstream)s made internal?") % {"upstream": upstream},
        text=text,
        act=_("Remove these tombstones"),
        back=back,
        typed=upstream,
    )
