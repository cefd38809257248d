"""What goes wrong with credentials."""

from workspaces.errors import Conflict, Denied, Gone, Invalid, NotFound, TooManyRequests, Unauthenticated


class CredentialsInvalid(Unauthenticated):
    """A token or password that is not (or no longer) valid; the same text for every cause."""

    code = "credentials_invalid"


class AddressNotAllowed(Unauthenticated):
    """The token may not be used from this address."""

    code = "address_not_allowed"


class LoginThrottled(TooManyRequests):
    """Too many failures from here."""

    code = "login_throttled"


class TokenTooWide(Denied):
    """A token may only create narrower tokens that end no later."""

    code = "token_too_wide"


class TokenInvalid(Invalid):
    """A field of a new token cannot be used."""

    code = "token_invalid"


class TokenNotFound(NotFound):
    """No such token of the caller's."""

    code = "token_not_found"


class LoginUnknown(NotFound):
    """A login session that is unknown, used or over."""

    code = "login_unknown"


class LoginOver(Gone):
    """The approval page of a login that is used or over."""

    code = "login_over"


class LoginRefused(Denied):
    """The person at the page said no."""

    code = "login_refused"


class SignUpClosed(Denied):
    """This installation takes nobody new in this way."""

    code = "sign_up_closed"


class IdentityTaken(Conflict):
    """That account at the provider belongs to somebody else here, or this person has another one there."""

    code = "identity_taken"


class LastWayIn(Conflict):
    """Without it the person could not sign in any more."""

    code = "last_way_in"


class CodeInvalid(Invalid):
    """A code that is wrong, was used, or is over; the same text for every cause."""

    code = "code_invalid"


class FactorExists(Conflict):
    """The account has a second factor already."""

    code = "second_factor_exists"


class FactorMissing(Conflict):
    """The account has no second factor."""

    code = "second_factor_missing"


class SecondFactorNeeded(Unauthenticated):
    """The password of an account with a second factor works in the browser only."""

    code = "second_factor_needed"


class VisitUnknown(NotFound):
    """The person is not signed in there."""

    code = "session_unknown"
