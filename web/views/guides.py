"""The guides of docs/guide as pages, for whoever is about to need one."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from web.doors import door
from web.readme import render_readme
from workspaces.access import Actor
from workspaces.errors import NotFound

TITLES: Mapping[str, object] = {
    "ci": gettext_lazy("Installing and publishing from CI and other services"),
    "access-denied": gettext_lazy("Access denied"),
    "internal-packages": gettext_lazy("Internal packages"),
    "inviting-a-team": gettext_lazy("Inviting a team"),
    "dependency-confusion": gettext_lazy("Dependency confusion"),
    "mirroring": gettext_lazy("Mirroring"),
}


@door("GET")
def guides(request: HttpRequest, actor: Actor) -> HttpResponse:  # noqa: ARG001 - every page has an actor
    """All of them."""
    return render(request, "guides.html", {"guides": TITLES.items()})


@door("GET")
def guide(request: HttpRequest, actor: Actor, name: str) -> HttpResponse:  # noqa: ARG001 - every page has an actor
    """One; `name` may end as the file does, as the guides name each other."""
    word = name.removesuffix(".md")
    if word not in TITLES:
        raise NotFound(_("There is no such guide."))
    return render(request, "guide.html", {"title": TITLES[word], "text": render_readme(f"{word}.md", _text(word), "/account/guides/")})


@lru_cache(maxsize=len(TITLES))
def _text(word: str) -> str:
    """The file; its title is the page's own."""
    text = Path(settings.BASE_DIR, "docs", "guide", f"{word}.md").read_text(encoding="utf-8")
    return text.partition("\n")[2] if text.startswith("# ") else text
