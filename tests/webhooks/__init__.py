"""Webhooks: what is told, to whom, how it is signed, and what happens when nobody listens."""
