"""VPIN of whole files, part by part: memory grows with the buckets and the seconds, not with the trades."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np

from gpu.backend import Backend, choose
from gpu.classification import Bars, Bulk, Classifier, Distribution, Rule, TimeBars, VolumeBars
from gpu.columns import Floats, Integers, Trades
from gpu.vpin import BarSigma, VpinSeries, VpinStream
from market.errors import Rejected
from market.signals.layout import SECOND_NS
from orchestrator.research.trade_parts import TradedMarket, TradeSource

Advance = Callable[[int], None]
"""Told how many trades have been read so far."""
Write = Callable[[TradedMarket, Sequence[VpinSeries]], None]
"""Takes the buckets of a market as they are completed."""


@dataclass(frozen=True)
class BarLength:
    """Length of the bars of bulk classification: a time, or a volume in the market's units."""

    seconds: float | None = None
    volume: float | None = None

    def of(self, market: TradedMarket) -> Bars:
        """The bars of a market."""
        if self.seconds is not None:
            return TimeBars(round(self.seconds * SECOND_NS))
        assert self.volume is not None
        return VolumeBars(market.lots(self.volume))


@dataclass(frozen=True, kw_only=True)
class VpinPlan:
    """What to compute for every market.

    Parameters
    ----------
    volumes: bucket volumes in the market's units; empty: ``share`` decides.
    share: buckets that the whole sample is to have, if no volumes are given.
    bars, degrees, sigma_ticks: of bulk classification; sigma None: that of the sample.
    backend: who finds buckets; auto: the CPU, since reading the trades takes far longer.
    """

    volumes: tuple[float, ...] = ()
    share: int = 200
    windows: tuple[int, ...] = (50,)
    rules: tuple[Rule, ...] = (Rule.FLAG,)
    distributions: tuple[Distribution, ...] = ()
    bars: tuple[BarLength, ...] = (BarLength(seconds=60.0),)
    degrees: float = 0.25
    sigma_ticks: float | None = None
    backend: Backend = Backend.AUTO
    threads: int | None = None

    def require_backend(self) -> Backend:
        """CPU or GPU. Raises MissingExtra without the GPU that was asked for, Rejected for another back end."""
        if self.backend is Backend.AUTO:
            return Backend.CPU
        chosen = choose(self.backend, has_kernels=True)
        if chosen is Backend.NUMPY:
            raise Rejected("backend 'numpy' takes whole arrays: files are computed part by part by 'cpu' or 'gpu'")
        return chosen

    def classifiers(self, market: TradedMarket) -> list[Classifier]:
        """Rules first, then every distribution with every bar."""
        bulks = [
            Bulk(bars=bar.of(market), distribution=kind, degrees=self.degrees, sigma_ticks=self.sigma_ticks)
            for kind in self.distributions
            for bar in self.bars
        ]
        return [*self.rules, *bulks]


@dataclass
class Sample:
    """What the first reading of a market's trades finds out.

    Members
    -------
    trades, lots: of all. sigmas: of bulk classifications without one.
    """

    market: TradedMarket
    trades: int = 0
    lots: int = 0
    sigmas: dict[Bulk, BarSigma] = field(default_factory=dict)


_GRID_NS: Final = SECOND_NS


class PricePath:
    """The last price of every second in which there was a trade."""

    def __init__(self) -> None:
        self._times: list[Integers] = []
        self._prices: list[Integers] = []

    def add(self, trades: Trades) -> None:
        """Add the next trades."""
        if not len(trades):
            return
        seconds = trades.times_ns // _GRID_NS
        last = np.flatnonzero(np.diff(seconds, append=-1))
        if self._times and self._times[-1][-1] // _GRID_NS == seconds[0]:
            self._times[-1], self._prices[-1] = self._times[-1][:-1], self._prices[-1][:-1]
            if not len(self._times[-1]):
                del self._times[-1], self._prices[-1]
        self._times.append(trades.times_ns[last])
        self._prices.append(trades.prices[last])

    def whole(self) -> tuple[Integers, Integers]:
        """int64[k] times and prices in ticks."""
        none = np.zeros(0, dtype=np.int64)
        return np.concatenate([none, *self._times]), np.concatenate([none, *self._prices])


