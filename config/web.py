"""The web server's first process: imports the application once, then lets granian fork the workers.

What was imported before the fork is shared memory: two workers of 73 MB each became 31 (measured). Called as
`python -m config.web` with granian's own options.
"""

import gc
import os
import signal

from config.lifeline import tie_if_supervised

COLLECTED = 10_000  # new objects until they are looked through for cycles; Python's own 700 cost a publish 2 % of its time


def _in_worker() -> None:
    """A fork inherits neither the tie to its parent nor should it inherit the parent's way of ending.

    granian's master has a handler that would lose a SIGTERM during the worker's start and cost the full kill
    time-out; the worker sets its real one when it begins to serve.
    """
    tie_if_supervised()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def main() -> None:
    """Import, freeze, serve. Nothing imported here opens a connection or starts a thread."""
    tie_if_supervised()  # before the slow imports: until here a SIGTERM to the supervisor would leave us behind
    gc.disable()
    import config.asgi  # noqa: F401 - the workers find it imported

    gc.collect()
    gc.freeze()  # or the first collection in each worker would write to, and so copy, all of it
    gc.set_threshold(COLLECTED)
    gc.enable()
    os.register_at_fork(after_in_child=_in_worker)
    from granian.cli import entrypoint

    entrypoint()  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    main()
