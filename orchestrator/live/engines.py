"""The fast loop of a live run: in this process, or elsewhere with a shadow here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from config.credentials import read_credentials
from config.engine import BackEnd as BackEndName
from config.settings import Settings
from market.engine import Engine
from market.fastpath.engine import CpuEngine
from market.fastpath.specification import EngineSizes
from orchestrator.cli.profile import environment
from orchestrator.engine.back_end import BackEnd, InProcess
from orchestrator.engine.child_process import ChildProcess
from orchestrator.engine.distant_link import DistantLink
from orchestrator.engine.link import EngineLink, Takeover
from orchestrator.engine.tables import engine_sizes
from orchestrator.fpga.connection import open_board

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

    Raises MissingExtra for a build whose tools are not installed, MissingInput and Retry as ``open_board`` does.
    """
    sizes = engine_sizes(settings)
    if settings.engine.back_end is BackEndName.CPU:
        yield CpuEngine(sizes)
        return
    with _open_back_end(settings, sizes, wake, say) as back_end:
        link = link_to(settings, wrap(back_end), on_takeover=on_takeover, say=say)
        try:
            yield link
        finally:
            link.close()


def link_to(
    settings: Settings,
    back_end: BackEnd,
    *,
    on_takeover: Callable[[Takeover], None] = lambda takeover: None,
    say: Callable[[str], None] = lambda text: None,
) -> EngineLink:
    """The link to an engine elsewhere, of the kind that the settings' engine needs."""
    sizes, patience_ns = engine_sizes(settings), settings.engine.patience_ms * _NS_PER_MS
    if settings.engine.back_end is not BackEndName.FPGA:
        return EngineLink(back_end, sizes, patience_ns=patience_ns, on_takeover=on_takeover)

    return DistantLink(
        back_end, sizes, patience_ns=patience_ns, on_takeover=on_takeover, on_loss=LossNotes(back_end.name, say)
    )


class LossNotes:
    """Says that market data is lost on its way to a board: the first time, and whenever it is ten times as much."""

    def __init__(self, name: str, say: Callable[[str], None]) -> None:
        self._name, self._say = name, say
        self._next = 1

    def __call__(self, count: int) -> None:
        """So many messages have been lost so far."""
        if count >= self._next:
            self._say(f"market data is lost on its way to {self._name}: {count} messages so far")
            self._next = count * 10


@contextmanager
def _open_back_end(
    settings: Settings, sizes: EngineSizes, wake: Callable[[], None], say: Callable[[str], None]
) -> Iterator[BackEnd]:
    """The engine elsewhere, ended at the end of the block."""
    name = settings.engine.back_end
    if name is BackEndName.CPU_PROCESS:
        yield ChildProcess(sizes, wake)
    elif name is BackEndName.SOFT_FPGA:
        # the hardware's tools are an extra: only this engine needs them
        from orchestrator.replay.back_ends import EVENT_FEEDS
        from sim.rtl.engine import SoftFpga, build_core

        build = build_core(sizes, feeds=EVENT_FEEDS, say=say)
        yield InProcess(SoftFpga(build, sizes, event_log=True), "the soft FPGA")
    else:
        with open_board(settings, read_credentials(environment()), sizes, wake=wake, say=say) as board:
            yield board
