"""VPIN, the order-flow toxicity of volume buckets, for many instruments, classifiers, bucket sizes and windows.

``VPIN = sum over the last n buckets of |B - S| / (n V)``: Easley, López de Prado and O'Hara, "Flow Toxicity and
Liquidity in a High-frequency World", Review of Financial Studies 25(5), 2012. Everything is integer but the last
division, so every back end gives the same bits. Definitions, and what speaks against the measure: ``docs/vpin.md``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gpu.arrays import choose_for
from gpu.backend import Backend, choose
from gpu.bars import (
    BarBuilder,
    BarTable,
    ChangeMoments,
    bought_of_bars,
    price_changes,
    reference_bars,
    reference_bought,
)
from gpu.bucket_scan import BucketScan
from gpu.buckets import Buckets, reference_buckets, require_sizes, require_window, window_means
from gpu.buckets_reference import reference_means
from gpu.classification import Bulk, Classifier, Rule, SideRule
from gpu.columns import Floats, Integers, Trades, require_host, require_order
from gpu.device_scan import DeviceBucketScan
from gpu.device_vpin import means_on_gpu, series_on_gpu
from gpu.grid_cuda import on_current_gpu
from gpu.trade_sides import classify
from market.errors import Rejected


@dataclass(frozen=True, kw_only=True)
class VpinSeries:
    """VPIN at every bucket of one size, of one instrument and classifier.

    Parameters
    ----------
    windows: int, n of each row of ``vpin``. first: number of the first bucket here.
    times_ns: int64[k], when a bucket was complete: the time of the trade, or the end of the bar. prices: int64[k], the
        last price in ticks by then. bought: int64[k], lots of the bucket bought by aggressors; the rest was sold.
    vpin: float64[windows, k], NaN until n buckets are complete.
    unknown_lots: volume of unknown side so far, which fills no bucket.
    sigma_ticks: what bulk classification took; None for a rule.
    """

    instrument: str
    classifier: Classifier
    bucket_lots: int
    windows: tuple[int, ...]
    first: int
    times_ns: Integers
    prices: Integers
    bought: Integers
    vpin: Floats
    unknown_lots: int
    sigma_ticks: float | None = None

    def __len__(self) -> int:
        return len(self.times_ns)

    @property
    def imbalances(self) -> Integers:
        """int64[k]: ``B - S`` in lots, above 0 when more was bought."""
        imbalances: Integers = 2 * self.bought - self.bucket_lots
        return imbalances


def vpin(
    trades: Mapping[str, Trades],
    *,
    bucket_lots: Sequence[int] | Mapping[str, Sequence[int]],
    windows: Sequence[int] = (50,),
    classifiers: Sequence[Classifier] = (Rule.FLAG,),
    backend: Backend | str = Backend.AUTO,
    threads: int | None = None,
) -> list[VpinSeries]:
    """VPIN for every instrument, classifier and bucket size, in this order; each series has all windows.

    Parameters
    ----------
    trades: by name of the instrument. Columns on a GPU are computed there, and their series have their arrays there.
    bucket_lots: bucket sizes for all, or by instrument.
    windows: n, how many buckets a mean is over.
    classifiers: rules, and bulk classifications with their bars.
    threads: of the CPU back end, None: all that the process may use; the result does not depend on it.

    Raises Rejected for impossible parameters and for columns that a classifier lacks, MissingExtra without a GPU.
    """
    found: list[VpinSeries] = []
    for name, columns in trades.items():
        chosen = choose_for(columns.on_gpu, backend)
        sizes = bucket_lots[name] if isinstance(bucket_lots, Mapping) else bucket_lots
        if columns.on_gpu:
            found.extend(_on_gpu(name, columns, classifiers, sizes, windows))
            continue
        for classifier in classifiers:
            if chosen is Backend.NUMPY:
                found.extend(_reference(name, columns, classifier, sizes, windows))
            else:
                known = with_sigma(classifier, columns)
                stream = VpinStream(name, known, bucket_lots=sizes, windows=windows, backend=chosen, threads=threads)
                found.extend(stream.update(columns))
    return found


def _on_gpu(
    name: str, trades: Trades, classifiers: Sequence[Classifier], bucket_lots: Sequence[int], windows: Sequence[int]
) -> list[VpinSeries]:
    kernels, spans = on_current_gpu(), tuple(require_sizes("windows", windows).tolist())
    return [
        VpinSeries(
            instrument=name,
            classifier=series.classifier,
            bucket_lots=series.bucket_lots,
            windows=spans,
            first=0,
            times_ns=series.times_ns,
            prices=series.prices,
            bought=series.bought,
            vpin=means_on_gpu(series, spans, kernels),
            unknown_lots=unknown,
            sigma_ticks=series.classifier.sigma_ticks if isinstance(series.classifier, Bulk) else None,
        )
        for series, unknown in series_on_gpu(trades, classifiers, bucket_lots, kernels)
    ]


def with_sigma(classifier: Classifier, trades: Trades) -> Classifier:
    """The classifier with the sigma of these trades' bars, if it is a bulk one that has none yet."""
    if not isinstance(classifier, Bulk) or classifier.sigma_ticks is not None:
        return classifier
    sigma = BarSigma(classifier)
    sigma.add(trades)
    return sigma.known()


