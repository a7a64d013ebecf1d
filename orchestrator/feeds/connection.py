"""Something that is connected anew whenever it ends, falls silent or is asked to be."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from enum import IntEnum
from typing import Protocol

from orchestrator.feeds.limits import FeedLimits


class ConnectionState(IntEnum):
    """How a connection stands."""

    CONNECTING = 0
    UP = 1
    """It stands, and has brought a message."""
    PAUSED = 2
    """It failed, and is tried again after a pause."""
    GIVEN_UP = 3
    """It failed too often in a row: a human must look, and ``resume`` it."""


class Receiver(Protocol):
    """Who is told of what a connection brings, in the network's thread."""

    def opened(self) -> None:
        """The first message of a connection is about to come."""

    def message(self, content: bytes, is_text: bool) -> None:
        """A whole message."""

    def broken(self, reason: str) -> None:
        """The connection is gone; another one is on its way."""

    def note(self, text: str) -> None:
        """Something for people to read."""


class Connection(ABC):
    """Holds one connection; ``run`` it in the network's thread.

    Parameters
    ----------
    name: an address, for people.

    Members
    -------
    state: how it stands now. opened: connections that brought a message. attempts_failed: how many in a row.
    """

    def __init__(self, name: str, limits: FeedLimits, receiver: Receiver) -> None:
        self.name = name
        self.state = ConnectionState.CONNECTING
        self.opened = 0
        self.attempts_failed = 0
        self.limits = limits
        self.receiver = receiver
        self._resumed = asyncio.Event()
        self._restart: asyncio.Future[str] | None = None

    def restart(self, reason: str) -> None:
        """End the connection that stands, if any; the next one is made at once or after a pause."""
        if self._restart is not None and not self._restart.done():
            self._restart.set_result(reason)

    def resume(self) -> None:
        """Try again after it was given up."""
        self._resumed.set()

    @abstractmethod
    async def attempt(self, restart: asyncio.Future[str]) -> tuple[bool, str]:
        """One connection until it ends, or ``restart`` has a reason: whether it had been of use, and why it ended."""

    def heard(self) -> None:
        """The first message of a connection is about to be handed on."""
        self.opened += 1
        self.state = ConnectionState.UP
        self.receiver.opened()

    async def run(self) -> None:
        """Keep connected until cancelled."""
        while True:
            self._restart = asyncio.get_running_loop().create_future()
            was_sound, reason = await self.attempt(self._restart)
            self.attempts_failed = 0 if was_sound else self.attempts_failed + 1
            if was_sound:
                self.state = ConnectionState.CONNECTING
                self.receiver.broken(reason)
                self.receiver.note(f"{self.name}: {reason}; connecting again")
                continue
            await self._pause(reason)

    async def _pause(self, reason: str) -> None:
        """Wait before the next attempt, or for a human when there were too many."""
        backoff = self.limits.backoff
        pause_s = backoff.pause_s(self.attempts_failed)
        if pause_s is not None:
            self.state = ConnectionState.PAUSED
            self.receiver.broken(reason)
            self.receiver.note(
                f"{self.name}: {reason}; again in {pause_s:g} s (attempt {self.attempts_failed} of {backoff.attempts})"
            )
            await asyncio.sleep(pause_s)
            self.state = ConnectionState.CONNECTING
            return
        self.state = ConnectionState.GIVEN_UP
        self.receiver.broken(reason)
        self.receiver.note(
            f"{self.name}: {reason}; given up after {self.attempts_failed} attempts in a row: look at the venue "
            "and at the network, then resume the feed"
        )
        self._resumed.clear()
        await self._resumed.wait()
        self.attempts_failed = 0
        self.state = ConnectionState.CONNECTING
