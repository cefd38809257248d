"""The settings of a server that has little patience: to see slow clients cut without waiting for it."""

from tests.parts.short_limits import *  # noqa: F403 - a settings module

BODY_GRACE, BODY_IDLE = 1.0, 1.0
