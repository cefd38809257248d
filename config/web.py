"""The web server: granian's first process, which forks the workers from what was imported once.

A program of the supervisor (config.attend); also `python -m config.web` with granian's own options.
"""

import os
import signal

from config.image import load
from config.lifeline import tie_if_supervised


def _in_worker() -> None:
    """A fork inherits neither the tie to its parent nor should it inherit the parent's way of ending.

    granian's master has a handler that would lose a SIGTERM during the worker's start and cost the full kill
    time-out; the worker sets its real one when it begins to serve.
    """
    tie_if_supervised()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def main() -> None:
    """Serve; the options are granian's, in `sys.argv`."""
    os.register_at_fork(after_in_child=_in_worker)
    from granian.cli import entrypoint

    entrypoint()  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    tie_if_supervised()  # before the slow imports: until here a SIGTERM to the supervisor would leave us behind
    load()
    main()
