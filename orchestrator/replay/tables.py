"""A replay's result for people: what came in, what was decided, what the market did then."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from orchestrator.cli.output import Output
from orchestrator.replay.signal_tables import show_signals
from orchestrator.replay.statistics import show_statistics

_NS_PER_S: Final = 1e9
_NS_PER_MS: Final = 1e6


def show_result(output: Output, result: Mapping[str, Any]) -> None:
    """Print the tables of a replay."""
    if result["synthetic"]:
        output.say("SYNTHETIC MARKET: generated, not recorded")
    _show_sources(output, result["sources"])
    _show_rejects(output, result["sources"])
    _show_triggers(output, result)
    _show_suppressed(output, result["suppressed"])
    if "signals" in result:
        show_signals(output, result["signals"])
    if "statistics" in result:
        show_statistics(output, result["statistics"])
    _show_processing(output, result)
    output.say(f"decision hash {result['decision_hash']}")


def _show_sources(output: Output, sources: Mapping[str, Mapping[str, Any]]) -> None:
    rows = []
    for name, source in sources.items():
        span_s = (source["last_ns"] - source["first_ns"]) / _NS_PER_S
        rate = f"{source['messages'] / span_s:,.0f}" if span_s > 0 else "-"
        state = "yes" if source["synchronised"] else "NO"
        rejected = sum(source["rejects"].values())
        checks = f"{source['book_equal']:,}/{source['book_checks']:,}"
        cells = (f"{source['messages']:,}", f"{span_s:,.1f}", rate, source["gaps"], source["resyncs"], rejected, state)
        rows.append((name, *cells, checks))
    columns = ("venue", "messages", "seconds", "per s", "gaps", "resyncs", "rejected", "synchronised", "book = stated")
    output.table("Sources", columns, rows, right=tuple(c for c in columns if c not in ("venue", "synchronised")))


def _show_rejects(output: Output, sources: Mapping[str, Mapping[str, Any]]) -> None:
    for title, what in (("Rejected messages", "rejects"), ("Out of the ordinary, and handled", "irregular")):
        rows = [
            (name, reason, f"{count:,}", f"{first['file']}:{first['line']}")
            for name, source in sources.items()
            for reason, count in source[what].items()
            for first in (source[f"first_{what}"][reason],)
        ]
        if rows:
            output.table(title, ("venue", "reason", "count", "first at"), rows, right=("count",))
    damage = [
        (name, item["reason"], f"{item['file']}:{item['line']}", item["detail"])
        for name, source in sources.items()
        for item in source["damage"]
    ]
    if damage:
        output.table("Damaged files", ("venue", "reason", "at", "seen"), damage)


def _show_triggers(output: Output, result: Mapping[str, Any]) -> None:
    rows = []
    for kind, triggers in result["triggers"].items():
        opened = result["opportunities"][kind]
        markouts = result["markouts_bps"].get(kind, {})
        times = [_milliseconds(opened["open_ns_p50"]), _milliseconds(opened["open_ns_p90"])]
        moves = ["-" if markouts.get(h) is None else f"{markouts[h]:+.2f}" for h in ("1", "10", "100", "1000")]
        counts = (f"{opened['opened']:,}", f"{result['candidates'][kind]:,}", f"{triggers:,}")
        rows.append((kind, *counts, *times, *moves))
    columns = (
        "kind",
        "opened",
        "candidates",
        "triggers",
        "open p50 ms",
        "open p90 ms",
        "+1 ms",
        "+10 ms",
        "+100 ms",
        "+1 s",
    )
    output.table("Opportunities and triggers; mean markout in bps, before fees", columns, rows, right=columns[1:])


def _show_suppressed(output: Output, suppressed: Mapping[str, int]) -> None:
    rows = [(reason, f"{count:,}") for reason, count in suppressed.items() if count]
    if rows:
        output.table("Stopped by the risk gate", ("reason", "candidates"), rows, right=("candidates",))


def _show_processing(output: Output, result: Mapping[str, Any]) -> None:
    times = result["processing_ns"]
    if times["p50"] is not None:
        columns = tuple(times)
        output.table("Our own time per message, ns", columns, [[f"{times[c]:,}" for c in columns]], right=columns)
    output.say(
        f"{result['messages']:,} messages in {result['seconds']:.2f} s, {result['events_per_second']:,} per second"
    )


def _milliseconds(duration_ns: int | None) -> str:
    return "-" if duration_ns is None else f"{duration_ns / _NS_PER_MS:,.2f}"
