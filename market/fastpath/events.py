"""Quote and trade events as kernels: within a step (``apply_...``) and as a step of their own (``..._event``).

An event of its own counts as a frame of one message (FASTPATH, Steps).
"""

from __future__ import annotations

from typing import Final

from market.fastpath import state
from market.fastpath.admission import ADMITTED, admit_quote, admit_trade, cut, in_build, reject
from market.fastpath.basis import sample_pairs
from market.fastpath.choice import NO_KIND, choose
from market.fastpath.conditions import update_conditions, usable_venues
from market.fastpath.event_log import log_quote, log_trade
from market.fastpath.gate import decide
from market.fastpath.specification import RejectReason, Side
from market.fastpath.steps import begin_step, end_step, hear_venue
from market.native.kernel import part
from market.native.memory import get, put

_UNKNOWN: Final = int(RejectReason.UNKNOWN)
_BUY: Final = int(Side.BUY)
_SELL: Final = int(Side.SELL)


@part
def apply_quote(
    engine: int,
    instrument: int,
    venue: int,
    price_exponent: int,
    quantity_exponent: int,
    sequence: int,
    bid_price: int,
    bid_quantity: int,
    ask_price: int,
    ask_quantity: int,
) -> int:
    """One top of book, within a step; returns ``ADMITTED`` or a ``RejectReason``.

    Prices and quantities are mantissas of the given exponents. Appends at most one trigger, for which
    the caller has made sure that there is room.
    """
    state.bump(engine, state.QUOTE_EVENTS)
    if not in_build(engine, instrument, venue):
        return reject(engine, _UNKNOWN)
    row = state.instrument_row(engine, instrument)
    quote = state.quote_of(row, venue)
    admitted = admit_quote(
        engine,
        row,
        quote,
        venue,
        price_exponent,
        quantity_exponent,
        sequence,
        bid_price,
        bid_quantity,
        ask_price,
        ask_quantity,
    )
    if admitted != ADMITTED:
        return admitted
    comparable = usable_venues(engine, row, venue)
    arb_sells, arb_buys, basis_sells, basis_buys, imbalance = update_conditions(engine, row, venue, comparable)
    if arb_sells | arb_buys | basis_sells | basis_buys | imbalance:
        kind, seller, buyer, edge = choose(engine, row, venue, arb_sells, arb_buys, basis_sells, basis_buys, imbalance)
        if kind != NO_KIND:
            decide(engine, instrument, row, venue, kind, seller, buyer, edge)
    sample_pairs(engine, row, venue, comparable)
    return ADMITTED


@part
def apply_trade(
    engine: int,
    instrument: int,
    venue: int,
    price_exponent: int,
    quantity_exponent: int,
    price: int,
    quantity: int,
    aggressor: int,
) -> int:
    """One trade, within a step; returns ``ADMITTED`` or a ``RejectReason``. Trades only count."""
    state.bump(engine, state.TRADE_EVENTS)
    if not in_build(engine, instrument, venue):
        return reject(engine, _UNKNOWN)
    row = state.instrument_row(engine, instrument)
    quote = state.quote_of(row, venue)
    admitted = admit_trade(engine, quote, price_exponent, quantity_exponent, price, quantity)
    if admitted != ADMITTED:
        return admitted
    volume = cut(engine, quantity, get(quote, state.QUANTITY_TOP)) * get(quote, state.QUANTITY_FACTOR)
    if aggressor == _BUY:
        put(row, state.BUY_VOLUME, get(row, state.BUY_VOLUME) + volume)
    elif aggressor == _SELL:
        put(row, state.SELL_VOLUME, get(row, state.SELL_VOLUME) + volume)
    state.bump(row, state.TRADE_COUNT)
    return ADMITTED


@part
def quote_event(
    engine: int,
    instrument: int,
    venue: int,
    price_exponent: int,
    quantity_exponent: int,
    sequence: int,
    bid_price: int,
    bid_quantity: int,
    ask_price: int,
    ask_quantity: int,
    time_ns: int,
) -> int:
    """One top of book as a step of its own, received at ``time_ns``; returns what ``apply_quote`` does."""
    begin_step(engine, time_ns)
    state.bump(engine, state.FRAMES)
    state.bump(engine, state.MESSAGES)
    hear_venue(engine, venue)
    log_quote(
        engine,
        instrument,
        venue,
        price_exponent,
        quantity_exponent,
        sequence,
        bid_price,
        bid_quantity,
        ask_price,
        ask_quantity,
    )
    admitted = apply_quote(
        engine,
        instrument,
        venue,
        price_exponent,
        quantity_exponent,
        sequence,
        bid_price,
        bid_quantity,
        ask_price,
        ask_quantity,
    )
    end_step(engine)
    return admitted


@part
def trade_event(
    engine: int,
    instrument: int,
    venue: int,
    price_exponent: int,
    quantity_exponent: int,
    price: int,
    quantity: int,
    aggressor: int,
    time_ns: int,
) -> int:
    """One trade as a step of its own, received at ``time_ns``; returns what ``apply_trade`` does."""
    begin_step(engine, time_ns)
    state.bump(engine, state.FRAMES)
    state.bump(engine, state.MESSAGES)
    hear_venue(engine, venue)
    log_trade(engine, instrument, venue, price_exponent, quantity_exponent, price, quantity, aggressor)
    admitted = apply_trade(engine, instrument, venue, price_exponent, quantity_exponent, price, quantity, aggressor)
    end_step(engine)
    return admitted
