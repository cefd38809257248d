"""How lines are logged: without the secrets that clients put into addresses. Pure: loaded before the apps."""

import logging

from tokens.secrets import masked


class Masked(logging.Formatter):
    """The whole line, its traceback too: Django logs the address of every refused request."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, with tokens and login numbers masked."""
        return masked(super().format(record))
