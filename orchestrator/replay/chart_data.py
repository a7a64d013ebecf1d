"""What the charts of a report show, gathered while a replay runs, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from market.pipeline.samples import Samples
from market.signals.outputs import UNITS, Output, Unit
from market.wire.records import Rows
from orchestrator.replay.envelopes import Envelopes
from orchestrator.replay.naming import Naming
from orchestrator.replay.quoted_mids import mids_of
from orchestrator.replay.statistics import Pair

CHARTED: Final = (Output.CVD, Output.VPIN)
"""Signals that a report draws."""


class ChartData:
    """Prices and deviations of the basis, as the engine saw them.

    Parameters
    ----------
    pairs: instrument and two venues whose basis is followed, by the engine's numbers.

    Members
    -------
    prices: mids by (instrument, venue). deviations: of the basis from its 10 s mean in bps, by (instrument, first,
    second); see ``episodes`` for the mean. Both share one grid of time.
    signals: the market signals of ``CHARTED``, by (instrument, venue, output), on a grid of their own.
    """

    def __init__(self, naming: Naming, pairs: Iterable[tuple[int, int, int]]) -> None:
        self.naming = naming
        self.prices: Envelopes[tuple[int, int]] = Envelopes()
        self.deviations: Envelopes[tuple[int, int, int]] = Envelopes()
        self.signals: Envelopes[tuple[int, int, Output]] = Envelopes()
        self._pairs = {numbers: Pair(*numbers) for numbers in pairs}

    def add(self, rows: Rows) -> None:
        """Take quote rows (``market.pipeline.layout.QUOTE_ROW``) in order of time."""
        if not len(rows):
            return
        quotes = mids_of(rows, self.naming)
        for envelopes in (self.prices, self.deviations):
            envelopes.cover(int(quotes.times_ns[0]), int(quotes.times_ns[-1]))
        markets = sorted(set(zip(quotes.instruments.tolist(), quotes.venues.tolist(), strict=True)))
        for instrument, venue in markets:
            chosen = quotes.where((quotes.instruments == instrument) & (quotes.venues == venue))
            self.prices.add((instrument, venue), chosen.times_ns, chosen.mids)
        for numbers, pair in self._pairs.items():
            self.deviations.add(numbers, *pair.add(quotes))

    def add_samples(self, samples: Samples) -> None:
        """Take samples of the market signals in order of time; quantities become base currency."""
        if not len(samples):
            return
        self.signals.cover(int(samples.times_ns[0]), int(samples.times_ns[-1]))
        for instrument, venue in sorted(set(zip(samples.instruments.tolist(), samples.venues.tolist(), strict=True))):
            chosen = samples.rows((samples.instruments == instrument) & (samples.venues == venue))
            lots = 10.0**-chosen.quantity_decimals
            for output in CHARTED:
                values = chosen.values[:, output]
                unit = lots if UNITS[output] is Unit.LOTS else 1.0
                self.signals.add((instrument, venue, output), chosen.times_ns, values * unit)
