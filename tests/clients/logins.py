"""A client that waits for its login to be approved."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from tests.clients.browser import PAGE
from tests.parts.clients import Client


@contextmanager
def waiting(client: Client, *words: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A login that waits for somebody to open its page: the process and the page's address."""
    child = client.begin(*words)
    assert child.stdout is not None
    said = ""
    try:
        while line := child.stdout.readline():
            said += line
            if page := PAGE.search(line):
                yield child, page[0]
                return
        raise AssertionError(f"{client.tool} showed no page:\n{said}")
    finally:
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
