"""Use cases of the floor `upstreams`."""
