"""``tickwire replay --statistics``: what the recordings hold across venues, whatever the engine decides.

Reads the recordings once more, for the quotes that venues state themselves alone. What an episode is stands in
``episodes``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final

import numpy as np

from market.wire.records import Words
from orchestrator.cli.output import Output
from orchestrator.replay.episodes import BPS, THRESHOLDS_BPS, TIME_CONSTANT_NS, BasisEpisodes, Episodes
from orchestrator.replay.naming import Naming
from orchestrator.replay.quoted_mids import Floats, QuotedMids
from orchestrator.replay.stated_quotes import stated_quotes
from sim.replay.feed import FeedSettings

_NS_PER_S: Final = 1_000_000_000
_NS_PER_MS: Final = 1_000_000


@dataclass(frozen=True)
class PairStatistics:
    """What happened between two venues of one instrument.

    Parameters
    ----------
    instrument, first, second: the engine's numbers.
    samples: quotes of either venue since both had stated one.
    """

    instrument: int
    first: int
    second: int
    samples: int
    episodes: tuple[Episodes, ...]


class Pair:
    """Follows the basis between two venues of one instrument."""

    def __init__(self, instrument: int, first: int, second: int) -> None:
        self.instrument = instrument
        self.venues = (first, second)
        self._mids = [float("nan"), float("nan")]
        self._samples = 0
        self._episodes = BasisEpisodes()

    def add(self, quotes: QuotedMids) -> tuple[Words, Floats]:
        """Take quotes in order of time; those of other markets are left out.

        Returns int64[n] times and float64[n] deviations of the basis from its mean in bps, one per sample.
        """
        chosen = quotes.where((quotes.instruments == self.instrument) & np.isin(quotes.venues, self.venues))
        first, second = (self._held(side, chosen) for side in (0, 1))
        known = ~(np.isnan(first) | np.isnan(second))
        basis_bps = (first[known] - second[known]) / second[known] * BPS
        self._samples += len(basis_bps)
        times_ns = chosen.times_ns[known]
        return times_ns, self._episodes.add(times_ns, basis_bps)

    def _held(self, side: int, quotes: QuotedMids) -> Floats:
        """The mid of one side at each quote of either."""
        own = quotes.venues == self.venues[side]
        known = np.concatenate([[self._mids[side]], quotes.mids[own]])
        self._mids[side] = float(known[-1])
        held: Floats = known[np.cumsum(own)]
        return held

    def result(self) -> PairStatistics:
        """The statistics so far."""
        return PairStatistics(self.instrument, *self.venues, self._samples, self._episodes.result())


def measure_pairs(sources: Sequence[FeedSettings]) -> tuple[tuple[PairStatistics, ...], bool]:
    """Statistics of every pair of venues that quote one instrument; whether all was read or an interrupt came.

    Pairs are ordered by the engine's numbers of instrument and venues. Memory does not grow with the recordings
    but by eight bytes per episode. Raises MissingInput for a file that cannot be read.
    """
    pairs = [Pair(*numbers) for numbers in pairs_of(sources)]
    complete = True
    try:
        for quotes in stated_quotes(sources):
            for pair in pairs:
                pair.add(quotes)
    except KeyboardInterrupt:
        complete = False
    return tuple(pair.result() for pair in pairs), complete


def pairs_of(sources: Iterable[FeedSettings]) -> Iterator[tuple[int, int, int]]:
    """Instrument and two of the venues that quote it, in the order of their numbers."""
    routes = {(route.instrument, route.venue) for source in sources for route in source.routes if route is not None}
    for instrument in sorted({instrument for instrument, _ in routes}):
        venues = sorted(venue for traded, venue in routes if traded == instrument)
        for first, second in combinations(venues, 2):
            yield instrument, first, second


def statistics_result(pairs: Sequence[PairStatistics], naming: Naming) -> dict[str, Any]:
    """The statistics ready for JSON."""
    return {
        "basis_time_constant_s": TIME_CONSTANT_NS / _NS_PER_S,
        "thresholds_bps": list(THRESHOLDS_BPS),
        "pairs": [
            {
                "instrument": naming.instruments[pair.instrument],
                "first": naming.venues[pair.first],
                "second": naming.venues[pair.second],
                "samples": pair.samples,
                "episodes": [
                    {
                        "threshold_bps": cell.threshold_bps,
                        "count": cell.count,
                        "median_ns": cell.median_ns,
                        "still_open": cell.still_open,
                    }
                    for cell in pair.episodes
                ],
            }
            for pair in pairs
        ],
    }


def show_statistics(output: Output, statistics: Mapping[str, Any]) -> None:
    """Print the episode table."""
    pairs = statistics["pairs"]
    if not pairs:
        output.say("No instrument is quoted on two venues: there is no basis to follow")
        return
    columns = ("instrument", "pair", "samples", *(f"> {limit:g} bps" for limit in statistics["thresholds_bps"]))
    rows = [
        (
            pair["instrument"],
            f"{pair['first']} - {pair['second']}",
            f"{pair['samples']:,}",
            *(_cell(cell) for cell in pair["episodes"]),
        )
        for pair in pairs
    ]
    title = (
        f"Episodes of the basis away from its {statistics['basis_time_constant_s']:g} s mean: "
        "number (median duration); stated quotes only"
    )
    output.table(title, columns, rows, right=columns[2:])


def _cell(cell: Mapping[str, Any]) -> str:
    median_ns = cell["median_ns"]
    return f"{cell['count']:,} ({'-' if median_ns is None else f'{median_ns / _NS_PER_MS:.3g} ms'})"
