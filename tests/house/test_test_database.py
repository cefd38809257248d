"""The database of the tests waits as the real one does: one in memory tells whoever comes second “table is locked”, at once."""

import threading

import pytest
from django.db import DatabaseError, connection, transaction

from workspaces.models import Workspace


@pytest.mark.django_db(transaction=True)
def test_who_comes_second_waits() -> None:
    written, seen = threading.Event(), list[object]()

    def second() -> None:
        try:
            written.wait(10)
            Workspace.objects.create(slug="second", name="second")
            seen.append(Workspace.objects.count())
        except DatabaseError as error:
            seen.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=second)
    thread.start()
    with transaction.atomic():
        Workspace.objects.create(slug="first", name="first")
        written.set()
        thread.join(0.3)
        assert not seen, seen
    thread.join(20)
    assert seen == [2]
