"""Commands of npm whose time has not come: staged publishing, trusted publishing, hooks.

422 for every method: npm 11 and 12 then print the one sentence and nothing else, and yarn 4 prints it too. On 404
npm goes on about permissions and tarballs, on 403 about a security policy, and a GET or DELETE that a 5xx answers it
sends three times, over half a minute (all seen with the real clients).
"""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from packages.formats.errors import NotSupported
from protocols.npm.door import visit
from protocols.npm.errors import answer, sentence

STAGE = "Staged publishing is not here yet; npm publish publishes at once."
TRUST = "Trusted publishing is not here yet; publish with a token."
HOOKS = "Hooks are not here yet; nothing was added or changed."


def later(text: str) -> Callable[..., HttpResponse]:
    """A view that says so, to those who may know of the registry. It reads no body."""

    def view(request: HttpRequest, ws: str, reg: str, **parts: str) -> HttpResponse:  # noqa: ARG001 - the address
        visit(request, ws, reg)
        raise NotSupported(text)

    return view


stage, trust, hooks = later(STAGE), later(TRUST), later(HOOKS)


def exchange(request: HttpRequest, name: str) -> HttpResponse:  # noqa: ARG001 - the address
    """The OIDC exchange at the root of the host, whither npm 11 and 12 drop the registry's path.

    The caller's Bearer is an identity token of their CI, none of ours, and is not looked at. npm says nothing of the
    refusal and goes on with the token it has; `message` is what `--loglevel verbose` shows.
    """
    return answer(NotSupported(TRUST))


def nothing(request: HttpRequest, rest: str) -> HttpResponse:  # noqa: ARG001 - the address
    """Any other address of npm's below the root of the host: it belongs to no registry."""
    return sentence(404, "There is nothing at this address; npm's addresses begin with a registry's own.", "not_found")
