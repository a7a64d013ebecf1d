"""From verdicts to the statistics, and whether they are good enough."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from statistics import median
from typing import Any, Final

from config.scenarios import ScenarioKind
from orchestrator.detection.judge import Verdict

RECALL: Final = 0.9
FALSE_PER_SESSION: Final = 1 / 20
ENTERED: Final = 0.8
_DAY_S: Final = 86_400


def summary(verdicts: Sequence[Verdict], session_s: int) -> dict[str, Any]:
    """Statistics over all sessions and by kind; shares are None where nothing is there to be counted."""
    crashes = [one for one in verdicts if one.kind.is_crash]
    calm = [one for one in verdicts if not one.kind.is_crash]
    volatile = [one for one in verdicts if one.kind is ScenarioKind.VOLATILE]
    quiet = [one for one in verdicts if one.kind is ScenarioKind.QUIET]
    found = sum(one.is_detected for one in crashes)
    false = sum(one.false_actives for one in verdicts)
    result: dict[str, Any] = {
        "sessions": len(verdicts),
        "session_s": session_s,
        "crashes": len(crashes),
        "recall": _share(found, len(crashes)),
        "recall_early": _share(sum(one.is_early for one in crashes), len(crashes)),
        "precision": _share(found, found + false),
        "delay_s": quantiles([one.delay_s for one in crashes if one.delay_s is not None]),
        "fallen_pct": quantiles([one.fallen_pct for one in crashes if one.fallen_pct is not None]),
        "false_actives": false,
        "false_per_day": _share(sum(one.false_actives for one in calm) * _DAY_S, len(calm) * session_s),
        "false_per_volatile_session": _share(sum(one.false_actives for one in volatile), len(volatile)),
        "entered": _share(sum(one.entries > 0 for one in crashes), len(crashes)),
        "entries": sum(one.entries for one in verdicts),
        "trades": sum(one.trades for one in verdicts),
        "wins": sum(one.wins for one in verdicts),
        "gain_quote": round(sum(one.gain_quote for one in verdicts), 2),
        "quiet_orders": sum(one.orders for one in quiet),
        "volatile_orders": sum(one.orders for one in volatile),
        "outside": sum(one.outside for one in verdicts),
        "held_after": sum(one.left != 0 or not one.asleep for one in verdicts),
        "exits": _added(one.exits for one in verdicts),
        "rejections": _added(one.rejections for one in verdicts),
        "kinds": {kind.value: _of_kind(kind, verdicts) for kind in ScenarioKind},
    }
    return result | {"checks": checks(result)}


def checks(result: dict[str, Any]) -> dict[str, bool]:
    """What must hold; what nothing was there to be counted for does not fail."""
    return {
        "recall_early": result["recall_early"] is None or result["recall_early"] >= RECALL,
        "false_actives": (result["false_per_volatile_session"] or 0.0) <= FALSE_PER_SESSION,
        "quiet_orders": result["quiet_orders"] == 0,
        "entered": result["entered"] is None or result["entered"] >= ENTERED,
        "only_in_active": result["outside"] == 0,
        "nothing_held_after": result["held_after"] == 0,
    }


def quantiles(values: Sequence[float]) -> dict[str, float] | None:
    """Median, the tenth and the ninetieth of a hundred, and the most."""
    if not values:
        return None
    ordered = sorted(values)
    last = len(ordered) - 1
    found = {"p10": ordered[last // 10], "p50": median(ordered), "p90": ordered[-(-last * 9 // 10)], "max": ordered[-1]}
    return {name: round(value, 2) for name, value in found.items()}


def _of_kind(kind: ScenarioKind, verdicts: Sequence[Verdict]) -> dict[str, Any]:
    own = [one for one in verdicts if one.kind is kind]
    delays = [one.delay_s for one in own if one.delay_s is not None]
    falls = [one.fall_pct for one in own if one.fall_pct is not None]
    return {
        "sessions": len(own),
        "detected": sum(one.is_detected for one in own),
        "early": sum(one.is_early for one in own),
        "fall_pct": quantiles(falls),
        "delay_s": quantiles(delays),
        "false_actives": sum(one.false_actives for one in own),
        "alerts": sum(one.alerts for one in own),
        "active_s": round(sum(one.active_s for one in own), 1),
        "entered": sum(one.entries > 0 for one in own),
        "orders": sum(one.orders for one in own),
        "entries": sum(one.entries for one in own),
        "trades": sum(one.trades for one in own),
        "gain_quote": round(sum(one.gain_quote for one in own), 2),
    }


def _share(part: float, whole: float) -> float | None:
    return round(part / whole, 4) if whole else None


def _added(counts: Any) -> dict[str, int]:
    total: Counter[str] = Counter()
    for one in counts:
        total.update(one)
    return dict(sorted(total.items()))
