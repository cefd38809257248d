"""Tests of Gatehouse."""
