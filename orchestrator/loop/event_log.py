"""Draining the event log while the loop runs: a thread of its own reads the ring and feeds whoever follows."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

from market.fastpath.engine import split_records
from market.receive.log_ring import LogRing

Sink = Callable[[list[bytes]], None]
"""Takes LogStep messages, in order."""
_PAUSE_S: Final = 0.001


class LogDrain:
    """Moves the steps of a running loop from its ring to a sink.

    Parameters
    ----------
    ring: the loop's ring.
    sink: called from the drain's thread; before ``start`` and after ``close`` from the caller's.

    The ring is emptied every millisecond. What the sink has not taken yet waits in memory.
    """

    def __init__(self, ring: LogRing, sink: Sink) -> None:
        self.ring = ring
        self._sink = sink
        self._waiting: list[bytes] = []
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="event-log")
        self._draining: Future[None] | None = None

    def start(self, before: list[bytes]) -> None:
        """Pass on the steps made before the loop runs, then start the thread."""
        self._sink(before)
        self._draining = self._executor.submit(self._run)

    def check(self) -> None:
        """Raise what the sink raised; it got nothing after that."""
        if self._draining is not None and self._draining.done():
            self._draining.result()

    def relieve(self) -> None:
        """Empty the ring now; for the loop's own thread when the ring is full."""
        with self._lock:
            records = self.ring.take()
            if records:
                self._waiting.append(records)

    def close(self, after: list[bytes]) -> None:
        """Pass on all that is left, then ``after``; the loop must have ended. Raises what the sink raised."""
        self._closing.set()
        self._executor.shutdown()
        self.check()
        self._drain()
        self._sink(after)

    def _run(self) -> None:
        while not self._closing.wait(_PAUSE_S):
            self._drain()

    def _drain(self) -> None:
        self.relieve()
        with self._lock:
            waiting, self._waiting = self._waiting, []
        for records in waiting:
            self._sink(list(split_records(records)))
