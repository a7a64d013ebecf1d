"""Whether a clock runs as fast as it should, by a clock that always does."""

from __future__ import annotations

from typing import Final

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import Out

_HALF_PERIOD: Final = 64
"""Cycles of the watched clock between two changes of what is watched."""
_CHANGES: Final = 10
_TOLERANCE: Final = 1


class ClockWatch(wiring.Component):
    """Watches the clock of a domain by that of the domain ``board``.

    Parameters
    ----------
    hertz, board_hertz: what both clocks should have. watched: the domain.

    Members
    -------
    lost: in ``sync``: the clock was too slow, too fast or absent in the last whole window, which is 640 of its cycles.
        Set from the first cycles of a clock that comes back, and at first.
    """

    def __init__(self, hertz: int, board_hertz: int, watched: str = "sync") -> None:
        self._watched = watched
        self._window = _CHANGES * _HALF_PERIOD * board_hertz // hertz
        super().__init__({"lost": Out(1, init=1)})

    def elaborate(self, platform: object) -> Module:
        """Counts in one domain the changes of a slow signal of the other, window by window."""
        m = Module()
        cycles = Signal(range(2 * _HALF_PERIOD))
        m.d[self._watched] += cycles.eq(cycles + 1)
        slow, before, wrong = Signal(), Signal(), Signal(init=1)
        m.submodules.to_board = FFSynchronizer(cycles[-1], slow, o_domain="board")
        at, changes = Signal(range(self._window)), Signal(range(4 * _CHANGES))
        m.d.board += [before.eq(slow), at.eq(at + 1)]
        with m.If((slow != before) & ~changes.all()):
            m.d.board += changes.eq(changes + 1)
        with m.If(at == self._window - 1):
            m.d.board += [
                at.eq(0),
                changes.eq(0),
                wrong.eq((changes < _CHANGES - _TOLERANCE) | (changes > _CHANGES + _TOLERANCE)),
            ]
        m.submodules.to_sync = FFSynchronizer(wrong, self.lost, init=1)
        return m
