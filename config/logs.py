"""How lines are logged: without the secrets that clients put into addresses, or that upstreams are asked with.

Pure: loaded before the apps.
"""

import logging

from tokens.secrets import masked
from upstreams.clients.secrecy import SECRETS


class Masked(logging.Formatter):
    """The whole line, its traceback too: Django logs the address of every refused request."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, with tokens, login numbers and the credentials of upstreams masked."""
        return SECRETS.hidden(masked(super().format(record)))
