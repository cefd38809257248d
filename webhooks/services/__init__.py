"""Use cases of webhooks: those of people (hooks), and those of the worker (outbox, sending)."""
