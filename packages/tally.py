"""How many versions this process has published, by format: a plain sum, read by whoever shows metrics."""

from collections import Counter

PUBLISHED: Counter[str] = Counter()
