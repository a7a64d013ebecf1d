"""The fast loop of a live run: in this process, or elsewhere with a shadow here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from config.engine import BackEnd as BackEndName
from config.settings import Settings
from market.engine import Engine
from market.errors import Fatal
from market.fastpath.engine import CpuEngine
from market.fastpath.specification import EngineSizes
from orchestrator.engine.back_end import BackEnd, InProcess
from orchestrator.engine.child_process import ChildProcess
from orchestrator.engine.link import EngineLink, Takeover
from orchestrator.engine.tables import engine_sizes

_NS_PER_MS = 1_000_000
Wrap = Callable[[BackEnd], BackEnd]
"""What is put around an engine elsewhere, such as a tape."""


@contextmanager
def live_engine(
    settings: Settings,
    *,
    wake: Callable[[], None],
    on_takeover: Callable[[Takeover], None],
    say: Callable[[str], None],
    wrap: Wrap = lambda back_end: back_end,
) -> Iterator[Engine]:
    """The engine that the settings name, ended at the end of the block.

    Parameters
    ----------
    wake: called from another thread when an engine elsewhere has said something.
    say: told about what takes long.

    Raises Fatal for a build that a live run cannot use, MissingExtra for one whose tools are not installed.
    """
    sizes = engine_sizes(settings)
    if settings.engine.back_end is BackEndName.CPU:
        yield CpuEngine(sizes)
        return
    back_end = _back_end(settings.engine.back_end, sizes, wake, say)
    patience_ns = settings.engine.patience_ms * _NS_PER_MS
    link = EngineLink(wrap(back_end), sizes, patience_ns=patience_ns, on_takeover=on_takeover)
    try:
        yield link
    finally:
        link.close()


def _back_end(name: BackEndName, sizes: EngineSizes, wake: Callable[[], None], say: Callable[[str], None]) -> BackEnd:
    if name is BackEndName.CPU_PROCESS:
        return ChildProcess(sizes, wake)
    if name is BackEndName.SOFT_FPGA:
        # the hardware's tools are an extra: only this engine needs them
        from orchestrator.replay.back_ends import EVENT_FEEDS
        from sim.rtl.engine import SoftFpga, build_core

        return InProcess(
            SoftFpga(build_core(sizes, feeds=EVENT_FEEDS, say=say), sizes, event_log=True), "the soft FPGA"
        )
    raise Fatal(
        f"engine.back_end was {name}: a live run cannot speak to a board yet; expected {BackEndName.CPU}, "
        f"{BackEndName.CPU_PROCESS} or {BackEndName.SOFT_FPGA}"
    )
