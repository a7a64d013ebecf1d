"""The outcome of a replay as one JSON object, and as files beside it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from market.fastpath.specification import GateReason, Kind
from market.pipeline.journal import quantile
from orchestrator.replay.collect import Collector
from sim.replay.front import SourceSummary
from sim.replay.session import SessionSummary

QUANTILES: Final = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p999": 0.999, "max": 1.0}
_SUMMED: Final = (
    "messages",
    "ignored",
    "trades",
    "diffs",
    "snapshots",
    "quotes",
    "unrouted",
    "gaps",
    "resyncs",
    "pruned",
    "book_checks",
    "book_equal",
    "late_checks",
    "late_equal",
    "snapshot_checks",
    "snapshot_equal",
)


def replay_result(
    summary: SessionSummary, collector: Collector, *, seconds: float, ticks_per_ns: float, synthetic: Collection[str]
) -> dict[str, Any]:
    """Everything that a replay found, ready for JSON.

    Parameters
    ----------
    seconds: how long the replay took on the wall. ticks_per_ns: of the time-stamp counter.
    synthetic: sources that were generated.
    """
    counters = summary.counters
    opened = collector.opportunities.by_kind()
    return {
        "synthetic": bool(synthetic),
        "synthetic_sources": sorted(synthetic),
        "sources": _by_name(summary.sources),
        "events": counters["quoteEvents"] + counters["tradeEvents"],
        "messages": summary.messages,
        "candidates": {kind.name: counters[f"candidate{kind.name.capitalize()}"] for kind in Kind},
        "triggers": {kind.name: counters[f"trigger{kind.name.capitalize()}"] for kind in Kind},
        "suppressed": {reason.name: counters[f"gate{reason.name.capitalize()}"] for reason in GateReason},
        "opportunities": {
            kind.name: {
                "opened": times.opened,
                "still_open": times.still_open,
                "open_ns_p50": times.quantile_ns(0.5),
                "open_ns_p90": times.quantile_ns(0.9),
            }
            for kind, times in opened.items()
        },
        "markouts_bps": collector.markouts.by_kind(),
        "counters": dict(counters),
        "decision_hash": summary.decision_hash,
        "parity": f"{summary.parity:08x}",
        "processing_ns": processing_ns(summary.histogram, ticks_per_ns),
        "seconds": round(seconds, 6),
        "events_per_second": round(summary.messages / seconds) if seconds > 0 else None,
        "interrupted": summary.interrupted,
    }


def processing_ns(histogram: NDArray[np.int64], ticks_per_ns: float) -> dict[str, int | None]:
    """Quantiles of the processing time of one message, from the counter-tick histogram (resolution 6 %)."""
    ticks = {name: quantile(histogram, fraction) for name, fraction in QUANTILES.items()}
    return {name: None if value is None else round(value / ticks_per_ns) for name, value in ticks.items()}


def _by_name(sources: tuple[SourceSummary, ...]) -> dict[str, dict[str, Any]]:
    """Sources by name; several files of one venue are added up."""
    result: dict[str, dict[str, Any]] = {}
    for source in sources:
        into = result.setdefault(
            source.name,
            {
                **dict.fromkeys(_SUMMED, 0),
                "rejects": {},
                "first_rejects": {},
                "irregular": {},
                "first_irregular": {},
                "transport": {},
                "synchronised": True,
                "files": [],
                "damage": [],
            },
        )
        for name in _SUMMED:
            into[name] += getattr(source, name)
        _add_counted(into, "rejects", source.rejects, source.first_lines, source.path)
        _add_counted(into, "irregular", source.irregular, source.first_irregular, source.path)
        for name, number in source.transport.items():
            into["transport"][name] = into["transport"].get(name, 0) + number
        into["synchronised"] = into["synchronised"] and source.synchronised
        into["files"].append(source.path)
        into["first_ns"] = min(source.first_ns, into.get("first_ns", source.first_ns))
        into["last_ns"] = max(source.last_ns, into.get("last_ns", source.last_ns))
        into["damage"] += [
            {"file": source.path, "reason": damage.reason.value, "line": damage.line, "detail": damage.detail}
            for damage in source.damage
        ]
    return result


def _add_counted(
    into: dict[str, Any], what: str, numbers: Mapping[str, int], lines: Mapping[str, int], path: str
) -> None:
    """Add counts by reason, keeping the file and line of the first of each."""
    counted: dict[str, int] = into[what]
    first: dict[str, Mapping[str, Any]] = into[f"first_{what}"]
    for reason, number in numbers.items():
        counted[reason] = counted.get(reason, 0) + number
        first.setdefault(reason, {"file": path, "line": lines[reason]})
