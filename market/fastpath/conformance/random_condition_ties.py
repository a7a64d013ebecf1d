"""Rounds of conditions and of what is done with them (see ``random_ties``)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Final

from market.fastpath.conformance.case import Control, Input, Quote
from market.fastpath.conformance.random_ties import LONG_NS, Cast, TieHost
from market.fastpath.reference.conditions import doubled_mid
from market.fastpath.reference.integers import cost
from market.fastpath.reference.state import Basis
from market.fastpath.specification import Kind, Side

_ONE: Final = 1 << 15
_BASIS_BITS: Final = 12


class ConditionTieHost(TieHost):
    """All rounds of its base, and those of conditions, choice, size and gate."""

    def _rounds(self) -> tuple[Callable[[], Iterator[Input]], ...]:
        pairs = (self._arbitrage, self._arbitrage, self._choice, self._choice, *(self._basis,) * 6)
        rounds = (*pairs, self._rooms, self._sizes_meet, self._imbalance) if self._sizes.venues > 1 else ()
        alone = (self._imbalance, self._spread, self._rooms, self._collar, self._displayed)
        return (*super()._rounds(), *rounds, *alone)

    def _arbitrage(self) -> Iterator[Input]:
        """The minimum edge meets the edge."""
        cast = self._cast()
        yield from self._forgotten(cast)
        theirs, ours = (self._some_quote(cast.instrument, venue) for venue in (cast.other, cast.venue))
        yield self._given(theirs)
        edges = self._edges(cast, ours, theirs)
        limit = 4 * self._sizes.top + 3
        edge = self._among(self._market.one_of(edges) + self._miss(), -limit, limit)
        yield self._row(cast.instrument, Kind.ARB, {"minimumEdge": edge})
        yield self._given(ours)

    def _edges(self, cast: Cast, ours: Quote, theirs: Quote) -> tuple[int, int]:
        """What selling and buying at the venue that moves would bring."""
        fees = self._fees(cast, theirs.venue)
        selling = ours.bid_price - theirs.ask_price - cost(theirs.ask_price, fees)
        return selling, theirs.bid_price - ours.ask_price - cost(theirs.bid_price, fees)

    def _basis(self) -> Iterator[Input]:
        """The threshold, the warm-up or the time of the next sample meet what is there."""
        cast = self._cast()
        yield from self._forgotten(cast)
        leads = tuple(self._market.below(1 << self._sizes.venues) for _ in range(self._sizes.venues))
        leads = leads if self._market.chance(0.3) else ()
        for venue in (cast.other, cast.venue):
            yield self._given(self._some_quote(cast.instrument, venue))
        if self._market.chance(0.5):
            yield from self._loaded(cast)
        first, second = sorted((cast.venue, cast.other))
        basis = self._state.basis[cast.instrument, first, second]
        changes = {"basisWarmUp": basis.samples}
        draw = self._market.below(6)
        if draw == 0:
            changes["basisWarmUp"] = self._among(basis.samples + self._miss(), 0, (1 << 16) - 1)
        if draw > 2:
            for _ in range(1 + self._market.below(3)):
                yield from self._sampled(cast, basis)
            changes["basisWarmUp"] = 0
        ours = self._some_quote(cast.instrument, cast.venue)
        if 0 < draw < 3:
            threshold = self._deviation(cast, ours) + self._miss()
            changes["basisThreshold"] = self._among(threshold, 1, 4 * self._sizes.top + 3)
        yield self._row(cast.instrument, Kind.BASIS, changes, leads)
        yield self._given(ours)

    def _loaded(self, cast: Cast) -> Iterator[Input]:
        """A basis of any value and number of samples."""
        first, second = sorted((cast.venue, cast.other))
        yield self._sequenced(Control("Kill", {}))
        fields = {"instrument": cast.instrument, "firstVenue": first, "secondVenue": second}
        basis = self._signed(self._sizes.price_bits + 1 + _BASIS_BITS)
        sampled = max(0, self._state.time - self._length(52))
        samples = self._market.one_of((self._length(16), self._length(16), (1 << 16) - 1, (1 << 16) - 2))
        fields |= {"samples": samples, "basis": basis, "sampleTime": sampled}
        yield self._sequenced(Control("LoadBasis", fields))
        yield from self._armed()

    def _sampled(self, cast: Cast, basis: Basis) -> Iterator[Input]:
        """The other venue moves when the next sample is just due, or just not."""
        interval = (
            self._length(46) if self._market.chance(0.5) else self._state.time - basis.sample_time + self._length(20)
        )
        interval = self._among(interval, 0, LONG_NS)
        yield self._row(cast.instrument, Kind.BASIS, {"basisInterval": interval, "kinds": 0})
        self._at = basis.sample_time + interval - (self._market.below(4) == 0)
        yield self._given(self._some_quote(cast.instrument, cast.other))

    def _deviation(self, cast: Cast, ours: Quote) -> int:
        first, second = sorted((cast.venue, cast.other))
        difference = ours.bid_price + ours.ask_price - doubled_mid(self._state, cast.instrument, cast.other)
        usual = self._state.basis[cast.instrument, first, second].value >> _BASIS_BITS
        return abs((difference if first == cast.venue else -difference) - usual)

    def _imbalance(self) -> Iterator[Input]:
        """Quantities whose imbalance is the threshold exactly, or less by as little as it can be."""
        cast = self._cast()
        yield from self._forgotten(cast)
        threshold = 1 + self._length(15) % (_ONE - 1) if self._market.chance(0.5) else 1 + self._market.below(_ONE - 1)
        heavy, light = self._balanced(threshold)
        yield self._row(cast.instrument, Kind.IMBALANCE, {"imbalanceThreshold": threshold})
        bid, ask = (heavy, light) if self._market.chance(0.5) else (light, heavy)
        yield self._given(self._some_quote(cast.instrument, cast.venue, bid_quantity=bid, ask_quantity=ask))

    def _balanced(self, threshold: int) -> tuple[int, int]:
        """heavy (1 - t) = light (1 + t), or one unit less, t being the threshold in 2^-15."""
        less, more = _ONE - threshold, _ONE + threshold
        unit = 2 if threshold % 2 == 0 else 1
        while less % (2 * unit) == 0 and more % (2 * unit) == 0:
            unit *= 2
        less, more = less // unit, more // unit
        heavy, light = more, less
        if self._market.chance(0.5) and more > 1 and less > 1:
            # heavy less + 1 = light more
            heavy = -pow(less, -1, more) % more
            light = (heavy * less + 1) // more
        most = (self._sizes.top - more) // more
        turns = self._market.below_any(most + 1) if self._market.chance(0.5) else self._length(most.bit_length() - 1)
        return max(1, heavy + turns * more), max(1, light + turns * less)

    def _spread(self) -> Iterator[Input]:
        """The maximum spread meets the spread."""
        cast = self._cast()
        yield from self._forgotten(cast)
        ours = self._some_quote(cast.instrument, cast.venue)
        spread = self._among(ours.ask_price - ours.bid_price - self._miss(), 0, self._sizes.top)
        yield self._row(cast.instrument, Kind.IMBALANCE, {"maximumSpread": spread})
        yield self._given(ours)

    # what is done with a condition that holds

    def _facing(self, cast: Cast, kind: Kind) -> Iterator[Input]:
        """All others quoted, or one of them."""
        others = cast.others if self._market.chance(0.3) else cast.others[:1]
        if kind is not Kind.IMBALANCE:
            for other in others:
                yield self._given(self._some_quote(cast.instrument, other))

    def _some_kind(self) -> Kind:
        return Kind.ARB if self._sizes.venues > 1 and self._market.chance(0.7) else Kind.IMBALANCE

    def _leg(self, cast: Cast, kind: Kind, ours: Quote) -> tuple[int, Side, int, int]:
        """Venue, side, price and quantity of a leg that may be sent."""
        buys = self._market.chance(0.5)
        if kind is Kind.IMBALANCE:
            buys = ours.bid_quantity > ours.ask_quantity
        elif self._market.chance(0.5):
            theirs = self._state.quotes[cast.instrument][cast.other]
            price = (theirs.ask_price, theirs.ask_quantity) if buys else (theirs.bid_price, theirs.bid_quantity)
            return cast.other, Side.BUY if buys else Side.SELL, *price
        price = (ours.ask_price, ours.ask_quantity) if buys else (ours.bid_price, ours.bid_quantity)
        return cast.venue, Side.BUY if buys else Side.SELL, *price

    def _tied(self, limits: Any) -> Iterator[Input]:
        """A condition that holds, and the limits that a function of the leg gives."""
        cast, kind = self._cast(), self._some_kind()
        yield from self._forgotten(cast)
        yield from self._facing(cast, kind)
        ours = self._some_quote(cast.instrument, cast.venue)
        changes = dict(limits(*self._leg(cast, kind, ours)))
        if kind is Kind.ARB and self._market.chance(0.5):
            # as buyer, for which the edge as seller must not be enough
            theirs = self._state.quotes[cast.instrument][cast.other]
            away = Quote(0, cast.other, 0, 0, 0, theirs.bid_price, 1, theirs.ask_price, 1)
            selling, buying = self._edges(cast, ours, away)
            changes["minimumEdge"] = buying if buying > selling else changes.get("minimumEdge", selling)
        yield self._row(cast.instrument, kind, changes)
        yield self._given(ours)

    def _collar(self) -> Iterator[Input]:
        """A leg's price meets the lowest or the highest that may be sent."""

        def limits(venue: int, side: Side, price: int, displayed: int) -> dict[str, int]:
            if self._market.chance(0.5):
                return {"priceLow": self._among(price + self._miss(), 0, self._sizes.top)}
            return {"priceHigh": self._among(price - self._miss(), 0, self._sizes.top)}

        return self._tied(limits)

    def _displayed(self) -> Iterator[Input]:
        """What a leg displays meets the minimum quantity."""

        def limits(venue: int, side: Side, price: int, displayed: int) -> dict[str, int]:
            return {"minimumQuantity": self._among(displayed + self._miss(), 1, self._sizes.top)}

        return self._tied(limits)

    def _quantities_near(self) -> tuple[int, int, int]:
        """Three quantities, two or all of which are equal or next to each other."""
        bits, top = self._sizes.price_bits, self._sizes.top
        one = 1 + self._number(bits - 1)
        numbers = [one, one + self._miss(), self._market.one_of((one + self._miss(), self._number(bits), top))]
        self._shuffle(numbers)
        first, second, third = (self._among(number, 1, top) for number in numbers)
        return first, second, third

    def _sizes_meet(self) -> Iterator[Input]:
        """The three quantities of which a size is the least are nearly the same."""
        yield from self._sized(False)

    def _sized(self, with_holdings: bool) -> Iterator[Input]:
        cast, kind = self._cast(), self._some_kind()
        yield from self._forgotten(cast)
        own, theirs, maximum = self._quantities_near()
        quote = self._some_quote(cast.instrument, cast.venue)
        if kind is Kind.ARB:
            sells = self._market.chance(0.5)
            other = self._some_quote(cast.instrument, cast.other)
            other = replace(other, **{"ask_quantity" if sells else "bid_quantity": theirs})
            yield self._given(other)
            quote = replace(quote, **{"bid_quantity" if sells else "ask_quantity": own})
            selling, buying = self._edges(cast, quote, other)
            edge = selling if sells else max(buying, selling + 1)
        else:
            sells, edge = self._market.chance(0.5), 0
            small = self._among(own >> 1, 1, self._sizes.top)
            quote = replace(quote, bid_quantity=own if sells else small, ask_quantity=small if sells else own)
            sells = quote.bid_quantity < quote.ask_quantity
        changes = {"maximumQuantity": maximum, "minimumEdge": edge}
        if with_holdings:
            leg = cast.venue if kind is Kind.IMBALANCE or self._market.chance(0.5) else cast.other
            size = min(own, theirs if kind is Kind.ARB else own, maximum)
            selling_leg = sells == (leg == cast.venue)
            yield from self._held(cast.instrument, leg)
            changes["positionLimit"] = self._limit(cast.instrument, leg, selling_leg, size)
        yield self._row(cast.instrument, kind, changes)
        yield self._given(quote)

    def _rooms(self) -> Iterator[Input]:
        """What is left of a position's limit meets the size."""
        yield from self._sized(True)

    def _held(self, instrument: int, venue: int) -> Iterator[Input]:
        """Some position and pendings, and some of them settled."""
        bits = self._sizes.price_bits - 1
        yield self._position(instrument, venue, self._signed(bits), self._number(bits), self._number(bits))
        if self._market.chance(0.3):
            yield self._sequenced(self._edge_settle())

    def _limit(self, instrument: int, venue: int, sells: bool, size: int) -> int:
        holding = self._state.holdings[instrument][venue]
        used = holding.pending_sell - holding.position if sells else holding.pending_buy + holding.position
        return self._among(size + used - self._miss(), 0, self._sizes.top)

    def _choice(self) -> Iterator[Input]:
        """Several venues are nearly the same choice."""
        cast = self._cast()
        kind = self._market.one_of((Kind.ARB, Kind.BASIS))
        yield from self._forgotten(cast)
        bits, top = self._sizes.price_bits, self._sizes.top
        first = self._some_quote(cast.instrument, cast.other)
        for other in cast.others:
            bid, ask = (price + self._nearly() for price in (first.bid_price, first.ask_price))
            bid = self._among(bid, 1, top - 1)
            ask = self._among(ask, bid + 1, top)
            yield self._given(self._some_quote(cast.instrument, other, bid_price=bid, ask_price=ask))
        if kind is Kind.BASIS:
            yield self._given(self._some_quote(cast.instrument, cast.venue))
            for other in cast.others:
                quote = self._state.quotes[cast.instrument][other]
                bid = self._among(quote.bid_price + self._nearly(), 1, quote.ask_price - 1)
                moved = {"bid_price": bid, "ask_price": quote.ask_price}
                yield self._given(self._some_quote(cast.instrument, other, **moved))
        ours = self._some_quote(cast.instrument, cast.venue)
        if self._market.chance(0.5):
            bid = self._among(first.bid_price - 1 - self._length(bits), 1, top - 1)
            ours = replace(ours, bid_price=bid, ask_price=bid + 1)
        edges = self._edges(cast, ours, first)
        lowest = min(edges) if self._market.chance(0.3) else max(edges) - self._length(bits)
        yield self._row(cast.instrument, kind, {"minimumEdge": self._among(lowest, -4 * top, 4 * top)})
        yield self._given(ours)

    def _nearly(self) -> int:
        draw = self._market.below(6)
        return draw - 1 if draw < 3 else 0 if draw < 5 else self._market.one_of((-1, 1)) << self._market.below(10)
