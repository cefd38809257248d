"""Messages as files: whole ones only, each to one reader, whatever was killed meanwhile."""

import threading
from pathlib import Path
from queue import Empty
from typing import Any

import pytest
from django.conf import settings
from kombu import Connection

from config import embedded_queue

MESSAGES = 150


@pytest.fixture
def broker(tmp_path: Path) -> Connection:
    embedded_queue.use()
    folders = {name: tmp_path / name for name in ("in", "control")}
    for folder in folders.values():
        folder.mkdir()
    options = {"data_folder_in": str(folders["in"]), "data_folder_out": str(folders["in"]), "control_folder": str(folders["control"])}
    return Connection("filesystem://localhost", transport_options=options)


def taken(broker: Connection, name: str, seconds: float) -> list[Any]:
    """Everything that is there, until nothing came for a while."""
    found: list[Any] = []
    with broker.clone() as connection, connection.SimpleQueue(name) as queue:
        try:
            while True:
                message = queue.get(timeout=seconds)
                found.append(message.payload)
                message.ack()
        except Empty:
            return found


@pytest.mark.parametrize("attempt", range(5))  # a new name each: only who begins with a queue can meet another who does
def test_many_writers_and_readers(broker: Connection, attempt: int) -> None:
    name = f"many{attempt}"

    def write(first: int) -> None:
        with broker.clone() as connection, connection.SimpleQueue(name) as queue:
            for number in range(first, MESSAGES, 3):
                queue.put({"number": number, "filling": "x" * 5000})

    found: list[list[Any]] = []
    threads = [threading.Thread(target=write, args=(first,)) for first in range(3)]
    threads += [threading.Thread(target=lambda: found.append(taken(broker, name, 1.0))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(message["number"] for part in found for message in part) == list(range(MESSAGES))
    assert not list(Path(settings.DATA_DIR, "staging").glob(f"*.{name}.msg.*"))


@pytest.mark.parametrize("content", [b"", b'{"body": "ab', b"\xff\xfe"])
def test_a_message_that_was_cut_off_stops_nobody(broker: Connection, content: bytes, tmp_path: Path) -> None:
    name = f"cut{len(content)}"  # kombu remembers for the process which queues there are
    (tmp_path / "in" / f"1_killed.{name}.msg").write_bytes(content)
    with broker.clone() as connection, connection.SimpleQueue(name) as queue:
        queue.put({"number": 1})
    assert taken(broker, name, 1.0) == [{"number": 1}]
    assert not list((tmp_path / "in").iterdir())


@pytest.mark.parametrize("content", [b"", b'[["", "", "lis', b"\xff\xfe"])
def test_a_list_of_queues_that_was_cut_off_is_made_anew(broker: Connection, content: bytes, tmp_path: Path) -> None:
    (tmp_path / "control" / "other.exchange").write_bytes(content)
    channel: Any = broker.clone().channel()
    channel._queue_bind("other", "key", "", "other")
    assert [tuple(row) for row in channel.get_table("other")] == [("key", "", "other")]


def test_no_message_goes_nowhere_for_a_list_of_queues_that_cannot_be_read(broker: Connection, tmp_path: Path) -> None:
    with broker.clone() as connection, connection.SimpleQueue("nowhere") as queue:
        (tmp_path / "control" / "nowhere.exchange").write_bytes(b"[[")
        with pytest.raises(ValueError, match="Expecting"):
            queue.put({"number": 1})


def test_a_queue_that_is_deleted_leaves_the_list(broker: Connection) -> None:
    channel: Any = broker.clone().channel()
    for name in ("first", "second"):
        channel._queue_bind("both", name, "", name)
    channel._delete("first", "both", "first", "")
    assert [row.queue for row in channel.get_table("both")] == ["second"]
