"""The team of the npm door's tests, with an upstream, for what upstreams may do to it."""

from tests.npm.conftest import _still, loopback, open_team, team

__all__ = ["_still", "loopback", "open_team", "team"]
