"""What the network brought, in the one order in which the loop takes it and a replay would.

A replay merges the recordings of several sources by receive time. A live loop cannot know what is still under way, so
two things make both orders the same: every arrival of every source gets a receive time above that of all before it,
and a source is not given anything that is younger than what waits for a source that the loop believes to be idle.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from enum import IntEnum
from typing import Final, NamedTuple, Protocol

BATCH_ARRIVALS: Final = 512
"""Arrivals that a source is given at once, at most."""


class ArrivalKind(IntEnum):
    """What an arrival is."""

    MESSAGE = 0
    """Of the connection that the loop follows."""
    STANDBY = 1
    """Of a connection that is kept in reserve."""
    SNAPSHOT = 2
    """An order book that was asked for."""
    BROKEN = 3
    """The connection broke: what comes next does not continue what came before."""
    SWITCHED = 4
    """The loop follows the other connection from here on."""


class Arrival(NamedTuple):
    """Something that one source received.

    ``stamp_ns`` orders the arrivals of all sources; ``market`` is the number of the one that it is about, -1: all.
    """

    stamp_ns: int
    kind: ArrivalKind
    content: bytes
    market: int = -1


class Times(Protocol):
    """Where receive times come from."""

    def now_ns(self) -> int: ...


class Arrivals:
    """The arrivals of all sources of a feed: ``put`` in the network's thread, ``take`` in the loop's.

    Parameters
    ----------
    wake: tells the loop that there is something to take.

    Members
    -------
    messages: how many of each source were put in, those of a connection in reserve included.
    """

    def __init__(self, clock: Times, wake: Callable[[], None], sources: int) -> None:
        self.messages = [0] * sources
        self._clock = clock
        self._wake = wake
        self._latest_ns = 0
        self._shared: deque[tuple[int, Arrival]] = deque()
        self._waiting: list[deque[Arrival]] = [deque() for _ in range(sources)]
        self._idle = set(range(sources))

    def now_ns(self) -> int:
        """The time, to be given to ``stamp_ns`` later."""
        return self._clock.now_ns()

    def stamp_ns(self, received_ns: int | None = None) -> int:
        """A receive time for what has just arrived, above all before it.

        Parameters
        ----------
        received_ns: when it was received, where the kernel or a library knows better than the clock does now.
        """
        now_ns = self._clock.now_ns() if received_ns is None else received_ns
        self._latest_ns = now_ns if now_ns > self._latest_ns else self._latest_ns + 1
        return self._latest_ns

    def put(self, source: int, arrival: Arrival) -> None:
        """Hand an arrival to the loop, in the order of its stamps."""
        if arrival.kind <= ArrivalKind.STANDBY:
            self.messages[source] += 1
        self._shared.append((source, arrival))
        self._wake()

    def waiting(self, source: int) -> int:
        """Arrivals of a source that were not taken; in the loop's thread."""
        self._sort()
        return len(self._waiting[source])

    @property
    def queued(self) -> int:
        """Arrivals that were not taken, of all sources; about right from any thread."""
        return len(self._shared) + sum(map(len, self._waiting))

    def take(self, source: int) -> list[Arrival]:
        """The next arrivals of a source, at most ``BATCH_ARRIVALS``; none when none may be taken now."""
        self._sort()
        own = self._waiting[source]
        others = [self._waiting[other][0].stamp_ns for other in self._idle if other != source and self._waiting[other]]
        taken: list[Arrival] = []
        if not others:
            if len(own) <= BATCH_ARRIVALS:
                taken.extend(own)
                own.clear()
            else:
                taken.extend(own.popleft() for _ in range(BATCH_ARRIVALS))
        else:
            before_ns = min(others)
            while own and own[0].stamp_ns < before_ns and len(taken) < BATCH_ARRIVALS:
                taken.append(own.popleft())
        if taken:
            self._idle.discard(source)
        else:
            self._idle.add(source)
            if own or others:
                # The loop must come round again for what it was not given, or asked for too early.
                self._wake()
        return taken

    def _sort(self) -> None:
        shared, waiting = self._shared, self._waiting
        while shared:
            source, arrival = shared.popleft()
            waiting[source].append(arrival)
