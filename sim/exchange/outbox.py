"""Messages on their way to one connection: late by the venue's latency, and what faults make of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from heapq import heappop, heappush
from itertools import count
from typing import Final, TypeAlias

from sim.exchange.service import VenueService
from sim.faults.fate import UNHARMED, Fate
from sim.faults.plan import Channel

Message: TypeAlias = str | bytes
_MOST_WAITING: Final = 50_000
"""A connection that takes less than it is sent is given up, as the exchange does."""
_SWAP_AT_MOST_S: Final = 1.0
"""A message that waits for the next one to overtake it waits no longer."""
_NS: Final = 1e-9


class Outbox:
    """The queue of a connection, emptied by ``run``.

    Messages keep their order, as a connection does, but for those that a fault swaps and for late fills.

    Parameters
    ----------
    send: writes one message. give_up: ends the connection. latency_ns: added to every message.

    Members
    -------
    sent: messages that were written.
    """

    def __init__(
        self,
        service: VenueService,
        send: Callable[[Message], Awaitable[None]],
        give_up: Callable[[], None],
        latency_ns: int,
    ) -> None:
        self.sent = 0
        self._service = service
        self._send = send
        self._give_up = give_up
        self._latency_s = latency_ns * _NS
        self._loop = asyncio.get_running_loop()
        self._waiting: list[tuple[float, int, Message]] = []
        self._numbers = count()
        self._ready = asyncio.Event()
        self._latest_s = 0.0
        self._held: list[Message] = []
        self._holding: asyncio.TimerHandle | None = None

    @property
    def waiting(self) -> int:
        """Messages that are to be written."""
        return len(self._waiting) + len(self._held)

    def put(self, message: Message, channel: Channel, *, is_fill: bool = False) -> None:
        """Send a message, if faults let it through."""
        service = self._service
        now_ns = service.now_ns()
        if service.faults.is_silent(service.name, now_ns):
            return
        fate = service.faults.fate(service.name, channel, now_ns, is_fill=is_fill)
        if fate.after_next and not self._held:
            self._held = self._surviving(message, fate)
            self._holding = self._loop.call_later(_SWAP_AT_MOST_S, self._release)
            return
        if fate is UNHARMED:
            self._enter(message, 0, overtaken=False)
        else:
            self._put_harmed(message, fate, overtaken=is_fill)
        self._release()

    async def run(self) -> None:
        """Send what is due, until cancelled or the connection breaks."""
        while True:
            self._ready.clear()
            wait_s = self._waiting[0][0] - self._loop.time() if self._waiting else None
            if wait_s is not None and wait_s <= 0:
                await self._send(heappop(self._waiting)[2])
                self.sent += 1
                continue
            # Not wait_for: it swallows a cancellation that comes together with what it waits for.
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._ready.wait()

    def _put_harmed(self, message: Message, fate: Fate, *, overtaken: bool) -> None:
        for kept in self._surviving(message, fate):
            self._enter(kept, fate.delay_ns, overtaken=overtaken)

    def _surviving(self, message: Message, fate: Fate) -> list[Message]:
        """What is left of a message: nothing, copies, or parts."""
        if fate.gap:
            return []
        return [message[: surviving(len(message))] if fate.corrupted else message] * fate.copies

    def _release(self) -> None:
        """Send what was held back for the next message, or for long enough."""
        if self._holding is not None:
            self._holding.cancel()
        held, self._held = self._held, []
        for message in held:
            self._enter(message, 0, overtaken=False)

    def _enter(self, message: Message, delay_ns: int, *, overtaken: bool) -> None:
        due_s = max(self._latest_s, self._loop.time() + self._latency_s + delay_ns * _NS)
        if not overtaken or not delay_ns:
            self._latest_s = due_s
        heappush(self._waiting, (due_s, next(self._numbers), message))
        self._ready.set()
        if len(self._waiting) > _MOST_WAITING:
            self._give_up()


def surviving(length: int) -> int:
    """How much is left of a corrupted message: its end is missing, so that no reader takes it for a whole one."""
    return length * 2 // 3
