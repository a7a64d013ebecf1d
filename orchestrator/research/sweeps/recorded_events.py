"""The events of a recording's markets, as the detector takes them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from config.settings import Settings
from market.detector.layout import EVENT_WIDTH, Rows, new_state
from market.detector.record_intake import event_rows
from market.detector.settings import DetectorSettings
from market.errors import Rejected
from market.wire import records
from orchestrator.detector.plan import detector_settings
from orchestrator.replay.plan import SourceFile, session_settings
from sim.replay.source import SourceSettings

PART_EVENTS: Final = 1 << 18
"""Events of a market that are gathered before they are handed on."""


@dataclass(frozen=True)
class WatchedMarket:
    """A market of a recording, and the detector's settings for it."""

    name: str
    settings: DetectorSettings


class RecordedEvents:
    """The events of one recording, market by market, with the books that they come from.

    Raises Rejected for a capture of packets: its markets' books are kept elsewhere.

    Members
    -------
    markets: in the recording's order. damage: damaged places that the last reading found.
    """

    def __init__(self, settings: Settings, file: SourceFile) -> None:
        [source] = session_settings(settings, [file]).sources
        if not isinstance(source, SourceSettings):
            raise Rejected(f"{file.path}: is a capture of packets; a sweep reads recordings of lines")
        self._source = source
        self.damage = 0
        self.markets = tuple(
            WatchedMarket(
                f"{source.name} {market.symbol}",
                detector_settings(
                    settings.detector.thresholds(market.symbol),
                    price_decimals=market.price_decimals,
                    quantity_decimals=market.quantity_decimals,
                ),
            )
            for market in source.markets
        )

    def parts(self) -> Iterator[tuple[int, Rows]]:
        """Numbers of markets with int64[n, 13] events that follow one another, in the order of the recording."""
        recording, books = self._source.open(), self._source.new_books()
        states = [new_state(market.settings) for market in self.markets]
        waiting: list[list[Rows]] = [[] for _ in states]
        clock_ns = 0
        for batch in recording.batches():
            times = batch.records[: batch.count, records.RECEIVE_NS]
            # As in a replay, a recording's time never steps back.
            np.maximum.accumulate(np.maximum(times, clock_ns), out=times)
            clock_ns = int(times[-1]) if batch.count else clock_ns
            for number, state in enumerate(states):
                events: Rows = np.zeros((batch.count, EVENT_WIDTH), dtype=np.int64)
                words = (number, batch.records, batch.count, batch.bids, batch.asks)
                made = event_rows(state, books, *words, events)
                if made:
                    waiting[number].append(events[:made].copy())
                if sum(len(rows) for rows in waiting[number]) >= PART_EVENTS:
                    yield number, np.concatenate(waiting[number])
                    waiting[number] = []
        for number, rows in enumerate(waiting):
            if rows:
                yield number, np.concatenate(rows)
        self.damage = len(recording.damage)
