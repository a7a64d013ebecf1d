"""One generated session: the compiled market over its plan, and what comes out, part by part."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from sim.scenarios.behaviour import Behaviour
from sim.scenarios.drawing import Drawing
from sim.scenarios.layout import (
    ASK,
    BID,
    DIRTY_ROOM,
    LEVELS_ROOM,
    MESSAGE_WIDTH,
    PHOTOGRAPH_STEPS,
    ROOM,
    ROWS_ROOM,
    Real,
    Rows,
    Whole,
)
from sim.scenarios.market import run_market
from sim.scenarios.plan import SessionPlan
from sim.scenarios.tables import tables
from sim.scenarios.text import lines_of

_MARKET_STREAM: Final = 1_000
_PHOTOGRAPH_MS: Final = 240


@dataclass(frozen=True)
class Beginning:
    """What a session goes on from.

    Parameters
    ----------
    update_id: of the last depth message before. trade_id: of the last trade. photographed: whether a book was written.
    """

    update_id: int = 5_000_000_000_000
    trade_id: int = 6_000_000_000
    photographed: bool = False


class Session:
    """A session as it is played; see ``parts``.

    Members
    -------
    lots_traded, lots_forced: so far, the second of liquidations.
    """

    def __init__(
        self, plan: SessionPlan, beginning: Beginning | None = None, behaviour: Behaviour | None = None
    ) -> None:
        self._plan = plan
        beginning = Beginning() if beginning is None else beginning
        self._state = np.zeros(int(Whole.SIZE), dtype=np.int64)
        self._reals = np.zeros(int(Real.SIZE), dtype=np.float64)
        self._ticks, self._lots = (np.zeros((2, ROOM), dtype=np.int64) for _ in range(2))
        self._dirty = np.zeros((2, DIRTY_ROOM), dtype=np.int64)
        self._rows = np.zeros((ROWS_ROOM, MESSAGE_WIDTH), dtype=np.int64)
        self._levels = np.zeros((LEVELS_ROOM, 2), dtype=np.int64)
        self._tables = tables()
        self._set_whole(beginning)
        self._set_real()
        self._reals[Real.HABITS :] = (Behaviour() if behaviour is None else behaviour).values()

    def _set_whole(self, beginning: Beginning) -> None:
        state, plan = self._state, self._plan
        seed = Drawing(plan.seed, _MARKET_STREAM + len(plan.kind)).word()
        state[Whole.RANDOM] = np.uint64(seed | 1).astype(np.int64)
        state[Whole.END_STEP], state[Whole.START_NS] = plan.duration_ms, plan.start_ns
        state[Whole.LAST_RECEIVE_NS] = plan.start_ns
        state[Whole.UPDATE_ID] = state[Whole.PREVIOUS_ID] = beginning.update_id
        state[Whole.TRADE_ID] = beginning.trade_id
        state[Whole.PHOTOGRAPH] = PHOTOGRAPH_STEPS if beginning.photographed else _PHOTOGRAPH_MS
        for side, tick in ((BID, plan.price_ticks), (ASK, plan.price_ticks + 1)):
            self._ticks[side, 0], self._lots[side, 0], state[Whole.COUNT + side] = tick, 4_000, 1

    def _set_real(self) -> None:
        reals, plan = self._reals, self._plan
        middle = plan.price_ticks + 0.5
        for place in (Real.START_PRICE, Real.TARGET, Real.LAST_MID, Real.LAST_TARGET):
            reals[place] = middle
        reals[Real.WALK] = reals[Real.DEPTH] = reals[Real.SPREAD] = reals[Real.EAGERNESS] = 1.0
        reals[Real.ACTIVITY], reals[Real.SIGMA], reals[Real.FLOOR] = plan.activity, plan.sigma, plan.floor
        reals[Real.LIQUIDATION], reals[Real.SPACING] = plan.liquidation, plan.spacing
        reals[Real.CHOP] = plan.chop

    def parts(self) -> Iterator[tuple[Rows, Rows]]:
        """Rows, int64[n, MESSAGE_WIDTH], and their levels, int64[m, 2]; valid until the next are asked for."""
        plan = self._plan
        while True:
            count = run_market(
                self._state,
                self._reals,
                self._ticks,
                self._lots,
                self._dirty,
                self._rows,
                self._levels,
                plan.path,
                plan.regime,
                plan.panic,
                plan.faults,
                self._tables,
            )
            if not count:
                return
            yield self._rows[:count], self._levels[: int(self._state[Whole.LEVELS])]

    def lines(self) -> Iterator[bytes]:
        """Lines of a recording, some thousands at a time."""
        for rows, levels in self.parts():
            yield lines_of(rows, levels)

    @property
    def lots_traded(self) -> int:
        """Lots of 0.001 so far."""
        return int(self._state[Whole.VOLUME])

    @property
    def lots_forced(self) -> int:
        """Lots sold by liquidations so far."""
        return int(self._state[Whole.FORCED_SALES])
