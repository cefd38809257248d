"""Use cases of the floor `packages`."""
