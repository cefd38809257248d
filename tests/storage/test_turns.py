"""Writers of an embedded database take turns: across threads and processes, and whoever waits settles its bytes first."""

import os
import threading
import time

import pytest
from django.db import transaction

from packages.services.turns import turn


@pytest.mark.django_db(transaction=True)
def test_threads_take_turns() -> None:
    running, most, settled = [0], [0], []

    def write(number: int) -> None:
        with turn(before=lambda: settled.append(number)):
            running[0] += 1
            most[0] = max(most[0], running[0])
            time.sleep(0.01)
            running[0] -= 1

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert most == [1]
    assert len(settled) >= 6, "who has to wait makes its bytes durable meanwhile"


@pytest.mark.django_db(transaction=True)
def test_processes_take_turns() -> None:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        with turn(before=lambda: None):
            os.write(writing, b"x")
            time.sleep(0.3)
        os._exit(0)
    os.read(reading, 1)
    began, settled = time.monotonic(), []
    with turn(before=lambda: settled.append(1)):
        waited = time.monotonic() - began
    os.waitpid(child, 0)
    assert settled == [1]
    assert waited > 0.2


@pytest.mark.django_db(transaction=True)
def test_inside_a_transaction_there_is_no_turn_to_wait_for() -> None:
    with turn(before=lambda: None), transaction.atomic(), turn(before=lambda: pytest.fail("nobody else is writing")):
        pass
