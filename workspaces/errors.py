"""The kinds of error every floor raises; each door maps kinds to its protocol in one table.

An app's own case subclasses one kind (`packages.errors.VersionExists(Conflict)`); the most
specific class in a door's table wins, so a new error is never a 500 by forgetting.
"""


class GatehouseError(Exception):
    """Base of all expected errors. `code` is the snake_case word of REST, `message` a sentence for a person."""

    code = "error"

    def __init__(self, message: str, *, fields: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.fields = fields or {}


class Invalid(GatehouseError):
    """What was sent breaks a rule of form; nothing was changed."""

    code = "invalid"


class Unauthenticated(GatehouseError):
    """No credentials, or credentials that are not (or no longer) valid."""

    code = "unauthenticated"


class Denied(GatehouseError):
    """The caller is known and may know the thing exists, but may not do this."""

    code = "denied"


class NotFound(GatehouseError):
    """It does not exist, or the caller may not know that it does."""

    code = "not_found"


class Moved(GatehouseError):
    """It is at another address now; whoever may know of it is sent there, with method and body."""

    code = "moved"


class Conflict(GatehouseError):
    """The state of things forbids it: it exists already, or somebody else was first."""

    code = "conflict"


class Gone(GatehouseError):
    """It existed and is over: an expired or used link."""

    code = "gone"


class TooLarge(GatehouseError):
    """More bytes than the limit for this route."""

    code = "too_large"


class Unsupported(GatehouseError):
    """A thing of the protocol that Gatehouse does not do (yet)."""

    code = "unsupported"


class TooManyRequests(GatehouseError):
    """Throttled; `retry_after` in seconds."""

    code = "too_many_requests"

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Unavailable(GatehouseError):
    """A part this request needs cannot answer now; `retry_after` in seconds."""

    code = "unavailable"
    status = 503

    def __init__(self, message: str, *, retry_after: int | None = 30) -> None:
        super().__init__(message)
        self.retry_after = retry_after
