"""Connections that listen to an account by a listen key, until the key runs out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from sim.exchange.connection import Connection
from sim.exchange.listen_keys import expired_event
from sim.exchange.sessions import ListenSession
from sim.exchange.user_data import Told, UserData


class Listening:
    """The connections by key.

    Parameters
    ----------
    server_ns: the time that the server states, of the time that it is.
    """

    def __init__(self, server_ns: Callable[[int], int]) -> None:
        self._server_ns = server_ns
        self._sessions: dict[str, list[ListenSession]] = {}

    @contextmanager
    def joined(
        self, key: str, account: str, user_data: UserData, connection: Connection
    ) -> Iterator[Callable[[str], Awaitable[None]]]:
        """Listen while the block runs; gives what takes the connection's requests."""
        session = ListenSession(connection)
        self._sessions.setdefault(key, []).append(session)
        user_data.listen(account, session.tell)
        try:
            yield session.take
        finally:
            user_data.leave(account, session.tell)
            if session in self._sessions.get(key, ()):
                self._sessions[key].remove(session)

    def expired(self, key: str, account: str, now_ns: int) -> None:
        """Tell the connections of a key that it has run out: they hear nothing more."""
        told = Told(account, expired_event(key, self._server_ns(now_ns)))
        for session in self._sessions.pop(key, []):
            session.tell(told)
            session.end()