class BarSigma:
    """The standard deviation that a bulk classification takes, from trades that come in parts."""

    def __init__(self, bulk: Bulk) -> None:
        self._bulk = bulk
        self._bars = BarBuilder(bulk.bars)
        self._moments = ChangeMoments()

    def add(self, trades: Trades) -> None:
        """Add the next trades."""
        self._moments.add(self._bars.take(trades).prices)

    def known(self) -> Bulk:
        """The classification with the standard deviation of all changes so far."""
        bulk = self._bulk
        return Bulk(
            bars=bulk.bars,
            distribution=bulk.distribution,
            degrees=bulk.degrees,
            sigma_ticks=self._moments.sigma_ticks,
        )


class VpinStream:
    """VPIN of trades that come in parts, one by one or a file at a time; after all parts it is that of the whole.

    Parameters
    ----------
    classifier: a bulk one needs its ``sigma_ticks``, since the sample is not known yet.
    backend: who finds the buckets, CPU or GPU; a GPU is worth it for parts of millions of trades.

    Raises Rejected for impossible parameters, MissingExtra without a GPU. After an ``update`` that raised, the stream
    cannot go on.
    """

    def __init__(
        self,
        instrument: str,
        classifier: Classifier,
        *,
        bucket_lots: Sequence[int],
        windows: Sequence[int] = (50,),
        backend: Backend | str = Backend.CPU,
        threads: int | None = None,
    ) -> None:
        if isinstance(classifier, Bulk) and classifier.sigma_ticks is None:
            raise Rejected(f"{classifier} needs sigma_ticks in a stream: measure it on an earlier sample (BarSigma)")
        self.instrument = instrument
        self.classifier = classifier
        self.windows = tuple(require_sizes("windows", windows).tolist())
        on_gpu = choose(backend, has_kernels=True) is Backend.GPU
        self._scan = DeviceBucketScan(bucket_lots) if on_gpu else BucketScan(bucket_lots, threads=threads)
        for size in self._scan.sizes.tolist():
            for window in self.windows:
                require_window(size, window)
        self._sides = SideRule(classifier) if isinstance(classifier, Rule) else None
        self._bars = BarBuilder(classifier.bars) if isinstance(classifier, Bulk) else None
        self._last_bar_price: int | None = None
        self._unknown_bars = 0
        self._kept: list[Integers] = [np.zeros(0, dtype=np.int64) for _ in self._scan.sizes]
        self._last_ns = 0

    def update(self, trades: Trades) -> list[VpinSeries]:
        """Take the next trades; returns the buckets that they completed, by bucket size.

        Raises Rejected for trades that run back in time, and for a total of 2^62 lots or more.
        """
        require_host("a stream", trades)
        require_order("times_ns", trades.times_ns, self._last_ns)
        if self._sides is not None:
            found = self._scan.take(trades.quantities, self._sides.take(trades))
            series = [self._series(number, each, trades.times_ns, trades.prices) for number, each in enumerate(found)]
        else:
            series = self._bulk(trades)
        if len(trades):
            self._last_ns = int(trades.times_ns[-1])
        return series

    def _bulk(self, trades: Trades) -> list[VpinSeries]:
        assert self._bars is not None
        assert isinstance(self.classifier, Bulk)
        assert self.classifier.sigma_ticks is not None
        bars = self._bars.take(trades)
        changes = price_changes(bars.prices, self._last_bar_price)
        unclassified = len(bars) - len(changes)
        known = bars.volumes[unclassified:]
        self._unknown_bars += int(bars.volumes[:unclassified].sum())
        if len(bars):
            self._last_bar_price = int(bars.prices[-1])
        bought = bought_of_bars(changes, known, self.classifier, self.classifier.sigma_ticks)
        found = self._scan.take_bars(known, bought)
        ends, prices = bars.ends_ns[unclassified:], bars.prices[unclassified:]
        return [self._series(number, each, ends, prices) for number, each in enumerate(found)]

    def _series(self, number: int, buckets: Buckets, times_ns: Integers, prices: Integers) -> VpinSeries:
        imbalances = np.concatenate([self._kept[number], buckets.imbalances])
        rows = len(buckets)
        means = np.stack([window_means(imbalances, buckets.lots, window, rows) for window in self.windows])
        keep = max(self.windows) - 1
        self._kept[number] = imbalances[len(imbalances) - min(keep, len(imbalances)) :].copy()
        return VpinSeries(
            instrument=self.instrument,
            classifier=self.classifier,
            bucket_lots=buckets.lots,
            windows=self.windows,
            first=buckets.first,
            times_ns=times_ns[buckets.completed_by],
            prices=prices[buckets.completed_by],
            bought=buckets.bought,
            vpin=means,
            unknown_lots=self._scan.unknown + self._unknown_bars,
            sigma_ticks=self.classifier.sigma_ticks if isinstance(self.classifier, Bulk) else None,
        )


