"""Production's settings, but upstream metadata is trusted for a day: as the peer is told too, so that neither asks again in a run."""

from datetime import timedelta

from config.settings import *  # noqa: F403 - all of them

METADATA_FRESH = timedelta(days=1)
