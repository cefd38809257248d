"""What this process proves itself with to upstreams, so that the log can leave it out. Pure: read by whoever formats lines."""

import threading
from collections import OrderedDict

SHORTEST = 8  # characters: a shorter one stands in too many innocent words
MOST = 1000  # of the last ones used
MASK = "***"


class Secrets:
    """The last secrets used, each once."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, None] = OrderedDict()
        self._lock = threading.Lock()

    def learn(self, *values: str) -> None:
        """Remember values that no line may show."""
        with self._lock:
            for value in values:
                if len(value) >= SHORTEST:
                    self._known[value] = None
                    self._known.move_to_end(value)
            while len(self._known) > MOST:
                self._known.popitem(last=False)

    def hidden(self, text: str) -> str:
        """The text without them; the longest first, for one may hold another."""
        with self._lock:
            found = [value for value in self._known if value in text]
        for value in sorted(found, key=len, reverse=True):
            text = text.replace(value, MASK)
        return text


SECRETS = Secrets()