@dataclass(frozen=True)
class WholeSeries:
    """All buckets of one series."""

    market: TradedMarket
    series: VpinSeries


@dataclass
class _Market:
    streams: list[VpinStream]
    taken: list[list[VpinSeries]] = field(default_factory=list)
    path: PricePath = field(default_factory=PricePath)
    trades: int = 0


@dataclass(frozen=True)
class VpinOutcome:
    """Series of all markets, and the path of each market's price."""

    series: tuple[WholeSeries, ...]
    paths: dict[str, tuple[Integers, Integers]]
    trades: dict[str, int]


def first_reading(sources: Iterable[TradeSource], plan: VpinPlan, advance: Advance) -> dict[str, Sample]:
    """Volume of every market, and the standard deviations that are not given.

    Raises as the sources do, and for what ``compute_vpin`` could not do afterwards.
    """
    plan.require_backend()
    samples: dict[str, Sample] = {}
    count = 0
    for source in sources:
        for market, trades in source.parts():
            sample = samples.get(market.name)
            if sample is None:
                sample = samples[market.name] = Sample(market)
                for volume in plan.volumes:
                    market.lots(volume)
                bulks = [each for each in plan.classifiers(market) if isinstance(each, Bulk)]
                sample.sigmas = {bulk: BarSigma(bulk) for bulk in bulks if bulk.sigma_ticks is None}
            sample.trades += len(trades)
            sample.lots += _total(trades.quantities)
            for sigma in sample.sigmas.values():
                sigma.add(trades)
            count += len(trades)
            advance(count)
    return samples


def compute_vpin(
    sources: Sequence[TradeSource], samples: dict[str, Sample], plan: VpinPlan, write: Write, advance: Advance
) -> VpinOutcome:
    """VPIN of all sources, computed part by part.

    Raises Rejected for impossible parameters or trades, MissingInput for unreadable files, MissingExtra without the GPU
    that was asked for.
    """
    markets: dict[str, _Market] = {}
    by_name: dict[str, TradedMarket] = {}
    count = 0
    for source in sources:
        for market, trades in source.parts():
            state = markets.get(market.name)
            if state is None:
                state = markets[market.name] = _Market(_streams(market, samples[market.name], plan, trades))
                by_name[market.name] = market
            state.path.add(trades)
            found = [series for stream in state.streams for series in stream.update(trades)]
            state.taken.append(found)
            state.trades += len(trades)
            write(market, found)
            count += len(trades)
            advance(count)
    series = [
        WholeSeries(by_name[name], _joined([found[number] for found in state.taken]))
        for name, state in markets.items()
        for number in range(len(state.taken[0]))
    ]
    paths = {name: state.path.whole() for name, state in markets.items()}
    return VpinOutcome(tuple(series), paths, {name: state.trades for name, state in markets.items()})


def _total(quantities: Integers) -> int:
    """Their sum, exactly: halves of at most 32 bits stay in range."""
    return (int((quantities >> 32).sum()) << 32) + int((quantities & 0xFFFFFFFF).sum())


def _streams(market: TradedMarket, sample: Sample, plan: VpinPlan, trades: Trades) -> list[VpinStream]:
    sizes = [market.lots(volume) for volume in plan.volumes] or [max(1, sample.lots // plan.share)]
    classifiers = [
        sample.sigmas[each].known() if isinstance(each, Bulk) and each in sample.sigmas else each
        for each in plan.classifiers(market)
    ]
    words: dict[str, Any] = {"bucket_lots": sizes, "windows": plan.windows, "threads": plan.threads}
    backend = plan.require_backend()
    return [VpinStream(market.name, classifier, backend=backend, **words) for classifier in classifiers]


def _joined(parts: Sequence[VpinSeries]) -> VpinSeries:
    vpin: Floats = np.concatenate([part.vpin for part in parts], axis=1)
    return replace(
        parts[-1],
        first=parts[0].first,
        times_ns=np.concatenate([part.times_ns for part in parts]),
        prices=np.concatenate([part.prices for part in parts]),
        bought=np.concatenate([part.bought for part in parts]),
        vpin=vpin,
    )
