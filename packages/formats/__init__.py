"""Formats: bytes to dataclasses and back. Pure: no Django, no network, no clock."""
