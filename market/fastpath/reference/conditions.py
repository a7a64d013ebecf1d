"""One event, step 3: every condition of the venue that has moved, against the other venues as they stand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from market.fastpath.reference.integers import cost, imbalance, int64
from market.fastpath.reference.state import Bit, PairBit, SideBit, State
from market.fastpath.specification import Kind, Side

BASIS_BITS = 12


class Leg(NamedTuple):
    """One side of a trigger: where, buy or sell, at which price, and how much is displayed there."""

    venue: int
    side: Side
    price: int
    displayed: int


class Condition(NamedTuple):
    """One bit's condition: whether it is true, and what is sent if its rise is chosen.

    ``legs`` are those that are sent, seller first; ``magnitude`` is the edge or |dev| (0 for IMBALANCE); ``other`` is w
    (v itself for IMBALANCE); a condition that is no candidate only keeps its bit.
    """

    kind: Kind
    bit: Bit
    true: bool
    candidate: bool
    legs: tuple[Leg, ...]
    magnitude: int
    other: int


def sell(state: State, instrument: int, venue: int) -> Leg:
    """Sell at the venue's bid."""
    quote = state.quotes[instrument][venue]
    return Leg(venue, Side.SELL, quote.bid_price, quote.bid_quantity)


def buy(state: State, instrument: int, venue: int) -> Leg:
    """Buy at the venue's ask."""
    quote = state.quotes[instrument][venue]
    return Leg(venue, Side.BUY, quote.ask_price, quote.ask_quantity)


def conditions(state: State, instrument: int, v: int) -> Iterator[Condition]:
    """The conditions of all of v's bits, true or not."""
    for w in range(state.sizes.venues):
        if w != v:
            yield _arb(state, instrument, v, seller=v, buyer=w)
            yield _arb(state, instrument, v, seller=w, buyer=v)
            yield _basis(state, instrument, v, rich=v, cheap=w)
            yield _basis(state, instrument, v, rich=w, cheap=v)
    yield from _imbalance(state, instrument, v)


def _holds(state: State, instrument: int, kind: Kind, venues: tuple[int, ...], legs: tuple[Leg, ...]) -> bool:
    """What every condition asks for: kind on, venues usable, no leg below the minimum quantity."""
    row = state.instruments[instrument]
    return (
        row.has_kind(kind)
        and all(state.usable(instrument, venue) for venue in venues)
        and all(leg.displayed >= row.minimum_quantity for leg in legs)
    )


def _arb(state: State, instrument: int, v: int, seller: int, buyer: int) -> Condition:
    w = buyer if seller == v else seller
    legs = (sell(state, instrument, seller), buy(state, instrument, buyer))
    bid, ask = legs[0].price, legs[1].price
    # both fees on w's price, which is known before the event
    fees = state.venues[v].fee + state.venues[w].fee
    edge = int64(bid - ask - cost(ask if seller == v else bid, fees))
    holds = _holds(state, instrument, Kind.ARB, (v, w), legs)
    true = holds and edge >= state.instruments[instrument].minimum_edge
    return Condition(Kind.ARB, PairBit(Kind.ARB, seller, buyer), true, True, legs, edge, w)


def doubled_mid(state: State, instrument: int, venue: int) -> int:
    """Bid plus ask."""
    quote = state.quotes[instrument][venue]
    return quote.bid_price + quote.ask_price


def _basis(state: State, instrument: int, v: int, rich: int, cheap: int) -> Condition:
    row = state.instruments[instrument]
    w = cheap if rich == v else rich
    a, b = min(v, w), max(v, w)
    basis = state.basis[instrument, a, b]
    d = doubled_mid(state, instrument, a) - doubled_mid(state, instrument, b)
    dev = int64(d - (basis.value >> BASIS_BITS))
    excess = dev if rich == a else -dev

    both = (sell(state, instrument, rich), buy(state, instrument, cheap))
    if row.lead(v, w):
        legs, candidate = tuple(leg for leg in both if leg.venue == w), True
    elif row.lead(w, v):
        legs, candidate = tuple(leg for leg in both if leg.venue == v), False
    else:
        legs, candidate = both, True

    warm = basis.samples >= max(1, row.basis_warm_up)
    holds = warm and _holds(state, instrument, Kind.BASIS, (v, w), legs)
    true = holds and excess >= row.basis_threshold
    return Condition(Kind.BASIS, PairBit(Kind.BASIS, rich, cheap), true, candidate, legs, abs(dev), w)


def _imbalance(state: State, instrument: int, v: int) -> Iterator[Condition]:
    row = state.instruments[instrument]
    quote = state.quotes[instrument][v]
    tight = quote.ask_price - quote.bid_price <= row.maximum_spread
    value = imbalance(quote.bid_quantity, quote.ask_quantity)
    for leg, signed in ((buy(state, instrument, v), value), (sell(state, instrument, v), -value)):
        holds = tight and _holds(state, instrument, Kind.IMBALANCE, (v,), (leg,))
        true = holds and signed >= row.imbalance_threshold
        _check_quantity_form(quote.bid_quantity, quote.ask_quantity, leg.side, row.imbalance_threshold, signed)
        yield Condition(Kind.IMBALANCE, SideBit(v, leg.side), true, True, (leg,), 0, v)


def _check_quantity_form(bid_quantity: int, ask_quantity: int, side: Side, threshold: int, signed: int) -> None:
    """The specification says that this form, which logic uses, is exactly the same."""
    heavy, light = (bid_quantity, ask_quantity) if side is Side.BUY else (ask_quantity, bid_quantity)
    in_logic = heavy * (32768 - threshold) >= light * (32768 + threshold)
    if in_logic != (signed >= threshold):
        raise AssertionError(
            f"imbalance of {bid_quantity} x {ask_quantity} against {threshold}: division says {signed >= threshold}, "
            f"the product form says {in_logic}; they must agree"
        )
