"""OpenAPI: how operations and credentials are described at /api/schema/."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.serializers import BaseSerializer

from api.serializers.common import Fault, Query

ANY = (400, 401, 403, 404, 409, 413, 429, 500, 503)
OF_BODIES = (415, 507)
OUTSIDE = (501, 502, 504)  # of what may ask an upstream, or a format that is not there yet
Shape = type[BaseSerializer[Any]]
M = TypeVar("M", bound=Callable[..., Any])


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Bearer and Basic."""

    target_class = "api.authentication.GatehouseAuthentication"
    name = ["token", "password"]

    def get_security_definition(self, auto_schema: AutoSchema) -> list[dict[str, str]]:  # noqa: ARG002 - the framework's signature
        """The two schemes of the Authorization header."""
        return [{"type": "http", "scheme": "bearer"}, {"type": "http", "scheme": "basic"}]


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The browser's session."""

    target_class = "api.authentication.BrowserSession"
    name = "session"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:  # noqa: ARG002 - the framework's signature
        """The session cookie; unsafe methods also need the CSRF token."""
        return {"type": "apiKey", "in": "cookie", "name": "sessionid"}


def described(  # noqa: PLR0913 - what there is to say of an operation
    name: str,
    *,
    body: Shape | dict[str, Any] | None = None,
    returns: Shape | dict[str, Any] | OpenApiResponse | None = None,
    code: int = 200,
    many: bool = False,
    filters: type[Query] | None = None,
    order: Mapping[str, str] | None = None,
    also: Mapping[int, Any] | None = None,
    outside: bool = False,
) -> Callable[[M], M]:
    """Describe one method of a view: its name, body, answer and filters; errors look alike everywhere."""
    answer = returns(many=True) if many and isinstance(returns, type) else returns
    responses: dict[int | str, Any] = {**_refusals(body, also, outside=outside), code: answer}
    parameters: list[Any] = [filters] if filters else []
    if order:
        parameters.append(_ordering(order))

    def decorate(method: M) -> M:
        described_method: M = extend_schema(operation_id=name, request=body, responses=responses, parameters=parameters or None)(method)
        described_method.orderings = dict(order or {})  # type: ignore[attr-defined]
        return described_method

    return decorate


def _refusals(body: object, also: Mapping[int, Any] | None, *, outside: bool) -> dict[int | str, Any]:
    """What any request may be told instead, by the table of errors; `also` is what this one may answer besides."""
    codes = (*ANY, *(OF_BODIES if body is not None else ()), *(OUTSIDE if outside else ()))
    return {**dict.fromkeys(codes, Fault), **(also or {})}


def _ordering(order: Mapping[str, str]) -> OpenApiParameter:
    words = [f"{sign}{word}" for word in order for sign in ("", "-")]
    return OpenApiParameter("ordering", enum=words, description="The order; several with commas between. A minus turns one round.")
