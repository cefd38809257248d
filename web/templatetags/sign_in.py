"""GitHub on the pages: its button where people sign in, its section on the account page."""

from typing import Any

from django import template
from django.conf import settings
from django.http import HttpRequest

from tokens.services.identities import identity_of
from tokens.services.sign_up import takes_newcomers
from web.github_button import external_page, is_set_up
from web.newcomers import is_invited

register = template.Library()


@register.inclusion_tag("components/github_button.html", takes_context=True)
def github_button(context: template.RequestContext, after: str) -> dict[str, Any]:
    """The form with the button; nothing where GitHub sign-in is not set up."""
    request: HttpRequest = context["request"]
    return {"is_set_up": is_set_up(), "next": after, "elsewhere": external_page(request), "external": settings.EXTERNAL_HOST}


@register.inclusion_tag("account/github.html", takes_context=True)
def github_section(context: template.RequestContext) -> dict[str, Any]:
    """Whether the person's account is linked to GitHub, and the button that changes it."""
    request: HttpRequest = context["request"]
    identity = identity_of(context["user"], "github")
    return {"identity": identity, "is_set_up": is_set_up(), "elsewhere": external_page(request), "external": settings.EXTERNAL_HOST}


@register.inclusion_tag("account/github_proof.html", takes_context=True)
def github_proof(context: template.RequestContext, after: str) -> dict[str, Any]:
    """The button with which somebody whose account is linked proves who they are once more."""
    has_password = context["user"].has_usable_password()
    return {**github_section(context), "next": after, "has_password": has_password}


@register.simple_tag(takes_context=True)
def may_sign_up(context: template.RequestContext) -> bool:
    """Whether whoever reads this may make an account with a password."""
    return takes_newcomers(is_invited=is_invited(context["request"]))
