"""Memory that a large document took while it was made, given back to the system.

The C library keeps what was freed for the next request of that size, which may never come: a web process that had
rendered a document of 10 MB stayed 80 MB larger (measured).
"""

import ctypes
import sys

LARGE = 256 * 1024  # bytes of a compressed document
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None
_trim = getattr(_libc, "malloc_trim", None)  # glibc's; other C libraries do without


def give_back(size: int) -> None:
    """After a document of `size` compressed bytes was made and its parts were let go."""
    if _trim is not None and size > LARGE:
        _trim(0)
