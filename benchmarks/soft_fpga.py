"""The simulated hardware: what a clock cycle, a quote in a frame and a quote of the host cost, on each bus width."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness import Report, seconds
from market.errors import Fatal
from market.fastpath.engine import CpuEngine
from market.fastpath.layout import SCHEMA
from market.fastpath.specification import EngineSizes, Kind
from market.wire.sbe import encode
from sim.replay.arming import FIRST_SEQUENCE, arm
from sim.replay.framed import Framed, traded_pairs, with_channels
from sim.replay.session import SessionSettings

CYCLE_TARGET_NS: Final = 500
"""Two million cycles per second."""
EVENTS: Final = 4_000
SIZES: Final = EngineSizes()
_VENUES: Final = 4
_START_NS: Final = 10**18
_STEP_NS: Final = 10_000
_DAY_NS: Final = 86_400 * 10**9
_MID: Final = 100_000


def measure(report: Report) -> None:
    """Both bus widths fed with the same frames, then the wide one with host events; all must agree with the CPU."""
    # the tools are an extra: only this benchmark needs them
    from sim.rtl.build import in_soft_top, kept_verilog
    from sim.rtl.engine import CoreBuild, SoftFpga, build_core
    from sim.rtl.library import library_of, say_on_standard_error
    from sim.rtl.top import NAME

    settings = with_channels(_session())
    events = _quotes()
    for bus_bytes in (1, 8):
        build = build_core(SIZES, bus_bytes=bus_bytes)
        verilog = kept_verilog(build.parameters, in_soft_top, say_on_standard_error)
        whole = CoreBuild(build.parameters, library_of(verilog, NAME, by_activity=False), guarded=False)
        pairs = [
            [_feed_frames(SoftFpga(each, SIZES), settings, events) for each in (build, whole)]
            for _ in range(report.rounds)
        ]
        runs = [ours for ours, _ in pairs]
        cycles, plain = ([run.seconds * 1e9 / run.cycles for run in each] for each in zip(*pairs, strict=True))
        report.compare(f"{8 * bus_bytes}-bit bus", "ns/cycle", cycles, "Verilator's model as it is", plain)
        report.against_target(f"{8 * bus_bytes}-bit bus", "ns/cycle", cycles, CYCLE_TARGET_NS)
        report.note(
            f"{8 * bus_bytes}-bit bus: {1e3 / np.median(cycles):.2f} million cycles/s, "
            f"{EVENTS / np.median([run.seconds for run in runs]):,.0f} quotes in frames/s"
        )
    host = [_feed_events(SoftFpga(build, SIZES), events).seconds for _ in range(report.rounds)]
    report.note(f"as host events: {EVENTS / np.median(host):,.0f} quotes/s")


class Run(NamedTuple):
    """What the measured part of one run took."""

    seconds: float
    cycles: int


def _feed_frames(soft: Any, settings: SessionSettings, events: NDArray[np.int64]) -> Run:
    """All events in frames of one call; raises Fatal if the decisions are not those of the CPU engine."""
    cpu = _armed(CpuEngine(SIZES), settings)
    framed = Framed(_armed(soft, settings), traded_pairs(settings.tables))
    frames, times = framed.frames_of(events), events[:, -1].tolist()
    cpu.push(frames, times)
    return _timed(soft, cpu, lambda: soft.push(frames, times))


def _feed_events(soft: Any, events: NDArray[np.int64]) -> Run:
    """All events as host events of one call; raises as ``_feed_frames``."""
    cpu = _armed(CpuEngine(SIZES), _session())
    _armed(soft, _session())
    cpu.push_quotes(events)
    return _timed(soft, cpu, lambda: soft.push_quotes(events))


def _armed(engine: Any, settings: SessionSettings) -> Any:
    arm(engine, settings.tables, _START_NS)
    return engine


def _timed(soft: Any, cpu: CpuEngine, feed: Callable[[], object]) -> Run:
    before = soft.cycles
    taken = seconds(lambda: (feed(), soft.outputs()))
    run = Run(taken, soft.cycles - before)
    _agree(soft, cpu)
    soft.close()
    return run


def _agree(soft: Any, cpu: CpuEngine) -> None:
    if cpu.trigger_count == 0 or soft.decision_hash != cpu.decision_hash:
        raise Fatal(f"decisions differ: {dict(soft.counters)}; the CPU engine's are {cpu.counters}")


def _session() -> SessionSettings:
    """Four venues of one instrument, arbitrage on, no fees, no limits that matter."""
    scaling = {"instrument": 0, "priceExponent": -2, "quantityExponent": -3, "priceShift": 0, "quantityShift": 0}
    venue = {"enabled": 1, "fee": 0, "maximumAge": _DAY_NS, "maximumSilence": _DAY_NS}
    rows: list[tuple[str, dict[str, Any]]] = [
        ("EngineRow", {"rateInterval": 2_048, "rateTolerance": 62 * 2_048, "lease": _DAY_NS}),
        ("InstrumentRow", _INSTRUMENT),
        *(("VenueRow", {"venue": number, **venue}) for number in range(_VENUES)),
        *(("ScalingRow", {"venue": number, **scaling}) for number in range(_VENUES)),
    ]
    numbered = enumerate(rows, start=FIRST_SEQUENCE + 1)
    tables = [encode(SCHEMA, name, {"sequence": number, **fields}) for number, (name, fields) in numbered]
    return SessionSettings(sources=(), tables=tuple(tables), sizes=SIZES)


def _quotes() -> NDArray[np.int64]:
    """Quotes of the venues in turn around one wandering price: int64[n, 10], columns ``QUOTE_COLUMNS``."""
    random = np.random.default_rng(1)
    number = np.arange(EVENTS, dtype=np.int64)
    bid = _MID + np.cumsum(random.integers(-2, 3, EVENTS)) + random.integers(-3, 4, EVENTS)
    events = np.zeros((EVENTS, 10), dtype=np.int64)
    events[:, 1] = number % _VENUES
    events[:, 2:4] = -2, -3
    events[:, 4] = number
    events[:, 5], events[:, 7] = bid, bid + 4
    events[:, 6], events[:, 8] = random.integers(1, 1_000, (2, EVENTS))
    events[:, 9] = _START_NS + _STEP_NS * number
    return events


_INSTRUMENT: Final[dict[str, Any]] = {
    "instrument": 0,
    "enabled": 1,
    "kinds": Kind.ARB.mask | Kind.IMBALANCE.mask,
    "basisShift": 4,
    "imbalanceThreshold": 30_000,
    "minimumEdge": 1,
    "basisThreshold": 1_000,
    "basisInterval": 0,
    "basisWarmUp": 0,
    "maximumSpread": 10,
    "cooldown": 0,
    "minimumQuantity": 1,
    "maximumQuantity": 1,
    "priceLow": 1,
    "priceHigh": 1 << 40,
    "maximumNotionalLow": (1 << 64) - 1,
    "maximumNotionalHigh": 0,
    "positionLimit": 1 << 40,
    "leads": [{"mask": 0}] * SIZES.venues,
}
