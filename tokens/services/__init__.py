"""Use cases of the floor `tokens`."""