def _reference(
    name: str, trades: Trades, classifier: Classifier, bucket_lots: Sequence[int], windows: Sequence[int]
) -> list[VpinSeries]:
    """VPIN over whole arrays in NumPy."""
    sizes, spans = require_sizes("bucket_lots", bucket_lots), tuple(require_sizes("windows", windows).tolist())
    if isinstance(classifier, Bulk):
        bars = reference_bars(trades, classifier.bars)
        classifier, volumes, bought = _reference_bulk(bars, classifier)
        times_ns, prices = bars.ends_ns[1:], bars.prices[1:]
        unknown = int(bars.volumes[:1].sum())
    else:
        sides = classify(trades, classifier, backend=Backend.NUMPY)
        volumes, bought = np.where(sides == 0, 0, trades.quantities), np.where(sides == 1, trades.quantities, 0)
        times_ns, prices = trades.times_ns, trades.prices
        unknown = int(np.where(sides == 0, trades.quantities, 0).sum())
    return [
        VpinSeries(
            instrument=name,
            classifier=classifier,
            bucket_lots=buckets.lots,
            windows=spans,
            first=0,
            times_ns=times_ns[buckets.completed_by],
            prices=prices[buckets.completed_by],
            bought=buckets.bought,
            vpin=np.stack([_reference_window(buckets, window) for window in spans]),
            unknown_lots=unknown,
            sigma_ticks=classifier.sigma_ticks if isinstance(classifier, Bulk) else None,
        )
        for buckets in reference_buckets(volumes, bought, sizes)
    ]


def _reference_window(buckets: Buckets, window: int) -> Floats:
    require_window(buckets.lots, window)
    return reference_means(buckets.imbalances, buckets.lots, window)


def _reference_bulk(bars: BarTable, bulk: Bulk) -> tuple[Bulk, Integers, Integers]:
    sigma = bulk.sigma_ticks
    if sigma is None:
        moments = ChangeMoments()
        moments.add(bars.prices)
        sigma = moments.sigma_ticks
    known = Bulk(bars=bulk.bars, distribution=bulk.distribution, degrees=bulk.degrees, sigma_ticks=sigma)
    volumes = bars.volumes[1:]
    return known, volumes, reference_bought(price_changes(bars.prices, None), volumes, known, sigma)
