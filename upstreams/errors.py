"""What goes wrong with sources. 504 time-out, 502 a wrong answer, 503 unreachable or rule 4 (CONTRACT.md section 3)."""

from workspaces.errors import Conflict, Denied, Invalid, NotFound, Unavailable


class SourceAbsent(NotFound):
    """The sources that decide said: there is no such package. `why` is for members: by which clause nobody else was asked."""

    code = "package_not_found"

    def __init__(self, message: str, *, why: str = "", fields: dict[str, str] | None = None) -> None:
        super().__init__(message, fields=fields)
        self.why = why


class UpstreamError(Unavailable):
    """Base of all trouble with one upstream; `upstream` is its name, `cause` a word for whoever looks into it, or ''."""

    code = "upstream_error"
    status = 502
    address = ""  # what was asked then, once a redirect led elsewhere

    def __init__(self, message: str, *, upstream: str = "", retry_after: int | None = None, cause: str = "") -> None:
        super().__init__(message, retry_after=retry_after)
        self.upstream = upstream
        self.cause = cause


class UpstreamUnreachable(UpstreamError):
    """Refused, reset, DNS, 5xx, 429."""

    code = "upstream_unreachable"
    status = 503


class UpstreamTimeout(UpstreamError):
    """It did not answer in time."""

    code = "upstream_timeout"
    status = 504


class UpstreamUnauthorized(UpstreamError):
    """It refused our credentials (401, 403)."""

    code = "upstream_unauthorized"


class VariableUnset(UpstreamUnauthorized):
    """A ${NAME} in its credentials has no value; it was not asked."""

    code = "variable_unset"


class VariableUnusable(UpstreamUnauthorized):
    """A ${NAME} in its credentials has a value that no header can carry, or that cannot be read; it was not asked."""

    code = "variable_unusable"


class UpstreamBadAnswer(UpstreamError):
    """Garbage, too much of it, another name, a forbidden redirect."""

    code = "upstream_bad_answer"


class HostKeyChanged(UpstreamBadAnswer):
    """The host behind an SSH address did not prove to be the one it was."""

    code = "host_key_changed"


class UpstreamForbiddenAddress(UpstreamError):
    """Its address, or one it redirects to, is not public and not allowed."""

    code = "upstream_forbidden_address"


class UpstreamIntegrityMismatch(UpstreamError):
    """The bytes are not what the metadata promised, or not those seen first."""

    code = "upstream_integrity_mismatch"


class UpstreamBusy(UpstreamUnreachable):
    """So many questions to it are open that this one was not put."""

    code = "upstream_busy"


class InternalSourceUnavailable(UpstreamUnreachable):
    """Rule 4: an internal upstream cannot answer, so nobody else is asked."""

    code = "internal_upstream_unavailable"


class RuleChanged(UpstreamUnreachable):
    """The rules for the name changed while the question was under way; the answer was dropped."""

    code = "rule_changed"


class UpstreamInvalid(Invalid):
    """A field of an upstream cannot be used."""

    code = "upstream_invalid"


class UpstreamExists(Conflict):
    """The name is taken in this registry."""

    code = "upstream_exists"


class UpstreamNotFound(NotFound):
    """No such upstream here."""

    code = "upstream_not_found"


class NumberRetired(Conflict):
    """The number was used and deleted where the version was to go."""

    code = "version_retired"


class VersionHidden(Conflict):
    """Nobody sees the version, here or where it was to go, so it is not sent on."""

    code = "version_hidden"


class InternalVersion(Conflict):
    """An internal version would leave for an upstream that is not internal."""

    code = "internal_version"


class MembersOnly(Conflict):
    """A package for members only would be open to everybody where it was to go."""

    code = "members_only"


class SourceNotAllowed(Conflict):
    """The rule does not let that upstream answer for the name; the sentence says by which clause."""

    code = "source_not_allowed"


class CredentialsNotLent(Denied):
    """The upstream signs in with variables of the environment, which only an operator publishes with, or lends."""

    code = "credentials_not_lent"


class UpstreamDisabled(Conflict):
    """The upstream is switched off: nothing goes there and nothing comes from there."""

    code = "upstream_disabled"


class UpstreamUnsuitable(Conflict):
    """That kind of upstream cannot do this."""

    code = "upstream_unsuitable"
