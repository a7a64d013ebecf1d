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
from numpy.typing import NDArray

from orchestrator.cli.output import Output
from orchestrator.replay.episodes import BPS, THRESHOLDS_BPS, TIME_CONSTANT_NS, BasisEpisodes, Episodes
from orchestrator.replay.naming import Naming
from orchestrator.replay.stated_quotes import StatedQuotes, stated_quotes
from sim.replay.source import SourceSettings

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

    def add(self, quotes: StatedQuotes) -> None:
        """Take quotes in order of time; those of other markets are left out."""
        chosen = quotes.where((quotes.instruments == self.instrument) & np.isin(quotes.venues, self.venues))
        if not len(chosen):
            return
        first, second = (self._held(side, chosen) for side in (0, 1))
        known = ~(np.isnan(first) | np.isnan(second))
        basis_bps = (first[known] - second[known]) / second[known] * BPS
        self._samples += len(basis_bps)
        self._episodes.add(chosen.times_ns[known], basis_bps)

    def _held(self, side: int, quotes: StatedQuotes) -> NDArray[np.float64]:
        """The mid of one side at each quote of either."""
        own = quotes.venues == self.venues[side]
        stated = np.concatenate([[self._mids[side]], quotes.mids[own]])
        self._mids[side] = float(stated[-1])
        held: NDArray[np.float64] = stated[np.cumsum(own)]
        return held

    def result(self) -> PairStatistics:
        """The statistics so far."""
        return PairStatistics(self.instrument, *self.venues, self._samples, self._episodes.result())


def measure_pairs(sources: Sequence[SourceSettings]) -> tuple[tuple[PairStatistics, ...], bool]:
    """Statistics of every pair of venues that quote one instrument; whether all was read or an interrupt came.

    Pairs are ordered by the engine's numbers of instrument and venues. Memory does not grow with the recordings
    but by eight bytes per episode. Raises MissingInput for a file that cannot be read.
    """
    pairs = [Pair(*numbers) for numbers in _pairs(sources)]
    complete = True
    try:
        for quotes in stated_quotes(sources):
            for pair in pairs:
                pair.add(quotes)
    except KeyboardInterrupt:
        complete = False
    return tuple(pair.result() for pair in pairs), complete


def _pairs(sources: Iterable[SourceSettings]) -> Iterator[tuple[int, int, int]]:
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
