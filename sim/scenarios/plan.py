"""What is to happen in a session: drawn from a kind and a seed before the market opens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from config.scenarios import CrashShape, ScenarioKind, ScenarioSettings
from market.errors import Fatal
from sim.scenarios.drawing import Drawing
from sim.scenarios.layout import Fault, Rows

START_NS: Final = 1_767_225_600 * 10**9
"""2026-01-01 UTC: no session is of a day that was."""
_REGIME_MS: Final = 15_000
_CALM_FLOOR: Final = 0.12


@dataclass(frozen=True)
class CrashTruth:
    """When a crash happens, in milliseconds since the start, and how far the price falls."""

    begin_ms: int
    bottom_ms: int
    end_ms: int
    drop: float


@dataclass(frozen=True, eq=False)
class SessionPlan:
    """A session before it is played.

    Parameters
    ----------
    path, regime, panic, faults: as ``market.run_market`` takes them.
    chop, liquidation, spacing: shares of the price. crash: None where there is none.
    """

    kind: ScenarioKind
    seed: int
    duration_ms: int
    price_ticks: int
    activity: float
    path: Rows
    regime: Rows
    panic: Rows
    faults: Rows
    chop: float = 0.0
    liquidation: float = 0.0
    spacing: float = 1.0
    sigma: float = 1.0
    floor: float = _CALM_FLOOR
    start_ns: int = START_NS
    crash: CrashTruth | None = None


def draw_plan(settings: ScenarioSettings, kind: ScenarioKind, seed: int, *, is_spliced: bool = False) -> SessionPlan:
    """The plan of a session, the same on any machine. Raises Fatal where a crash does not fit.

    Parameters
    ----------
    is_spliced: whether something real goes before it, so that a crash may begin within half a minute.
    """
    drawing = Drawing(seed, list(ScenarioKind).index(kind))
    duration_ms = settings.duration_s * 1_000
    price_ticks = settings.price * 10
    if kind.is_crash:
        return _crash_plan(settings.shape(kind), kind, seed, duration_ms, price_ticks, drawing, is_spliced=is_spliced)
    is_volatile = kind is ScenarioKind.VOLATILE
    news = _news(drawing, duration_ms, per_minute=0.6 if is_volatile else 1.0, scale=14.0 if is_volatile else 2.2)
    low, high = (2.0, 5.0) if is_volatile else (0.5, 1.6)
    return SessionPlan(
        kind=kind,
        seed=seed,
        duration_ms=duration_ms,
        price_ticks=price_ticks,
        activity=drawing.between(1.0, 2.0) if is_volatile else drawing.between(0.6, 1.2),
        path=_knots(news),
        regime=_regime(drawing, duration_ms, low, high, None),
        panic=_knots([(0, 0.0), (duration_ms, 0.0)], 1_000),
        faults=_faults(drawing, duration_ms, None, halts=False),
    )


def _crash_plan(
    shape: CrashShape,
    kind: ScenarioKind,
    seed: int,
    duration_ms: int,
    price_ticks: int,
    drawing: Drawing,
    *,
    is_spliced: bool,
) -> SessionPlan:
    fall_ms = drawing.whole(shape.least_fall_s * 1_000, shape.most_fall_s * 1_000)
    rebound_ms = drawing.whole(shape.least_rebound_s * 1_000, shape.most_rebound_s * 1_000)
    drop = drawing.between(shape.least_drop_pct, shape.most_drop_pct) / 100
    rebound = drawing.between(shape.least_rebound_pct, shape.most_rebound_pct) / 100
    latest_ms = min(max(duration_ms * 2 // 5, 110_000), duration_ms - fall_ms - 30_000)
    earliest_ms = min(max(duration_ms * 11 // 50, 85_000), latest_ms)
    if is_spliced:
        earliest_ms, latest_ms = 10_000, min(30_000, latest_ms)
    if min(earliest_ms, latest_ms) < (10_000 if is_spliced else 80_000):
        raise Fatal(
            f"a session of {duration_ms // 1_000} s has no room for {kind} of seed {seed}, which falls for "
            f"{fall_ms // 1_000} s: make it longer"
        )
    begin_ms = drawing.whole(earliest_ms, latest_ms)
    bottom_ms = begin_ms + fall_ms
    end_ms = min(bottom_ms + rebound_ms, duration_ms)
    truth = CrashTruth(begin_ms, bottom_ms, end_ms, drop)
    legs = drawing.whole(shape.least_legs, shape.most_legs)
    path = [(0, 1.0), (begin_ms, 1.0)]
    path += _fall(drawing, truth, legs, shape.bounce_pct / 100, shape.acceleration_pct / 100)
    path += _rebound(drawing, truth, bottom_ms + rebound_ms, rebound, max(legs // 2, 2))
    panic = [(0, 0.0), (begin_ms, 0.0), (begin_ms + fall_ms // 6, 0.35), (begin_ms + fall_ms * 2 // 3, 1.0)]
    panic += [(bottom_ms + min(20_000, rebound_ms // 3), 1.0), (bottom_ms + rebound_ms // 2, 0.3)]
    panic += [(bottom_ms + rebound_ms, 0.0), (bottom_ms + rebound_ms + duration_ms, 0.0)]
    return SessionPlan(
        kind=kind,
        seed=seed,
        duration_ms=duration_ms,
        price_ticks=price_ticks,
        activity=drawing.between(0.6, 1.2),
        path=_knots(path),
        regime=_regime(drawing, duration_ms, 0.7, 2.0, truth),
        panic=_knots(panic, 1_000),
        faults=_faults(drawing, duration_ms, truth, halts=shape.halts),
        chop=shape.chop_bps / 10_000 * drawing.between(0.8, 1.2),
        liquidation=shape.liquidation_bps / 10_000 * drawing.between(0.7, 1.3),
        spacing=shape.spacing_bps / 10_000,
        crash=truth,
    )


def _fall(drawing: Drawing, truth: CrashTruth, legs: int, bounce: float, late: float) -> list[tuple[int, float]]:
    """Down to the bottom in legs, each of which gives something back but the last."""
    ends = sorted(drawing.between(0.08, 0.92) for _ in range(legs - 1))
    fall_ms = truth.bottom_ms - truth.begin_ms
    knots: list[tuple[int, float]] = []
    before = 0.0
    for end in ends:
        lost = truth.drop * ((1.0 - late) * end + late * end * end * end)
        share = end - 0.35 * (end - _last_share(knots, truth))
        knots.append((truth.begin_ms + int(fall_ms * share), 1.0 - lost))
        before = lost - (lost - before) * bounce * drawing.between(0.3, 1.0)
        knots.append((truth.begin_ms + int(fall_ms * end), 1.0 - before))
    return _ascending([*knots, (truth.bottom_ms, 1.0 - truth.drop)], truth.begin_ms)


def _last_share(knots: list[tuple[int, float]], truth: CrashTruth) -> float:
    return (knots[-1][0] - truth.begin_ms) / (truth.bottom_ms - truth.begin_ms) if knots else 0.0


def _rebound(drawing: Drawing, truth: CrashTruth, calm_ms: int, rebound: float, legs: int) -> list[tuple[int, float]]:
    """Up again, ever more slowly, in legs that give some of it back."""
    length_ms = calm_ms - truth.bottom_ms
    knots: list[tuple[int, float]] = []
    before = 0.0
    for number in range(1, legs + 1):
        share = number / legs
        gained = rebound * (1.0 - (1.0 - share) * (1.0 - share))
        middle = share - drawing.between(0.3, 0.6) / legs
        over = gained + (gained - before) * drawing.between(0.0, 0.5)
        knots.append((truth.bottom_ms + int(length_ms * middle), 1.0 - truth.drop * (1.0 - min(over, 1.0))))
        knots.append((truth.bottom_ms + int(length_ms * share), 1.0 - truth.drop * (1.0 - gained)))
        before = gained
    return _ascending([*knots, (calm_ms + length_ms + 1, knots[-1][1])], truth.bottom_ms)


def _news(drawing: Drawing, duration_ms: int, *, per_minute: float, scale: float) -> list[tuple[int, float]]:
    """Moves within seconds, some of which come back; no more than three times the scale, in bps."""
    knots, at, worth = [(0, 1.0)], 0, 1.0
    while True:
        at += 2_000 + int(drawing.waiting(60_000 / per_minute))
        lasts = drawing.whole(200, 3_000)
        if at + lasts + 30_000 >= duration_ms:
            break
        size = min(drawing.waiting(scale), 3.0 * scale) / 10_000 * drawing.sign()
        knots += [(at, worth), (at + lasts, worth * (1.0 + size))]
        worth *= 1.0 + size
        if drawing.between(0.0, 1.0) < 0.5:
            returns = drawing.whole(2_000, 20_000)
            worth *= 1.0 - size * drawing.between(0.3, 0.8)
            knots.append((at + lasts + returns, worth))
            at += returns
        at += lasts
    return [*knots, (duration_ms + 1, worth)]


def _regime(drawing: Drawing, duration_ms: int, low: float, high: float, crash: CrashTruth | None) -> Rows:
    """Volatility of the walk against the calm one, wandering between bounds; in a crash several times as much."""
    level = drawing.between(low, high)
    knots: list[tuple[int, float]] = []
    for at in range(0, duration_ms + _REGIME_MS, _REGIME_MS):
        level = min(max(level * drawing.between(0.75, 1.333), low), high)
        if drawing.between(0.0, 1.0) < 0.08:
            level = min(level * 1.6, high)
        excess = 1.0
        if crash is not None and crash.begin_ms < at < crash.end_ms:
            share = min((at - crash.begin_ms) / max(crash.bottom_ms - crash.begin_ms, 1), 1.0)
            left = (crash.end_ms - at) / max(crash.end_ms - crash.bottom_ms, 1)
            excess = 1.0 + 5.0 * share * min(left, 1.0)
        knots.append((at, level * excess))
        if crash is not None and at < crash.begin_ms < at + _REGIME_MS:
            knots.append((crash.begin_ms, level))
    return _knots(knots, 1_000)


def _faults(drawing: Drawing, duration_ms: int, crash: CrashTruth | None, *, halts: bool) -> Rows:
    """What the feed does wrong: it stands still or states crossed quotes, in a crash more often than else."""
    found: list[tuple[int, int, int]] = []
    often = 0.3 if crash is not None else 0.15
    first = duration_ms // 5 if crash is None else crash.begin_ms
    last = duration_ms - 40_000 if crash is None else max(crash.bottom_ms - 2_000, crash.begin_ms + 1)
    if drawing.between(0.0, 1.0) < often and not halts:
        at = drawing.whole(first, last)
        found.append((at, at + drawing.whole(1_700, 4_000), int(Fault.STUCK)))
    if halts and crash is not None:
        found.append((crash.bottom_ms, crash.bottom_ms + 5_000, int(Fault.STUCK)))
    if drawing.between(0.0, 1.0) < often:
        at = drawing.whole(first, last)
        if all(at >= end or at + 6_000 <= start for start, end, _ in found):
            found.append((at, at + 6_000, int(Fault.CROSSED)))
    return np.array(sorted(found), dtype=np.int64).reshape(-1, 3)


def _ascending(knots: list[tuple[int, float]], after_ms: int) -> list[tuple[int, float]]:
    """The same with times that go up by a tenth of a second at least."""
    moved: list[tuple[int, float]] = []
    for at, value in knots:
        after_ms = max(at, after_ms + 100)
        moved.append((after_ms, value))
    return moved


def _knots(points: list[tuple[int, float]], scale: int = 10**9) -> Rows:
    """int64[n, 2] of (step, value in a scale)."""
    return np.array([(at, int(value * scale + 0.5)) for at, value in points], dtype=np.int64)
