"""What goes wrong on the way to GitHub and back, each as a status, a sentence, and what a person does next.

Nothing GitHub sent is repeated; what an operator must mend also goes to the log.
"""

import logging
from dataclasses import dataclass

from django.utils.translation import gettext as _
from social_core.exceptions import (
    AuthCanceled,
    AuthConfigurationError,
    AuthCredentialError,
    AuthInputError,
    AuthSessionError,
    SocialAuthBaseException,
)

from tokens.errors import CredentialsInvalid, IdentityTaken, SignUpClosed
from upstreams.errors import UpstreamError, UpstreamTimeout, UpstreamUnreachable
from web.errors import status_of
from workspaces.errors import GatehouseError, Unavailable

logger = logging.getLogger(__name__)
OURS = frozenset({"incorrect_client_credentials", "redirect_uri_mismatch", "application_suspended", "unsupported_grant_type"})


@dataclass(frozen=True)
class Trouble:
    """What the page says. `again`: trying again may help; `retry_after` in seconds."""

    status: int
    title: str
    sentence: str
    again: bool = True
    retry_after: int | None = None


def explained(error: Exception) -> Trouble:
    """The page for whatever ended a sign-in with GitHub."""
    if isinstance(error, SocialAuthBaseException):
        return _of_conversation(error)
    if isinstance(error, UpstreamError):
        return _of_line(error)
    if isinstance(error, GatehouseError):
        return _of_ours(error)
    raise error


def _of_conversation(error: SocialAuthBaseException) -> Trouble:
    if isinstance(error, AuthCanceled):
        said = _("You did not let Gatehouse see your GitHub account, so nothing was done.")
        return Trouble(403, _("GitHub sign-in was cancelled"), said)
    if isinstance(error, AuthSessionError | AuthInputError):
        said = _(
            "It was begun in another browser, more than ten minutes ago, or it was used already. Nothing was done; begin again from here."
        )
        return Trouble(400, _("This sign-in is over"), said)
    if isinstance(error, AuthCredentialError):
        return Trouble(
            400, _("This sign-in is over"), _("GitHub says that its code was used already or is too old. Begin again from here.")
        )
    logger.warning("GitHub sign-in failed: %s (%s, status %s)", error.code, str(error.provider_code)[:80], error.status_code)
    if isinstance(error, AuthConfigurationError) or error.provider_code in OURS:
        said = _("GitHub does not accept this installation. An operator has to compare OAUTH_GITHUB_CLIENT, OAUTH_GITHUB_SECRET")
        said += " " + _("and the callback address with what is registered at GitHub.")
        return Trouble(502, _("GitHub refuses"), said, again=False)
    said = _("GitHub's answer was none that a sign-in can go on with, so nothing was done. Try again in a moment.")
    return Trouble(502, _("GitHub gave a strange answer"), said)


def _of_line(error: UpstreamError) -> Trouble:
    logger.warning("GitHub sign-in failed: %s", error.message)
    later = _("Nothing was done. Try again in a moment; a password works as ever.")
    if isinstance(error, UpstreamTimeout):
        return Trouble(504, _("GitHub is too slow"), _("It did not answer in time.") + " " + later)
    if isinstance(error, UpstreamUnreachable):
        return Trouble(503, _("GitHub does not answer"), _("It cannot be reached just now.") + " " + later, retry_after=error.retry_after)
    said = _("GitHub's answer was none that a sign-in can go on with, so nothing was done. Try again in a moment.")
    return Trouble(502, _("GitHub gave a strange answer"), said)


def _of_ours(error: GatehouseError) -> Trouble:
    if isinstance(error, SignUpClosed):
        said = error.message + " " + _("If you have an account already, sign in with your password and link GitHub on the account page.")
        return Trouble(403, _("There is no account for you here yet"), said, again=False)
    if isinstance(error, CredentialsInvalid):
        return Trouble(403, _("This account is switched off"), error.message, again=False)
    title = _("That GitHub account is taken") if isinstance(error, IdentityTaken) else _("That cannot be done")
    wait = error.retry_after if isinstance(error, Unavailable) else getattr(error, "retry_after", None)
    return Trouble(status_of(error), title, error.message, again=False, retry_after=wait)
