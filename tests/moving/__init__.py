"""Versions on their way: push, promotion, disclosure, pull."""
