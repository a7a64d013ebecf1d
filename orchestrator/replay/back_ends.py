"""Which build of the fast loop a replay runs through, and whether its events come in frames."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from config.engine import BackEnd
from market.engine import Engine
from market.errors import Fatal
from market.fastpath.engine import CpuEngine
from market.fastpath.specification import EngineSizes, Feed
from sim.replay.framed import Framed, traded_pairs
from sim.replay.session import SessionSettings

EVENT_FEEDS: Final = frozenset({Feed.BINANCE_SBE})
"""Events come as they are, or as BestBidAsk frames: order books are made before the fast loop."""
MakeEngine = Callable[[SessionSettings], Engine]


def engine_maker(
    back_end: BackEnd, sizes: EngineSizes, *, per_event: bool, frames: bool, say: Callable[[str], None]
) -> MakeEngine | None:
    """What makes the engine of a replay event by event; None where the compiled loop does all of it.

    Parameters
    ----------
    per_event: one call of the engine per event, also where that is not needed.
    frames: every event in an Ethernet frame, on a channel of its own.
    say: told about what takes long.

    Raises Fatal for a build that nothing can be replayed with, MissingExtra for one whose tools are not installed.
    """
    if back_end is BackEnd.CPU and not per_event and not frames:
        return None
    make = _maker(back_end, sizes, say)
    return (lambda session: Framed(make(session), traded_pairs(session.tables))) if frames else make


def _maker(back_end: BackEnd, sizes: EngineSizes, say: Callable[[str], None]) -> MakeEngine:
    if back_end is BackEnd.CPU:
        return lambda session: CpuEngine(session.sizes)
    if back_end is BackEnd.CPU_PROCESS:
        raise Fatal(f"--engine {back_end.value}: a replay needs no second process; replay with cpu, the same engine")
    if back_end is BackEnd.FPGA:
        raise Fatal(f"--engine {back_end.value}: a board is opened by the command; expected an engine of this process")
    # the hardware's tools are an extra: only this engine needs them
    from sim.rtl.engine import SoftFpga, build_core

    build = build_core(sizes, feeds=EVENT_FEEDS, say=say)
    return lambda session: SoftFpga(build, session.sizes)
