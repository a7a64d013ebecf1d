"""The detectors of one source's markets, fed with its decoded batches beside whatever else takes them.

A stage of its own: it has its own books and writes nothing that anything else sees. A loop that must know a
detector's state as of each record calls ``record_intake.see_record`` with its own books instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from market.detector.detector import Detector
from market.detector.record_intake import take_detector_records
from market.detector.settings import DetectorSettings
from market.detector.transitions import Transition
from market.protocols import FeedSource, MarketKey
from market.wire.records import Batch

_NO_STATES: Final = np.zeros(0, dtype=np.int64)


class DetectorStage:
    """Detectors of a source's markets; about 3 MB for each, book included.

    Members
    -------
    detectors: by instrument and venue.
    """

    def __init__(self, source: FeedSource, settings: Mapping[MarketKey, DetectorSettings]) -> None:
        keys = [(route.instrument, route.venue) if route is not None else None for route in source.routes]
        self._markets = {number: key for number, key in enumerate(keys) if key is not None and key in settings}
        self._books = source.new_books() if self._markets else _NO_STATES
        self.detectors = {key: Detector(settings[key]) for key in self._markets.values()}

    def take(self, batch: Batch) -> list[tuple[MarketKey, Transition]]:
        """Take the source's next batch; its transitions by market, in order within each, at most the last 64 of one."""
        passed = []
        for number, key in self._markets.items():
            detector = self.detectors[key]
            take_detector_records(
                detector.state, self._books, number, batch.records, batch.count, batch.bids, batch.asks, _NO_STATES
            )
            passed += [(key, transition) for transition in detector.transitions()]
        return passed
