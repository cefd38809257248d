"""How lines are logged: without the secrets that clients put into addresses, or that upstreams are asked with.

Pure: loaded before the apps.
"""

import logging

from tokens.secrets import masked
from upstreams.clients.secrecy import SECRETS

SERVER_ERROR = 500  # an HTTP status from here on says that the server failed


class OurOwn(logging.Filter):
    """Of what Django says of requests only failures of ours, 5xx and exceptions.

    A refused request is an everyday thing: npm asks for what is not there with every publish. Each is in the request log.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the line is written."""
        return bool(record.exc_info) or int(getattr(record, "status_code", SERVER_ERROR)) >= SERVER_ERROR


class Masked(logging.Formatter):
    """The whole line, its traceback too: Django logs the address of every refused request."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, with tokens, login numbers and the credentials of upstreams masked."""
        return SECRETS.hidden(masked(super().format(record)))
