"""Who is told of what happens to accounts: subscriptions, and the messages that they get."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from sim.exchange.answers import Json
from sim.exchange.venue.events import VenueEvent


@dataclass(frozen=True, slots=True)
class Told:
    """A message for an account; ``is_fill`` where it reports a trade."""

    account: str
    message: dict[str, Json]
    is_fill: bool = False


class UserDataWriter(Protocol):
    """How a market writes what happens to accounts."""

    def told(self, events: list[VenueEvent], server_ns: int) -> Iterable[Told]:
        """The messages of a batch of events, in order."""


Listener: TypeAlias = Callable[[Told], None]


class UserData:
    """The subscriptions of a venue.

    Parameters
    ----------
    server_ns: the time that the server states, of the time that it is.
    """

    def __init__(self, writer: UserDataWriter, server_ns: Callable[[int], int]) -> None:
        self._writer = writer
        self._server_ns = server_ns
        self._listeners: dict[str, list[Listener]] = {}

    def listen(self, account: str, listener: Listener) -> None:
        """Tell somebody of an account from now on; the same listener once."""
        self._listeners.setdefault(account, []).append(listener)

    def leave(self, account: str, listener: Listener) -> None:
        """Tell them no longer."""
        self._listeners[account].remove(listener)

    def hear(self, events: list[VenueEvent], now_ns: int) -> None:
        """Pass on what happened to accounts that somebody listens to."""
        for told in self._messages(events, now_ns):
            for listener in tuple(self._listeners.get(told.account, ())):
                listener(told)

    def _messages(self, events: list[VenueEvent], now_ns: int) -> Iterator[Told]:
        yield from self._writer.told(events, self._server_ns(now_ns))
