"""Control: what each message other than a table row does, and when it is refused."""

from __future__ import annotations

from collections.abc import Callable

from market.fastpath.reference import loading, rows
from market.fastpath.reference.integers import int64
from market.fastpath.reference.messages import ControlMessage, Template
from market.fastpath.reference.state import Basis, Holding, Quote, State
from market.fastpath.specification import Refusal, Side

ALL_VENUES = 255

SENDS_STATUS = frozenset({Template.HEARTBEAT, Template.STATUS_REQUEST})


def _hello(state: State, message: ControlMessage) -> Refusal:
    """Starts the numbering; the caller has taken the sequence number as it came."""
    state.epoch = message["epoch"]
    state.killed = True
    return Refusal.NONE


def _heartbeat(state: State, message: ControlMessage) -> Refusal:
    state.lease_until = int64(state.time + state.engine.lease)
    return Refusal.NONE


def _kill(state: State, message: ControlMessage) -> Refusal:
    state.killed = True
    return Refusal.NONE


def _rearm(state: State, message: ControlMessage) -> Refusal:
    if message["status_number"] != state.status_number:
        return Refusal.WRONG_STATUS
    state.killed = False
    return Refusal.NONE


def _settle(state: State, message: ControlMessage) -> Refusal:
    if not (state.has_instrument(message["instrument"]) and state.has_venue(message["venue"])):
        return Refusal.UNKNOWN_ROW
    if message["side"] not in (Side.BUY, Side.SELL):
        return Refusal.BAD_VALUE
    holding = state.holdings[message["instrument"]][message["venue"]]
    buys = message["side"] == Side.BUY
    pending = holding.pending_buy if buys else holding.pending_sell
    released, filled = message["released"], message["filled"]
    if not 0 <= filled <= released <= pending:
        return Refusal.SETTLEMENT
    if buys:
        holding.pending_buy -= released
        holding.position = int64(holding.position + filled)
    else:
        holding.pending_sell -= released
        holding.position = int64(holding.position - filled)
    return Refusal.NONE


def _set_position(state: State, message: ControlMessage) -> Refusal:
    if not (state.has_instrument(message["instrument"]) and state.has_venue(message["venue"])):
        return Refusal.UNKNOWN_ROW
    position, top = message["position"], state.sizes.top
    pending_buy, pending_sell = message["pending_buy"], message["pending_sell"]
    if not (abs(position) <= top and 0 <= pending_buy <= top and 0 <= pending_sell <= top):
        return Refusal.BAD_VALUE
    if message["last_id"] != state.last_id:
        return Refusal.WRONG_ID
    state.holdings[message["instrument"]][message["venue"]] = Holding(position, pending_buy, pending_sell)
    return Refusal.NONE


def _reset(state: State, message: ControlMessage) -> Refusal:
    """Quotes, sequences, seen, bits, basis, lines and their books; not positions."""
    if message["venue"] == ALL_VENUES:
        venues = list(range(state.sizes.venues))
    elif state.has_venue(message["venue"]):
        venues = [message["venue"]]
    else:
        return Refusal.UNKNOWN_ROW
    for venue in venues:
        for number in [number for number, line in state.lines.lines.items() if line.venue == venue]:
            loading.forget_line(state, number)
        state.seen[venue] = 0
        for instrument in range(state.sizes.instruments):
            state.quotes[instrument][venue] = Quote()
            state.clear_bits(instrument, venue)
        for key in [key for key in state.basis if venue in key[1:]]:
            del state.basis[key]
    return Refusal.NONE


def _load_basis(state: State, message: ControlMessage) -> Refusal:
    a, b = message["first_venue"], message["second_venue"]
    if not (state.has_instrument(message["instrument"]) and state.has_venue(a) and state.has_venue(b)):
        return Refusal.UNKNOWN_ROW
    basis_limit = 1 << (state.sizes.price_bits + 13)
    if not (a < b and abs(message["basis"]) < basis_limit and 0 <= message["sample_time"] < 1 << 62):
        return Refusal.BAD_VALUE
    if not state.killed:
        return Refusal.NOT_KILLED
    state.basis[message["instrument"], a, b] = Basis(message["basis"], message["samples"], message["sample_time"])
    return Refusal.NONE


def _load_identity(state: State, message: ControlMessage) -> Refusal:
    if not state.killed:
        return Refusal.NOT_KILLED
    state.last_id = message["id"]
    state.parity = message["parity"]
    return Refusal.NONE


def _status_request(state: State, message: ControlMessage) -> Refusal:
    return Refusal.NONE


_EFFECTS: dict[Template, Callable[[State, ControlMessage], Refusal]] = {
    Template.HELLO: _hello,
    Template.ENGINE_ROW: rows.write_engine_row,
    Template.VENUE_ROW: rows.write_venue_row,
    Template.SCALING_ROW: rows.write_scaling_row,
    Template.CHANNEL_ROW: rows.write_channel_row,
    Template.INSTRUMENT_ROW: rows.write_instrument_row,
    Template.HEARTBEAT: _heartbeat,
    Template.KILL: _kill,
    Template.REARM: _rearm,
    Template.SETTLE: _settle,
    Template.SET_POSITION: _set_position,
    Template.RESET: _reset,
    Template.LOAD_BASIS: _load_basis,
    Template.LOAD_IDENTITY: _load_identity,
    Template.STATUS_REQUEST: _status_request,
    Template.LINE_ROW: loading.write_line_row,
    Template.BOOK_ROW: loading.write_book_row,
    Template.BOOK_CLEAR: loading.clear_book,
    Template.BOOK_ORDER: loading.load_order,
    Template.BOOK_READY: loading.ready_book,
}


def apply(state: State, message: ControlMessage) -> Refusal:
    """Let the message take effect, whole, or refuse it and change nothing."""
    if message.template is None:
        return Refusal.BAD_MESSAGE
    return _EFFECTS[message.template](state, message)
