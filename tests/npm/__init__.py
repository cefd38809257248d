"""Tests of the npm door."""
