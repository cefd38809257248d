"""Reads of the floor `upstreams`."""
