"""One event, steps 1 and 2: admit and store a quote; count a trade."""

from __future__ import annotations

from market.fastpath.reference.events import QuoteEvent, TradeEvent
from market.fastpath.reference.state import State
from market.fastpath.specification import RejectReason, Side


def power_of_ten(shift: int) -> int:
    """10^k for k in 0..3."""
    return (1, 10, 100, 1_000)[shift]


def top_mantissa(state: State, shift: int) -> int:
    """The largest mantissa whose value still has P bits: ``(2^P - 1) / 10^k``."""
    return state.sizes.top // power_of_ten(shift)


def cut(state: State, quantity: int, shift: int) -> int:
    """The quantity's mantissa, cut to the largest one; a cut is counted."""
    top = top_mantissa(state, shift)
    if quantity <= top:
        return quantity
    state.counters.quantity_cut += 1
    return top


def admit(state: State, event: QuoteEvent) -> bool:
    """Steps 1 and 2. True if the event was admitted and its quote stored."""
    state.counters.quote_events += 1
    reason = _refuse(state, event)
    if reason is None:
        return True
    state.counters.rejects[reason] += 1
    if reason >= RejectReason.EXPONENT:
        quote = state.quotes[event.instrument][event.venue]
        quote.sequence = event.sequence
        quote.valid = False
        state.clear_bits(event.instrument, event.venue)
    return False


def _refuse(state: State, event: QuoteEvent) -> RejectReason | None:
    """The first check that fails; if none does, the quote is stored."""
    row = state.scaling.get((event.instrument, event.venue))
    if row is None:
        return RejectReason.UNKNOWN
    quote = state.quotes[event.instrument][event.venue]
    if quote.sequence is not None and event.sequence <= quote.sequence:
        return RejectReason.OLD_SEQUENCE
    if (event.price_exponent, event.quantity_exponent) != (row.price_exponent, row.quantity_exponent):
        return RejectReason.EXPONENT
    if event.bid_quantity == 0 or event.ask_quantity == 0:
        return RejectReason.EMPTY
    top = top_mantissa(state, row.price_shift)
    if not (1 <= event.bid_price <= top and 1 <= event.ask_price <= top):
        return RejectReason.RANGE
    if event.bid_quantity < 0 or event.ask_quantity < 0:
        return RejectReason.RANGE
    bid_quantity = cut(state, event.bid_quantity, row.quantity_shift)
    ask_quantity = cut(state, event.ask_quantity, row.quantity_shift)
    if event.ask_price <= event.bid_price:
        return RejectReason.CROSSED
    quote.bid_price = event.bid_price * power_of_ten(row.price_shift)
    quote.bid_quantity = bid_quantity * power_of_ten(row.quantity_shift)
    quote.ask_price = event.ask_price * power_of_ten(row.price_shift)
    quote.ask_quantity = ask_quantity * power_of_ten(row.quantity_shift)
    quote.sequence = event.sequence
    quote.time = state.time
    quote.valid = True
    return None


def withdraw(state: State, event: QuoteEvent) -> None:
    """The event of a book that broke: no sequence is too old for it, and none is stored after it."""
    state.counters.quote_events += 1
    row = state.scaling.get((event.instrument, event.venue))
    if row is None:
        state.counters.rejects[RejectReason.UNKNOWN] += 1
        return
    same = (event.price_exponent, event.quantity_exponent) == (row.price_exponent, row.quantity_exponent)
    state.counters.rejects[RejectReason.EMPTY if same else RejectReason.EXPONENT] += 1
    state.forget_quote(event.instrument, event.venue)


def count_trade(state: State, event: TradeEvent) -> None:
    """Add a trade to its instrument's volumes, or to the counter of the check that it fails."""
    state.counters.trade_events += 1
    row = state.scaling.get((event.instrument, event.venue))
    if row is None:
        state.counters.rejects[RejectReason.UNKNOWN] += 1
        return
    if (event.price_exponent, event.quantity_exponent) != (row.price_exponent, row.quantity_exponent):
        state.counters.rejects[RejectReason.EXPONENT] += 1
        return
    if not 1 <= event.price <= top_mantissa(state, row.price_shift) or event.quantity < 1:
        state.counters.rejects[RejectReason.RANGE] += 1
        return
    quantity = cut(state, event.quantity, row.quantity_shift) * power_of_ten(row.quantity_shift)
    volume = state.volumes[event.instrument]
    volume.count += 1
    if event.aggressor is Side.BUY:
        volume.buy += quantity
    elif event.aggressor is Side.SELL:
        volume.sell += quantity
