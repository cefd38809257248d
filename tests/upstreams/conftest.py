"""The team of the npm door's tests, with an upstream, for what upstreams may do to it."""

from tests.npm.conftest import loopback, open_team, team

__all__ = ["loopback", "open_team", "team"]
