"""Order books over HTTP for a live feed: on request, and every so often to compare with what the stream made."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from market.errors import Retry
from orchestrator.feeds.arrivals import Arrival, ArrivalKind, Arrivals
from orchestrator.feeds.limits import FeedLimits
from orchestrator.recording.snapshot import fetch_snapshot

_LONG_S: Final = 3600.0

Fetch = Callable[[str], bytes]
"""The message in which an address's order book stands; raises Retry. Called in a thread of its own."""


class SnapshotDesk:
    """Fetches the books of a source's markets, in the network's thread.

    Parameters
    ----------
    urls: address of the book of each market.

    Members
    -------
    fetched, failed: requests that brought a book, and that did not.
    """

    def __init__(
        self,
        source: int,
        arrivals: Arrivals,
        urls: Sequence[str],
        limits: FeedLimits,
        note: Callable[[str], None],
        fetch: Fetch = fetch_snapshot,
    ) -> None:
        self.fetched = 0
        self.failed = 0
        self._source = source
        self._arrivals = arrivals
        self._urls = tuple(urls)
        self._limits = limits
        self._note = note
        self._fetch = fetch
        self._wanted = [asyncio.Event() for _ in self._urls]
        self._is_connected = False

    def request(self, market: int) -> None:
        """Fetch a market's book, now or after the pause since the last request; not while nothing is streamed."""
        if self._is_connected:
            self._wanted[market].set()

    def connected(self) -> None:
        """A stream has begun: every book is wanted."""
        self._is_connected = True
        for wanted in self._wanted:
            wanted.set()

    def disconnected(self) -> None:
        """Nothing is streamed: books are of no use until it is."""
        self._is_connected = False
        for wanted in self._wanted:
            wanted.clear()

    async def run(self) -> None:
        """Fetch until cancelled."""
        async with asyncio.TaskGroup() as group:
            for market in range(len(self._urls)):
                group.create_task(self._keep(market))

    async def _keep(self, market: int) -> None:
        wanted, every_s = self._wanted[market], self._limits.snapshot_every_s
        longest_s = max(every_s - self._limits.snapshot_pause_s, 0.0) if every_s > 0 else _LONG_S
        failed = 0
        while True:
            try:
                async with asyncio.timeout(longest_s):
                    await wanted.wait()
            except TimeoutError:
                if every_s <= 0 or not self._is_connected:
                    continue
            wanted.clear()
            failed = 0 if await self._one(market) else failed + 1
            if failed and self._is_connected:
                wanted.set()
            await asyncio.sleep(self._pause_s(failed))

    def _pause_s(self, failed: int) -> float:
        """Seconds until the next request; a venue that keeps refusing is asked less and less often."""
        if not failed:
            return self._limits.snapshot_pause_s
        pause_s = self._limits.backoff.pause_s(failed)
        return self._limits.backoff.longest_s if pause_s is None else pause_s

    async def _one(self, market: int) -> bool:
        try:
            content = await asyncio.to_thread(self._fetch, self._urls[market])
        except Retry as error:
            self.failed += 1
            self._note(str(error))
            return False
        self.fetched += 1
        stamp_ns = self._arrivals.stamp_ns()
        self._arrivals.put(self._source, Arrival(stamp_ns, ArrivalKind.SNAPSHOT, content, market))
        return True
