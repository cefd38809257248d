"""A workspace, people and a registry of their own."""

from tests.npm.conftest import _still, loopback, team

__all__ = ["_still", "loopback", "team"]
