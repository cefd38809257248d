"""How often upstreams were asked, what came of it and how long it took: plain sums, read by whoever shows metrics."""

import threading
from collections import Counter
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import urlsplit

MOST = 200  # upstreams told apart; what comes beyond is one
OTHERS = "others"


@dataclass
class Tally:
    """Sums of one process. Keys: the upstream's origin, and for `asked` the outcome, e.g. ("https://registry.example.org", "2xx")."""

    asked: Counter[tuple[str, str]] = field(default_factory=Counter)
    seconds: dict[str, float] = field(default_factory=dict)  # until the head of the answer was there
    _names: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, url: str, outcome: str, seconds: float) -> None:
        """One question and what came of it: `2xx` … `5xx`, or a word for the trouble."""
        with self._lock:
            name = self._known(origin(url))
            self.asked[name, outcome] += 1
            self.seconds[name] = self.seconds.get(name, 0) + seconds

    def _known(self, name: str) -> str:
        if name not in self._names and len(self._names) >= MOST:
            return OTHERS
        self._names.add(name)
        return name


@lru_cache(maxsize=1024)
def origin(url: str) -> str:
    """Scheme, host and port of an address, nothing that could be a secret."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


TALLY = Tally()
