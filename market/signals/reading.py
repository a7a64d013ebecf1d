"""Reading all signals of one market into a row of ``Output``, and the slow loop's class over them."""

from __future__ import annotations

from typing import Final

from market.errors import Rejected
from market.native.kernel import entry, inline, part
from market.native.memory import address_of, get
from market.signals.bursts import MODE, SHORT, gap_ratio, mean_gap_ns, trades_per_second
from market.signals.cancellations import cancel_ratio, per_second
from market.signals.counters import Counter, read_counters
from market.signals.depth import read_depth
from market.signals.flow import CVD_TOTAL, cvd, toxicity, unknown_lots
from market.signals.iceberg import FLAGS, REFILLS, SMALL_PRINTS, TRADED, ask_level, bid_level
from market.signals.imbalance import imbalance
from market.signals.layout import NAN, NOW, Rows, Values, Words, as_rows, new_values
from market.signals.markouts import HORIZONS, mean_markout
from market.signals.microprice import weighted_mid
from market.signals.outputs import WIDTH, Output
from market.signals.streaming import (
    ASK,
    ASK_QUANTITY,
    BID,
    BID_QUANTITY,
    BURSTS_AT,
    CANCELLATIONS_AT,
    FLOW_AT,
    ICEBERGS_AT,
    MARKOUTS_AT,
    PROFILE_AT,
    QUOTED,
    VPIN_AT,
    SignalSettings,
    advance,
    new_state,
    on_top,
    on_trade,
    state_at,
)
from market.signals.vpin import COMPLETED, vpin

TOP_EVENT: Final = 0
TRADE_EVENT: Final = 1
TIME_EVENT: Final = 2

# First columns of the groups of readings.
_TOP: Final = int(Output.MID)
_FLOW: Final = int(Output.CVD)
_MARKOUTS: Final = int(Output.MARKOUT_1)
_BID_LEVEL: Final = int(Output.BID_ICEBERG)
_ASK_LEVEL: Final = int(Output.ASK_ICEBERG)
_CANCELLATIONS: Final = int(Output.CANCELLED_LOTS_PER_SECOND)
_BURSTS: Final = int(Output.TRADES_PER_SECOND)
_DEPTH: Final = int(Output.LEVEL_IMBALANCE)


@inline
def _read_top(signals: int, out: Values, row: int) -> None:
    bid, bid_quantity = get(signals, BID), get(signals, BID_QUANTITY)
    ask, ask_quantity = get(signals, ASK), get(signals, ASK_QUANTITY)
    out[row, _TOP] = (bid + ask) / 2
    out[row, _TOP + 1] = ask - bid
    out[row, _TOP + 2] = imbalance(bid_quantity, ask_quantity)
    out[row, _TOP + 3] = weighted_mid(float(bid), bid_quantity, float(ask), ask_quantity)


@inline
def _read_flow(signals: int, out: Values, row: int) -> None:
    flow = state_at(signals, FLOW_AT)
    out[row, _FLOW] = cvd(flow)
    out[row, _FLOW + 1] = get(flow, CVD_TOTAL)
    out[row, _FLOW + 2] = toxicity(flow)
    out[row, _FLOW + 3] = unknown_lots(flow)
    out[row, _FLOW + 4] = vpin(state_at(signals, VPIN_AT))
    out[row, _FLOW + 5] = get(state_at(signals, VPIN_AT), COMPLETED)
    markouts = state_at(signals, MARKOUTS_AT)
    for horizon in range(get(markouts, HORIZONS)):
        out[row, _MARKOUTS + horizon] = mean_markout(markouts, horizon)


@inline
def _read_level(level: int, out: Values, row: int, column: int) -> None:
    out[row, column] = get(level, FLAGS)
    out[row, column + 1] = get(level, TRADED)
    out[row, column + 2] = get(level, REFILLS)
    out[row, column + 3] = get(level, SMALL_PRINTS)


@inline
def _read_rates(signals: int, out: Values, row: int) -> None:
    cancellations = state_at(signals, CANCELLATIONS_AT)
    for column in range(3):
        out[row, _CANCELLATIONS + column] = per_second(cancellations, column)
    out[row, _CANCELLATIONS + 3] = cancel_ratio(cancellations)
    bursts = state_at(signals, BURSTS_AT)
    out[row, _BURSTS] = trades_per_second(bursts)
    out[row, _BURSTS + 1] = get(bursts, MODE)
    out[row, _BURSTS + 2] = mean_gap_ns(bursts, get(bursts, SHORT))
    out[row, _BURSTS + 3] = gap_ratio(bursts)


@part
def read(signals: int, out: Values, row: int) -> None:
    """Write all readings as of the last event into a row of ``out``, float64[n, WIDTH]."""
    for column in range(WIDTH):
        out[row, column] = NAN
    if get(signals, QUOTED) != 0:
        _read_top(signals, out, row)
        _read_level(bid_level(state_at(signals, ICEBERGS_AT)), out, row, _BID_LEVEL)
        _read_level(ask_level(state_at(signals, ICEBERGS_AT)), out, row, _ASK_LEVEL)
    _read_flow(signals, out, row)
    _read_rates(signals, out, row)
    read_depth(state_at(signals, PROFILE_AT), out, row, _DEPTH)


@entry("void(int64[::1], float64[:, ::1])")
def read_once(signals: Words, out: Values) -> None:
    """Write all readings as of the last event into the first row of ``out``."""
    read(address_of(signals), out, 0)


@entry("int64(int64[::1], int64[:, ::1], float64[:, ::1])")
def take_events(signals: Words, events: Rows, out: Values) -> int:
    """Take events as ``MarketSignals.update``, reading after each while ``out`` has rows; returns events taken."""
    base = address_of(signals)
    for index in range(len(events)):
        kind, time_ns = events[index, 0], events[index, 1]
        if kind == TOP_EVENT:
            on_top(base, events[index, 2], events[index, 3], events[index, 4], events[index, 5], time_ns)
        elif kind == TRADE_EVENT:
            on_trade(base, events[index, 2], events[index, 3], events[index, 4], time_ns)
        elif kind == TIME_EVENT:
            advance(base, time_ns)
        else:
            return index
        if index < len(out):
            read(base, out, index)
    return len(events)


class MarketSignals:
    """All signals of one market, for the slow loop."""

    def __init__(self, settings: SignalSettings) -> None:
        self.state = new_state(settings)
        self._out = new_values(1, WIDTH)

    def update(self, events: Rows) -> Values:
        """Take int64[n, 6] events of one market and return float64[n, WIDTH], the readings after each.

        A top of book is (0, time, bid, bid quantity, ask, ask quantity), a trade (1, time, price, quantity,
        aggressor, 0), passing time (2, time, 0, 0, 0, 0). Raises Rejected at another kind, after the events before.
        """
        rows = as_rows("events", events, 6)
        out = new_values(len(rows), WIDTH)
        taken = take_events(self.state, rows, out)
        if taken < len(rows):
            raise Rejected(
                f"event {taken} has kind {rows[taken, 0]}, expected 0, 1 or 2; it and later ones were not taken"
            )
        return out

    def read(self) -> dict[Output, float]:
        """All readings as of the last event, by name."""
        read_once(self.state, self._out)
        return {output: float(self._out[0, output]) for output in Output}

    def counters(self) -> dict[Counter, int]:
        """What was taken, refused and left out so far."""
        return read_counters(self.state)

    @property
    def now_ns(self) -> int:
        """Newest time seen."""
        return int(self.state[NOW])
