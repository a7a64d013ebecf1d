"""Venues of one instrument side by side: which of them to look at, and whether their prices fit together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import combinations
from typing import Final

import msgspec
import numpy as np

from market.book.listing import TOP_WIDTH, TopColumn, read_tops
from market.wire.records import Rows
from orchestrator.feeds.feed import LiveFeed
from orchestrator.feeds.health import SourceState
from orchestrator.run_loop.access import PeriodicTask, RunAccess

_BPS: Final = 10_000
_EVERY_NS: Final = 1_000_000_000
OnDeviation = Callable[[int, str, bool, str], None]


class Deviation(msgspec.Struct, frozen=True, kw_only=True):
    """Two sources whose middle prices of an instrument lie too far apart: one of them is wrong.

    Parameters
    ----------
    first, second: numbers of the sources. deviation_bps: of their mean, rounded down.
    """

    instrument: int
    first: int
    second: int
    deviation_bps: int


class VenueWatch:
    """Compares the books of a feed's sources; in the loop's thread.

    Parameters
    ----------
    deviation_bps: middles that differ by more are reported.
    """

    def __init__(self, feed: LiveFeed, deviation_bps: int) -> None:
        self._feed = feed
        self._most = deviation_bps
        self._places: dict[int, list[tuple[int, int]]] = defaultdict(list)
        for number, source in enumerate(feed.sources):
            for market, route in enumerate(source.routes):
                if route is not None:
                    self._places[route.instrument].append((number, market))

    def named(self, instrument: int, first: int, second: int) -> str:
        """Two sources and their symbols of an instrument, for people."""
        symbols = {
            number: self._feed.sources[number].markets[market].symbol for number, market in self._places[instrument]
        }
        return " and ".join(f"{symbols[number]} on {self._feed.sources[number].name}" for number in (first, second))

    def preferred(self, instrument: int) -> int | None:
        """The first source of an instrument that is live; None when none is."""
        places = self._places.get(instrument, [])
        return next((source for source, _ in places if self._feed.state(source) is SourceState.LIVE), None)

    def deviations(self) -> list[Deviation]:
        """Pairs of live sources that are too far apart now."""
        found: list[Deviation] = []
        for instrument in self._places:
            middles = list(self._middles(instrument))
            for (first, one), (second, other) in combinations(middles, 2):
                apart = int(2 * abs(one - other) * _BPS / (one + other))
                if apart > self._most:
                    found.append(Deviation(instrument=instrument, first=first, second=second, deviation_bps=apart))
        return found

    def _middles(self, instrument: int) -> Iterator[tuple[int, Fraction]]:
        """Source and middle price, of live sources with both sides."""
        for number, market in self._places[instrument]:
            source = self._feed.sources[number]
            if self._feed.state(number) is not SourceState.LIVE:
                continue
            tops: Rows = np.zeros((market + 1, TOP_WIDTH), dtype=np.int64)
            read_tops(source.books, tops)
            top = tops[market].tolist()
            if top[TopColumn.SYNCHRONISED] and top[TopColumn.BID_QUANTITY] and top[TopColumn.ASK_QUANTITY]:
                ticks = top[TopColumn.BID] + top[TopColumn.ASK]
                yield number, Fraction(ticks, 2 * 10 ** source.markets[market].price_decimals)


def watch_task(watch: VenueWatch, on_deviation: OnDeviation) -> PeriodicTask:
    """Compares venues every second, and tells of each pair once when it is too far apart, and once when it fits again.

    Parameters
    ----------
    on_deviation: told the time, the pair, whether it fits, and what was seen.
    """
    apart: set[tuple[int, int, int]] = set()

    def look(run: RunAccess, now_ns: int) -> None:
        found = {(one.instrument, one.first, one.second): one.deviation_bps for one in watch.deviations()}
        for pair in sorted(found.keys() - apart):
            on_deviation(now_ns, watch.named(*pair), False, f"middles are {found[pair]} bps apart: one feed is wrong")
        for pair in sorted(apart - found.keys()):
            on_deviation(now_ns, watch.named(*pair), True, "no more too far apart, or not both live")
        apart.clear()
        apart.update(found)

    return PeriodicTask("venue watch", _EVERY_NS, look)
