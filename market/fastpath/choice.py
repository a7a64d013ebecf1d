"""Part 5 of a quote event: the one candidate of an event with rises."""

from __future__ import annotations

from typing import Final

from market.fastpath import state
from market.fastpath.conditions import BUY_BIT, arb_edge, richness
from market.fastpath.specification import Kind
from market.native.kernel import part
from market.native.memory import get, trailing_zeros

ABSENT: Final = -1
"""Venue of an absent leg, while a candidate is decided."""
NO_KIND: Final = 0
_ARB: Final = int(Kind.ARB)
_BASIS: Final = int(Kind.BASIS)
_IMBALANCE: Final = int(Kind.IMBALANCE)


@part
def best_arb(engine: int, row: int, venue: int, rises: int, selling: bool) -> tuple[int, int]:
    """Of the venues in ``rises`` the one with the largest edge, the lowest of equals, and the edge."""
    quote = state.quote_of(row, venue)
    fee = get(state.venue_row(engine, venue), state.FEE)
    best, best_edge = ABSENT, 0
    while rises:
        other = trailing_zeros(rises)
        rises &= rises - 1
        theirs = state.quote_of(row, other)
        fees = fee + get(state.venue_row(engine, other), state.FEE)
        if selling:
            edge = arb_edge(quote, theirs, get(theirs, state.ASK), fees)
        else:
            edge = arb_edge(theirs, quote, get(theirs, state.BID), fees)
        if best == ABSENT or edge > best_edge:
            best, best_edge = other, edge
    return best, best_edge


@part
def best_basis(engine: int, row: int, venue: int, rises: int) -> tuple[int, int]:
    """Of the venues in ``rises`` the one with the largest deviation, the lowest of equals, and its size."""
    best, best_deviation = ABSENT, 0
    while rises:
        other = trailing_zeros(rises)
        rises &= rises - 1
        deviation = abs(richness(engine, row, venue, other))
        if best == ABSENT or deviation > best_deviation:
            best, best_deviation = other, deviation
    return best, best_deviation


@part
def choose(
    engine: int, row: int, venue: int, arb_sells: int, arb_buys: int, basis_sells: int, basis_buys: int, imbalance: int
) -> tuple[int, int, int, int]:
    """The candidate among an event's rises: kind, seller, buyer, edge or deviation; a leg may be ``ABSENT``.

    Kind is ``NO_KIND`` when every rise is one of a BASIS whose other venue leads.
    """
    if arb_sells:
        other, edge = best_arb(engine, row, venue, arb_sells, True)
        return _ARB, venue, other, edge
    if arb_buys:
        other, edge = best_arb(engine, row, venue, arb_buys, False)
        return _ARB, other, venue, edge
    quote = state.quote_of(row, venue)
    leads = get(quote, state.LEADS)
    eligible = ~get(quote, state.LED_BY) | leads
    if basis_sells & eligible:
        other, deviation = best_basis(engine, row, venue, basis_sells & eligible)
        return _BASIS, ABSENT if leads >> other & 1 else venue, other, deviation
    if basis_buys & eligible:
        other, deviation = best_basis(engine, row, venue, basis_buys & eligible)
        return _BASIS, other, ABSENT if leads >> other & 1 else venue, deviation
    if imbalance:
        return (_IMBALANCE, ABSENT, venue, 0) if imbalance & BUY_BIT else (_IMBALANCE, venue, ABSENT, 0)
    return NO_KIND, ABSENT, ABSENT, 0
