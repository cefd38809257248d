"""Every address below /api/ that is none."""

from rest_framework.request import Request
from rest_framework.response import Response

from api.base import Door
from api.errors import AddressUnknown


class UnknownView(Door):
    """Any other address below /api/: 404 in JSON, after the credentials were checked."""

    schema = None

    def get(self, request: Request, path: str) -> Response:  # noqa: ARG002 - the framework's signature
        """Nothing is here."""
        raise AddressUnknown("There is nothing at this address.")

    post = put = patch = delete = get
