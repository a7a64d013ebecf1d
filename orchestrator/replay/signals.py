"""The market signals of a replay: what their samples say of each market, in bounded memory, and their Parquet form."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from market.pipeline.samples import Samples
from market.pipeline.signal_stage import FinalSignals, SignalPlan
from market.protocols import MarketKey
from market.signals.layout import Values
from market.signals.outputs import UNITS, WIDTH, Output
from orchestrator.replay.naming import Naming
from sim.replay.front import SignalSummary

COLUMNS: Final = tuple(output.name.lower() for output in Output)
"""Names of the readings, as everywhere in results."""
_NS_PER_MS: Final = 1_000_000


class _Ranges:
    """Lowest, highest and mean value of every reading of one market."""

    def __init__(self) -> None:
        self.samples = 0
        self.counts = np.zeros(WIDTH, dtype=np.int64)
        self.sums = np.zeros(WIDTH)
        self.low = np.full(WIDTH, np.inf)
        self.high = np.full(WIDTH, -np.inf)

    def add(self, values: Values) -> None:
        known = np.isfinite(values)
        self.samples += len(values)
        self.counts += known.sum(axis=0)
        self.sums += np.where(known, values, 0).sum(axis=0)
        self.low = np.minimum(self.low, np.where(known, values, np.inf).min(axis=0))
        self.high = np.maximum(self.high, np.where(known, values, -np.inf).max(axis=0))

    def of(self, output: Output) -> dict[str, Any]:
        """One reading; None where it never had a value."""
        count = int(self.counts[output])
        if not count:
            return {"samples": 0, "min": None, "mean": None, "max": None}
        return {
            "samples": count,
            "min": float(self.low[output]),
            "mean": float(self.sums[output]) / count,
            "max": float(self.high[output]),
        }


class SignalRanges:
    """What the samples of each market say, whatever their number."""

    def __init__(self) -> None:
        self._markets: dict[MarketKey, _Ranges] = {}

    def add(self, samples: Samples) -> None:
        """Add samples."""
        for instrument, venue in np.unique(np.stack([samples.instruments, samples.venues], axis=1), axis=0).tolist():
            chosen = (samples.instruments == instrument) & (samples.venues == venue)
            self._markets.setdefault((instrument, venue), _Ranges()).add(samples.values[chosen])

    def of(self, key: MarketKey) -> _Ranges:
        """Those of one market."""
        return self._markets.get(key, _Ranges())


def signal_columns(samples: Samples) -> dict[str, NDArray[Any]]:
    """Samples as named columns: time_ns, instrument, venue, price_decimals, quantity_decimals, then the readings."""
    return {
        "time_ns": samples.times_ns,
        "instrument": samples.instruments,
        "venue": samples.venues,
        "price_decimals": samples.price_decimals,
        "quantity_decimals": samples.quantity_decimals,
        **dict(zip(COLUMNS, samples.values.T, strict=True)),
    }


def signals_result(
    summary: SignalSummary, plan: SignalPlan, ranges: SignalRanges, naming: Naming, ticks_per_ns: float
) -> dict[str, Any]:
    """The signals of a replay, ready for JSON: by source and instrument, every reading by its name."""
    sources: dict[str, dict[str, Any]] = {}
    for market in sorted(summary.markets, key=lambda market: market.time_ns):
        instrument = naming.instruments[market.key[0]]
        sources.setdefault(market.source, {})[instrument] = _market(market, plan, ranges.of(market.key))
    return {
        "sample_interval_ms": summary.interval_ns // _NS_PER_MS,
        "ns_per_message": round(summary.ticks / ticks_per_ns / summary.records, 1) if summary.records else None,
        "units": {output.name.lower(): UNITS[output].value for output in Output},
        "sources": {name: dict(sorted(markets.items())) for name, markets in sorted(sources.items())},
    }


def _market(market: FinalSignals, plan: SignalPlan, ranges: _Ranges) -> dict[str, Any]:
    settings = plan.settings[market.key]
    return {
        "symbol": market.symbol,
        "price_decimals": market.price_decimals,
        "quantity_decimals": market.quantity_decimals,
        "flow_window_ns": settings.flow.window_ns,
        "vpin_bucket_lots": settings.vpin.bucket_lots,
        "vpin_buckets": settings.vpin.buckets,
        "last_ns": market.time_ns or None,
        "samples": ranges.samples,
        "counters": {counter.name.lower(): count for counter, count in market.counters.items()},
        "values": {
            output.name.lower(): {"last": _known(market.values[output]), **ranges.of(output)} for output in Output
        },
    }


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
