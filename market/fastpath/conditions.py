"""Parts 3 and 4 of a quote event: which conditions hold after it, and which of them rose."""

from __future__ import annotations

from typing import Final

from market.fastpath import state
from market.fastpath.arithmetic import cost, deviation_of, imbalance_of
from market.fastpath.bits import update_imbalance, update_pairs
from market.fastpath.specification import Kind
from market.native.kernel import inline
from market.native.memory import get, trailing_zeros

ARB_MASK: Final = Kind.ARB.mask
BASIS_MASK: Final = Kind.BASIS.mask
IMBALANCE_MASK: Final = Kind.IMBALANCE.mask
BUY_BIT: Final = 1
SELL_BIT: Final = 2


@inline
def usable(engine: int, quote: int, venue: int) -> bool:
    """Whether a venue's quote may be compared now: enabled, valid, neither old nor silent."""
    row = state.venue_row(engine, venue)
    now = get(engine, state.TIME)
    return (
        get(row, state.VENUE_ENABLED) != 0
        and get(quote, state.VALID) != 0
        and now - get(quote, state.QUOTE_TIME) <= get(row, state.MAXIMUM_AGE)
        and now - get(row, state.SEEN) <= get(row, state.MAXIMUM_SILENCE)
    )


@inline
def usable_venues(engine: int, row: int, venue: int) -> int:
    """Bit w set for each venue w that may be compared with this one; 0 if this one is not usable."""
    found = 0
    if usable(engine, state.quote_of(row, venue), venue):
        for other in range(get(engine, state.VENUES)):
            if usable(engine, state.quote_of(row, other), other):
                found |= 1 << other
    return found


@inline
def arb_edge(seller: int, buyer: int, priced: int, fees: int) -> int:
    """Gain per unit of selling at one quote's bid and buying at another's ask, both fees on ``priced``."""
    return get(seller, state.BID) - get(buyer, state.ASK) - cost(priced, fees)


@inline
def doubled_mid(quote: int) -> int:
    """Bid plus ask."""
    return get(quote, state.BID) + get(quote, state.ASK)


@inline
def richness(engine: int, row: int, venue: int, other: int) -> int:
    """Deviation of a pair's basis, positive when ``venue`` is the rich one."""
    pair = state.basis_of(engine, row, venue, other)
    mine, theirs = doubled_mid(state.quote_of(row, venue)), doubled_mid(state.quote_of(row, other))
    return deviation_of(mine, theirs, get(pair, state.BASIS), venue < other)


@inline
def arb_conditions(engine: int, row: int, venue: int, others: int) -> tuple[int, int]:
    """Venues to which this one can sell at enough gain, and those from which it can buy at it."""
    quote = state.quote_of(row, venue)
    least, least_edge = get(row, state.MINIMUM_QUANTITY), get(row, state.MINIMUM_EDGE)
    bid_shown, ask_shown = get(quote, state.BID_QUANTITY) >= least, get(quote, state.ASK_QUANTITY) >= least
    fee = get(state.venue_row(engine, venue), state.FEE)
    sells, buys = 0, 0
    while others:
        other = trailing_zeros(others)
        others &= others - 1
        theirs = state.quote_of(row, other)
        fees = fee + get(state.venue_row(engine, other), state.FEE)
        can_sell = bid_shown and get(theirs, state.ASK_QUANTITY) >= least
        can_buy = ask_shown and get(theirs, state.BID_QUANTITY) >= least
        if can_sell and arb_edge(quote, theirs, get(theirs, state.ASK), fees) >= least_edge:
            sells |= 1 << other
        if can_buy and arb_edge(theirs, quote, get(theirs, state.BID), fees) >= least_edge:
            buys |= 1 << other
    return sells, buys


@inline
def basis_conditions(engine: int, row: int, venue: int, others: int) -> tuple[int, int]:
    """Venues against which this one is rich, and those against which it is cheap.

    The legs that must show the minimum quantity are those that would be sent, or, where the other
    venue leads, the leg on this one.
    """
    quote = state.quote_of(row, venue)
    least, threshold = get(row, state.MINIMUM_QUANTITY), get(row, state.BASIS_THRESHOLD)
    warm_up = get(row, state.BASIS_WARM_UP)
    leads, led_by = get(quote, state.LEADS), get(quote, state.LED_BY)
    bid_shown, ask_shown = get(quote, state.BID_QUANTITY) >= least, get(quote, state.ASK_QUANTITY) >= least
    sells, buys = 0, 0
    while others:
        other = trailing_zeros(others)
        others &= others - 1
        if get(state.basis_of(engine, row, venue, other), state.SAMPLES) >= max(1, warm_up):
            theirs = state.quote_of(row, other)
            without_mine = leads >> other & 1 != 0
            without_theirs = not without_mine and led_by >> other & 1 != 0
            rich = richness(engine, row, venue, other)
            can_sell = (bid_shown or without_mine) and (get(theirs, state.ASK_QUANTITY) >= least or without_theirs)
            can_buy = (ask_shown or without_mine) and (get(theirs, state.BID_QUANTITY) >= least or without_theirs)
            if can_sell and rich >= threshold:
                sells |= 1 << other
            if can_buy and -rich >= threshold:
                buys |= 1 << other
    return sells, buys


@inline
def imbalance_conditions(row: int, quote: int) -> int:
    """``BUY_BIT`` when the bids of a usable quote outweigh the asks, ``SELL_BIT`` when the asks do."""
    bid_quantity, ask_quantity = get(quote, state.BID_QUANTITY), get(quote, state.ASK_QUANTITY)
    least, threshold = get(row, state.MINIMUM_QUANTITY), get(row, state.IMBALANCE_THRESHOLD)
    if get(quote, state.ASK) - get(quote, state.BID) > get(row, state.MAXIMUM_SPREAD):
        return 0
    imbalance = imbalance_of(bid_quantity, ask_quantity)
    if imbalance >= threshold and ask_quantity >= least:
        return BUY_BIT
    if -imbalance >= threshold and bid_quantity >= least:
        return SELL_BIT
    return 0


@inline
def update_conditions(engine: int, row: int, venue: int, comparable: int) -> tuple[int, int, int, int, int]:
    """Evaluate every condition of a venue and set its bits.

    ``comparable`` is what ``usable_venues`` found. Returns the rises: ARB as seller and as buyer, BASIS
    as seller and as buyer (bit w: against venue w), IMBALANCE (``BUY_BIT``, ``SELL_BIT``).
    """
    quote = state.quote_of(row, venue)
    others = comparable & ~(1 << venue)
    kinds = get(row, state.KINDS)
    arb_sells, arb_buys, basis_sells, basis_buys, imbalance = 0, 0, 0, 0, 0
    if kinds & ARB_MASK:
        arb_sells, arb_buys = arb_conditions(engine, row, venue, others)
    if kinds & BASIS_MASK:
        basis_sells, basis_buys = basis_conditions(engine, row, venue, others)
    if kinds & IMBALANCE_MASK and comparable:
        imbalance = imbalance_conditions(row, quote)
    return (
        update_pairs(row, quote, venue, state.ARB_SELL, state.ARB_BUY, arb_sells),
        update_pairs(row, quote, venue, state.ARB_BUY, state.ARB_SELL, arb_buys),
        update_pairs(row, quote, venue, state.BASIS_SELL, state.BASIS_BUY, basis_sells),
        update_pairs(row, quote, venue, state.BASIS_BUY, state.BASIS_SELL, basis_buys),
        update_imbalance(quote, imbalance),
    )
