"""Part 1 and 2 of a quote event: whether it is admitted, and what is stored of it."""

from __future__ import annotations

from typing import Final

from market.fastpath import bits, state
from market.fastpath.specification import RejectReason
from market.native.kernel import inline, part
from market.native.memory import get, put

ADMITTED: Final = -1
_UNKNOWN: Final = int(RejectReason.UNKNOWN)
_OLD_SEQUENCE: Final = int(RejectReason.OLD_SEQUENCE)
_EXPONENT: Final = int(RejectReason.EXPONENT)
_EMPTY: Final = int(RejectReason.EMPTY)
_RANGE: Final = int(RejectReason.RANGE)
_CROSSED: Final = int(RejectReason.CROSSED)


@inline
def in_build(engine: int, instrument: int, venue: int) -> bool:
    """Whether the build has this instrument and this venue."""
    return 0 <= instrument < get(engine, state.INSTRUMENTS) and 0 <= venue < get(engine, state.VENUES)


@inline
def cut(engine: int, quantity: int, top: int) -> int:
    """A quantity mantissa, at most ``top``; a cut is counted."""
    if quantity <= top:
        return quantity
    state.bump(engine, state.QUANTITY_CUT)
    return top


@part
def reject(engine: int, reason: int) -> int:
    """Count a rejected event; returns the reason."""
    state.bump(engine, state.REJECTS + reason)
    return reason


@part
def invalidate(row: int, quote: int, venue: int) -> None:
    """Make a venue's quote invalid and clear every bit of the instrument that the venue is part of."""
    put(quote, state.VALID, 0)
    bits.update_pairs(row, quote, venue, state.ARB_SELL, state.ARB_BUY, 0)
    bits.update_pairs(row, quote, venue, state.ARB_BUY, state.ARB_SELL, 0)
    bits.update_pairs(row, quote, venue, state.BASIS_SELL, state.BASIS_BUY, 0)
    bits.update_pairs(row, quote, venue, state.BASIS_BUY, state.BASIS_SELL, 0)
    put(quote, state.IMBALANCE_ON, 0)


@part
def reject_quote(engine: int, row: int, quote: int, venue: int, reason: int) -> int:
    """Reject a quote whose sequence was new: the venue has no valid quote until the next one."""
    invalidate(row, quote, venue)
    return reject(engine, reason)


@inline
def admit_quote(
    engine: int,
    row: int,
    quote: int,
    venue: int,
    price_exponent: int,
    quantity_exponent: int,
    sequence: int,
    bid_price: int,
    bid_quantity: int,
    ask_price: int,
    ask_quantity: int,
) -> int:
    """Store a quote of a known instrument and venue, or say why not (a ``RejectReason``)."""
    if not get(quote, state.SCALED):
        return reject(engine, _UNKNOWN)
    if get(quote, state.SEQUENCE_KNOWN) and sequence <= get(quote, state.SEQUENCE):
        return reject(engine, _OLD_SEQUENCE)
    put(quote, state.SEQUENCE, sequence)
    put(quote, state.SEQUENCE_KNOWN, 1)
    if price_exponent != get(quote, state.PRICE_EXPONENT) or quantity_exponent != get(quote, state.QUANTITY_EXPONENT):
        return reject_quote(engine, row, quote, venue, _EXPONENT)
    if bid_quantity == 0 or ask_quantity == 0:
        return reject_quote(engine, row, quote, venue, _EMPTY)
    price_top = get(quote, state.PRICE_TOP)
    prices_fit = 1 <= bid_price <= price_top and 1 <= ask_price <= price_top
    if not prices_fit or bid_quantity < 0 or ask_quantity < 0:
        return reject_quote(engine, row, quote, venue, _RANGE)
    quantity_top = get(quote, state.QUANTITY_TOP)
    bid_shown = cut(engine, bid_quantity, quantity_top)
    ask_shown = cut(engine, ask_quantity, quantity_top)
    if ask_price <= bid_price:
        return reject_quote(engine, row, quote, venue, _CROSSED)
    price_factor = get(quote, state.PRICE_FACTOR)
    quantity_factor = get(quote, state.QUANTITY_FACTOR)
    put(quote, state.BID, bid_price * price_factor)
    put(quote, state.ASK, ask_price * price_factor)
    put(quote, state.BID_QUANTITY, bid_shown * quantity_factor)
    put(quote, state.ASK_QUANTITY, ask_shown * quantity_factor)
    put(quote, state.QUOTE_TIME, get(engine, state.TIME))
    put(quote, state.VALID, 1)
    return ADMITTED


@inline
def admit_trade(engine: int, quote: int, price_exponent: int, quantity_exponent: int, price: int, quantity: int) -> int:
    """Whether a trade of a known instrument and venue counts, or why not (a ``RejectReason``)."""
    if not get(quote, state.SCALED):
        return reject(engine, _UNKNOWN)
    if price_exponent != get(quote, state.PRICE_EXPONENT) or quantity_exponent != get(quote, state.QUANTITY_EXPONENT):
        return reject(engine, _EXPONENT)
    if price < 1 or price > get(quote, state.PRICE_TOP) or quantity < 1:
        return reject(engine, _RANGE)
    return ADMITTED
