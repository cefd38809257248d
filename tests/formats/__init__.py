"""Tests of the pure formats, mostly tables."""
