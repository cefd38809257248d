"""Acts that cannot be taken back ask first: with a dialog where there is script, with a page where there is none."""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from workspaces.errors import Invalid

MOST = 20_000  # characters of all fields that are asked about again


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is asked: a title, the consequences in words, the label of the act, where “Cancel” leads.

    `typed`: the person must write this very text, for the acts that take most with them.
    """

    title: str
    text: str
    act: str
    back: str
    typed: str = ""


def is_confirmed(request: HttpRequest, typed: str = "") -> bool:
    """Whether this POST carries the person's yes (and the typed name, where one is asked for)."""
    return request.POST.get("confirm") == "yes" and (not typed or request.POST.get("typed", "").strip() == typed)


def ask(request: HttpRequest, question: Question) -> HttpResponse:
    """The page with the question; it posts the same fields again, with the yes. Raises Invalid for more than a person sends."""
    own = {"csrfmiddlewaretoken", "confirm", "typed"}
    fields = [(name, value) for name in request.POST if name not in own for value in request.POST.getlist(name)]
    if sum(len(name) + len(value) for name, value in fields) > MOST:
        raise Invalid(_("This is more than the form takes."))
    tried = request.POST.get("confirm") == "yes"
    return render(request, "confirm.html", {"question": question, "fields": fields, "tried": tried}, status=400 if tried else 200)
