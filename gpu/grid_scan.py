"""From trades that come in parts to the bucket series of a grid, with everything but single numbers on the device."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np

from gpu.arrays import differences, on_host
from gpu.bars import ChangeMoments
from gpu.buckets import require_count
from gpu.classification import Bulk, Classifier, Distribution, Rule, TimeBars, VolumeBars
from gpu.columns import LARGEST_TOTAL, Floats, Integers
from gpu.distributions import log_beta_of, normal_values, student_values
from gpu.grid_cuda import GridKernels
from gpu.grid_judgement import BucketSeries, PricePath
from gpu.vpin_cuda import PrefixSums, Rows
from market.errors import Rejected
from market.signals.layout import SECOND_NS
from market.wire.records import AGGRESSOR_BUY, AGGRESSOR_NONE, AGGRESSOR_SELL

BYTES_PER_ROW: Final = 8 + 8 + 8 + 1 + 4 * 8
"""Columns of a trade at their widest, two prefix sums and what is worked with beside them."""


@dataclass(frozen=True, eq=False)
class DeviceTrades:
    """Trades on the device, known to be possible and in order.

    Parameters
    ----------
    times_ns, prices: int64[n]. quantities: int32[n] or int64[n], lots. sides: int8[n], 0 unknown, 1 buy, 2 sell, by the
        venue's flag; bids, asks: int64[n], 0 for none. Each of these where a rule reads it.
    """

    times_ns: Any
    prices: Any
    quantities: Any
    sides: Any = None
    bids: Any = None
    asks: Any = None

    def __len__(self) -> int:
        return len(self.times_ns)


@dataclass(frozen=True, eq=False)
class _Bars:
    """Bars of equal time; the last one may be open."""

    numbers: Any
    volumes: Any
    prices: Any

    def coarser(self, xp: Any, factor: int) -> _Bars:
        """Complete bars that are ``factor`` times as long: those after which another one begins."""
        numbers = self.numbers // factor
        last = xp.flatnonzero(numbers[1:] != numbers[:-1])
        return _Bars(numbers[last], differences(xp.cumsum(self.volumes)[last]), self.prices[last])


@dataclass(frozen=True, eq=False)
class _Edges:
    """The bucket edges within one part, by size: bought volume, time and price; and the sums after the part."""

    columns: list[tuple[Any, Any, Any]]
    volume: int
    bought: int


class _RuleSeries:
    """The bucket edges of one rule, all sizes."""

    def __init__(self, kernels: GridKernels, sizes: Integers) -> None:
        self._kernels, self._sizes = kernels, sizes
        self._volume = self._bought = 0
        self._pieces: list[list[tuple[Any, Any, Any]]] = [[] for _ in sizes]

    def edges(self, sums_of: Callable[..., PrefixSums], first: Any, second: Any, times_ns: Any, prices: Any) -> _Edges:
        """The edges in rows whose prefix sums ``sums_of`` makes of two columns; nothing is taken yet."""
        sums = sums_of(first, second, self._volume, self._bought)
        volume, bought = int(sums.volumes[-1]), int(sums.bought[-1])
        rows = Rows.between(self._sizes, self._volume, volume)
        edges = self._kernels.buckets.edges(sums, rows)
        found = []
        for start, end in pairwise(rows.first_rows.tolist()):
            reached = edges[start:end, 1]
            found.append((edges[start:end, 0].copy(), times_ns[reached], prices[reached]))
        return _Edges(found, volume, bought)

    def take(self, edges: _Edges) -> None:
        """Take the edges of the next part."""
        for pieces, columns in zip(self._pieces, edges.columns, strict=True):
            pieces.append(columns)
        self._volume, self._bought = edges.volume, edges.bought

    def finish(self, classifier: Classifier) -> list[BucketSeries]:
        """The buckets of every size."""
        xp, found = self._kernels.xp, []
        for size, piece in zip(self._sizes.tolist(), self._pieces, strict=True):
            none = xp.zeros(0, dtype=np.int64)
            columns = list(zip(*piece, strict=True)) or [(none,), (none,), (none,)]
            at_edges, times, prices = (xp.concatenate(column) for column in columns)
            found.append(BucketSeries(classifier, size, differences(at_edges), times, prices))
        return found


class GridScan:
    """The bucket series of a grid's classifiers and sizes from trades that come in parts.

    Parameters
    ----------
    rules, bulks: who bought. sizes: bucket volumes in lots.

    Members
    -------
    unknown: lots of unknown side so far, by rule. unknown_bars: those of the first bars, after ``finish``.
    """

    def __init__(self, kernels: GridKernels, rules: Sequence[Rule], bulks: Sequence[Bulk], sizes: Integers) -> None:
        self._kernels, self._bulks, self._sizes = kernels, tuple(bulks), sizes
        self._rules = {rule: _RuleSeries(kernels, sizes) for rule in rules}
        lots = {bulk.bars.lots for bulk in bulks if isinstance(bulk.bars, VolumeBars)}
        self._volume_bars = {each: _RuleSeries(kernels, np.array([each])) for each in sorted(lots)}
        intervals = (bulk.bars.interval_ns for bulk in bulks if isinstance(bulk.bars, TimeBars))
        self._base_ns = math.gcd(SECOND_NS, *intervals)
        self.unknown = dict.fromkeys(rules, 0)
        self.unknown_bars: dict[Bulk, int] = {}
        self._bars: list[_Bars] = []
        self._last_price = self._last_side = 0
        self._volume = 0

    def take(self, trades: DeviceTrades) -> None:
        """Take the next trades; when this raises, nothing of them has been taken.

        Raises Rejected for a total of 2^62 lots or more, and for too many buckets.
        """
        if not len(trades):
            return
        xp, kernels = self._kernels.xp, self._kernels.buckets
        volumes = xp.cumsum(trades.quantities, dtype=np.int64)
        total = self._volume + int(volumes[-1])
        if total > LARGEST_TOTAL:
            raise Rejected(f"quantities bring the cumulative volume to {total} lots: the limit is 2^62 - 1")
        smallest = int(self._sizes.min())
        require_count(total // smallest - self._volume // smallest, smallest)
        bars = self._bars_of(trades, volumes)
        del volumes
        side, found, unknown = self._last_side, [], dict(self.unknown)
        for rule, series in self._rules.items():
            sides = sides_of(self._kernels, rule, trades, self._last_price, self._last_side)
            if rule is Rule.TICK:
                side = int(sides[-1])
            unknown[rule] += int(xp.where(sides == 0, trades.quantities, 0).sum(dtype=np.int64))
            columns = (trades.quantities, sides, trades.times_ns, trades.prices)
            found.append((series, series.edges(kernels.trade_sums, *columns)))
        for series in self._volume_bars.values():
            columns = (trades.quantities, xp.ones(len(trades), dtype=np.int8), trades.times_ns, trades.prices)
            found.append((series, series.edges(kernels.trade_sums, *columns)))
        self._last_price, self._last_side = int(trades.prices[-1]), side
        self._volume, self.unknown = total, unknown
        self._bars.append(bars)
        for series, edges in found:
            series.take(edges)

    def _bars_of(self, trades: DeviceTrades, volumes: Any) -> _Bars:
        xp = self._kernels.xp
        numbers = trades.times_ns // self._base_ns
        last = xp.concatenate((xp.flatnonzero(numbers[1:] != numbers[:-1]), xp.asarray([len(trades) - 1])))
        return _Bars(numbers[last], differences(volumes[last]), trades.prices[last])

    def finish(self) -> tuple[list[BucketSeries], PricePath]:
        """All series, classifiers outermost, rules first; and the path of prices. Nothing can be taken after it."""
        xp = self._kernels.xp
        none = [_Bars(*(xp.zeros(0, dtype=np.int64) for _ in range(3)))]
        parts = self._bars or none
        base = _Bars(
            xp.concatenate([part.numbers for part in parts]),
            xp.concatenate([part.volumes for part in parts]),
            xp.concatenate([part.prices for part in parts]),
        )
        self._bars = []
        found: list[BucketSeries] = []
        for rule, series in self._rules.items():
            found += series.finish(rule)
        self._rules = {}
        for bulk in self._bulks:
            found += self._bulk(bulk, *self._bars_for(bulk, base))
        seconds = base.coarser(xp, SECOND_NS // self._base_ns)
        return found, PricePath((seconds.numbers + 1) * SECOND_NS, seconds.prices)

    def _bars_for(self, bulk: Bulk, base: _Bars) -> tuple[Any, Any, Any]:
        """Volume, last price and end of every complete bar of a classification."""
        xp = self._kernels.xp
        if isinstance(bulk.bars, TimeBars):
            bars = base.coarser(xp, bulk.bars.interval_ns // self._base_ns)
            return bars.volumes, bars.prices, (bars.numbers + 1) * bulk.bars.interval_ns
        [full] = self._volume_bars[bulk.bars.lots].finish(bulk)
        return xp.full(len(full.prices), bulk.bars.lots, dtype=np.int64), full.prices, full.times_ns

    def _bulk(self, bulk: Bulk, volumes: Any, prices: Any, ends_ns: Any) -> list[BucketSeries]:
        xp, series = self._kernels.xp, _RuleSeries(self._kernels, self._sizes)
        self.unknown_bars[bulk] = int(volumes[:1].sum())
        known = bulk if bulk.sigma_ticks is not None else _with_sigma(bulk, prices)
        if len(prices) > 1:
            distinct, places = xp.unique(xp.diff(prices), return_inverse=True)
            parts = xp.asarray(_parts_bought(known, on_host(distinct)))
            volumes = volumes[1:]
            # Each operation by itself: fused ones would round once less.
            scaled = volumes * parts[places]
            bought = xp.clip(xp.floor(scaled + 0.5).astype(np.int64), 0, volumes)
            series.take(series.edges(self._kernels.buckets.bar_sums, volumes, bought, ends_ns[1:], prices[1:]))
        return series.finish(known)


def sides_of(
    kernels: GridKernels, rule: Rule, trades: DeviceTrades, price_before: int = 0, side_before: int = 0
) -> Any:
    """int8[n], the side of at least one trade by a rule; the tick rule goes on from a price and side, 0 for none."""
    if rule is Rule.FLAG:
        return trades.sides
    if rule is Rule.TICK:
        return kernels.tick_sides(trades.prices, price_before, side_before)
    xp, doubled, middle = kernels.xp, 2 * trades.prices, trades.bids + trades.asks
    sides = xp.where(doubled > middle, AGGRESSOR_BUY, xp.where(doubled < middle, AGGRESSOR_SELL, AGGRESSOR_NONE))
    sides = xp.where((trades.bids > 0) & (trades.asks > 0), sides, AGGRESSOR_NONE).astype(np.int8)
    if rule is Rule.FLAG_OR_QUOTE and trades.sides is not None:
        sides = xp.where(trades.sides != AGGRESSOR_NONE, trades.sides, sides)
    return sides


def _with_sigma(bulk: Bulk, prices: Any) -> Bulk:
    moments = ChangeMoments()
    moments.add(on_host(prices))
    return dataclasses.replace(bulk, sigma_ticks=moments.sigma_ticks)


def _parts_bought(bulk: Bulk, changes: Integers) -> Floats:
    """The part that counts as bought for each change of price, compiled: there are few distinct whole ticks."""
    assert bulk.sigma_ticks is not None
    parts: Floats = np.full(len(changes), 0.5)
    if bulk.sigma_ticks > 0.0:
        ratios = changes / bulk.sigma_ticks
        if bulk.distribution is Distribution.STUDENT:
            student_values(ratios, bulk.degrees, log_beta_of(bulk.degrees), parts)
        else:
            normal_values(ratios, parts)
    return parts
