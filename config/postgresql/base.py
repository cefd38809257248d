"""Django's backend, with a look at each connection the pool hands out.

A restart of PostgreSQL, an operator or a firewall closes connections that rest, and nobody notices before the next
statement, which fails. psycopg's own check is a statement more for each request; looking at the socket is a microsecond.
"""

import select
from typing import Any

import psycopg
from django.db.backends.postgresql import base
from psycopg import pq

TOLD = 8  # pieces of what a server may have said meanwhile: a notice, why it closes, the end


class DatabaseWrapper(base.DatabaseWrapper):
    """The backend itself, under the name Django looks for."""

    def get_new_connection(self, conn_params: Any) -> Any:
        """A connection that is open. Raises OperationalError when none can be had in time."""
        connection = super().get_new_connection(conn_params)
        while self.pool is not None and is_closed(connection.pgconn):
            connection._pool.putconn(connection)  # noqa: SLF001 - Django's own way; the pool makes another
            connection = super().get_new_connection(conn_params)
        return connection


def is_closed(server: pq.abc.PGconn) -> bool:
    """Whether the server closed it; nothing is sent and nothing waited for."""
    if server.status == pq.ConnStatus.BAD:
        return True
    poll = select.poll()
    poll.register(server.socket, select.POLLIN)
    for _ in range(TOLD):
        if not poll.poll(0):
            break
        try:
            server.consume_input()
        except psycopg.OperationalError:
            return True
    return False
