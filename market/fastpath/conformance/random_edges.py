"""A random host whose numbers have every length, and whose quotes and times fall onto thresholds or just beside them.

A comparison that is wrong in one bit shows only where both sides differ in less than that bit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, Final

from market.fastpath.conformance.case import Control, Input, Quote, Trade
from market.fastpath.conformance.random_host import RandomHost
from market.fastpath.reference import ReferenceEngine
from market.fastpath.reference.integers import cost
from market.fastpath.reference.state import Basis, Holding
from market.fastpath.specification import Kind, Side

LATEST: Final = (1 << 62) - 1
_LONG: Final = 1 << 61
"""From here on time runs slowly: it must not come to its end."""
_DURATION_BITS: Final = 56
_BASIS_BITS: Final = 12
_SAMPLE_BITS: Final = 16
_MISSES: Final = 1 / 40
_DRAWS: Final = {
    None: (0, 1, 2, 3, 4, 4, 5, 5, 5, 5),
    Kind.ARB: (0, 1, 1, 2, 2, 3, 5, 5, 5, 5),
    Kind.BASIS: (0, 3, 4, 4, 4, 4, 4, 4, 5, 5),
    Kind.IMBALANCE: (0, 3, 5, 5),
}
"""What a quote is put beside, by the kind that is on: 0 nothing, 1 and 2 an arbitrage by selling and by buying, 3 the
collar, 4 a basis, 5 another venue's quote; as often as they are listed."""


class EdgeHost(RandomHost):
    """As its base, but with numbers of all lengths, and inputs at the edges of what the state compares them with.

    ``kind``: only that kind is on, and most quotes are at its edges; None: all of them.
    """

    def __init__(self, engine: ReferenceEngine, seed: int, with_frames: bool, kind: Kind | None = None) -> None:
        self._kind = kind
        super().__init__(engine, seed, with_frames)
        self._sequence = 0
        self._market.shifts.update({pair: (0, 0) for pair in self._market.shifts if self._market.chance(0.7)})
        self._waiting = list(self._first_messages())

    def next_input(self) -> tuple[int, Input]:
        """The next input and its time."""
        if self._waiting or self._market.chance(0.3):
            return super().next_input()
        loading = next(self._loading, None)
        self._now = self._next_time()
        if loading is not None:
            return self._now, self._sequenced(loading)
        if self._state.killed or self._market.chance(0.01):
            self._loading = self._armed_anew()
        elif self._state.time > self._state.lease_until and self._market.chance(0.5):
            return self._now, self._sequenced(Control("Heartbeat", {}))
        if self._market.chance(0.12):
            return self._now, self._sequenced(self._some_limits())
        if self._market.chance(0.06):
            return self._now, self._fed(self._edge_trade())
        return self._now, self._fed(self._edge_quote())

    # numbers

    def _length(self, bits: int) -> int:
        """A number of 0 to 2^bits - 1 whose length is drawn first."""
        return self._market.below_any(1 << self._market.below(bits + 1))

    def _beside(self, number: int, bits: int) -> int:
        """The number, or one beside it, near or far."""
        draw = self._market.below(8)
        if draw < 3:
            return number + draw - 1
        offset = self._length(bits)
        return number + offset if draw < 6 else number - offset

    def _price(self, number: int) -> int:
        return max(1, min(self._sizes.top, number))

    # time

    def _next_time(self) -> int:
        if self._market.chance(0.2):
            at = self._beside(self._market.one_of(tuple(self._deadlines())), _DURATION_BITS)
            if self._now <= at < _LONG:
                return at
        return self._now + self._length(20 if self._now > _LONG or self._market.chance(0.97) else _DURATION_BITS - 4)

    def _deadlines(self) -> Iterator[int]:
        """Times at which something that depends on time becomes different."""
        state = self._state
        yield state.lease_until
        yield state.rate_at - state.engine.rate_tolerance
        yield state.next_status
        yield from state.cooldown_until
        for venue, row in enumerate(state.venues):
            yield state.seen[venue] + row.maximum_silence
            for quotes in state.quotes:
                yield quotes[venue].time + row.maximum_age
        for (instrument, _, _), basis in state.basis.items():
            yield basis.sample_time + state.instruments[instrument].basis_interval

    # events

    def _fed(self, event: Quote | Trade) -> Input:
        """The event; nearly every quote with a sequence above all before it."""
        if isinstance(event, Quote) and self._market.chance(0.97):
            self._sequence += 1 + self._length(50)
            event = replace(event, sequence=self._sequence)
        return super()._fed(event)

    def _edge_quote(self) -> Quote:
        market = self._market
        quote = market.quote()
        instrument, venue = quote.instrument, quote.venue
        shifts = market.shifts[instrument, venue]
        bid, ask = self._edge_prices(instrument, venue)
        bid_quantity, ask_quantity = self._edge_quantities(instrument)
        return replace(
            quote,
            bid_price=bid // 10 ** shifts[0],
            ask_price=max(bid // 10 ** shifts[0] + 1, ask // 10 ** shifts[0]),
            bid_quantity=max(1, bid_quantity // 10 ** shifts[1]),
            ask_quantity=max(1, ask_quantity // 10 ** shifts[1]),
        )

    def _edge_prices(self, instrument: int, venue: int) -> tuple[int, int]:
        """Bid and ask beside those that make one of the conditions with another venue true."""
        market, state = self._market, self._state
        row, bits = state.instruments[instrument], self._sizes.price_bits
        others = [w for w in range(self._sizes.venues) if w != venue and state.quotes[instrument][w].valid]
        spread = 1 + (self._length(bits - 2) if market.chance(0.5) else abs(self._beside(row.maximum_spread, bits - 2)))
        draw = market.one_of(_DRAWS[self._kind])
        if not others or draw == 0:
            bid = self._price(self._length(bits))
            return bid, self._price(bid + spread)
        other = market.one_of(tuple(others))
        theirs = state.quotes[instrument][other]
        fees = state.venues[venue].fee + state.venues[other].fee
        if draw == 1:
            bid = self._price(theirs.ask_price + cost(theirs.ask_price, fees) + self._edge(row.minimum_edge))
            return bid, self._price(bid + spread)
        if draw == 2:
            ask = self._price(theirs.bid_price - cost(theirs.bid_price, fees) - self._edge(row.minimum_edge))
            return self._price(ask - spread), ask
        if draw == 3:
            price = self._beside(market.one_of((row.price_low, row.price_high)), bits // 2)
            return self._price(price), self._price(price + spread)
        if draw == 5:
            # two venues with nearly the same quote are nearly the same choice for a third
            bid, ask = (self._price(self._beside(price, bits // 2)) for price in (theirs.bid_price, theirs.ask_price))
            return bid, max(bid + 1, ask)
        first, second = min(venue, other), max(venue, other)
        mean = state.basis[instrument, first, second].value >> _BASIS_BITS
        wanted = mean + market.one_of((-1, 1)) * self._edge(row.basis_threshold)
        doubled = theirs.bid_price + theirs.ask_price + (wanted if venue == first else -wanted)
        bid = self._price((doubled - spread) // 2)
        return bid, self._price(doubled - bid)

    def _edge(self, threshold: int) -> int:
        return self._beside(threshold, self._sizes.price_bits)

    def _edge_quantities(self, instrument: int) -> tuple[int, int]:
        """Quantities beside the row's limits, the room that is left, or a share of each other."""
        market, row = self._market, self._state.instruments[instrument]
        bits = self._sizes.price_bits
        one = 1 + self._length(bits)
        draw = market.below(4)
        if draw == 0:
            one = self._beside(market.one_of((row.minimum_quantity, row.maximum_quantity)), bits // 2)
        elif draw == 1:
            one = self._beside(self._room(instrument), bits // 2)
        one = max(1, one)
        other = 1 + self._length(bits)
        if market.chance(0.5):
            threshold = row.imbalance_threshold
            other = max(1, self._beside(one * (32_768 - threshold) // (32_768 + threshold), bits // 2))
        return (one, other) if market.chance(0.5) else (other, one)

    def _room(self, instrument: int) -> int:
        limit, holding = self._state.instruments[instrument].position_limit, self._some_holding(instrument)
        if self._market.chance(0.5):
            return limit - holding.position - holding.pending_buy
        return limit + holding.position - holding.pending_sell

    def _some_holding(self, instrument: int) -> Holding:
        return self._state.holdings[instrument][self._market.below(self._sizes.venues)]

    def _edge_trade(self) -> Trade:
        instrument, venue = self._market.some_pair()
        exponents = self._market.exponents[instrument, venue]
        price, quantity = self._length(self._sizes.price_bits), self._length(self._sizes.price_bits + 2)
        return Trade(instrument, venue, *exponents, self._market.below(3), price, quantity)

    # control

    def _some_limits(self) -> Control:
        """A row of limits of any length, a position, or part of a settlement."""
        market = self._market
        makes = (
            self._edge_instrument_row,
            self._edge_instrument_row,
            self._edge_venue_row,
            self._edge_engine_row,
            self._edge_position,
            self._edge_position,
            self._edge_settle,
            self._edge_settle,
            self._heartbeat,
        )
        return market.one_of(makes)()

    def _edge_venue_row(self) -> Control:
        return self._message(
            "VenueRow",
            venue=self._market.below(self._sizes.venues),
            enabled=int(not self._market.chance(_MISSES)),
            fee=self._market.one_of((-1, 1)) * self._length(13),
            maximumAge=self._patience(),
            maximumSilence=self._patience(),
        )

    def _patience(self) -> int:
        """Mostly long: what is never usable decides nothing."""
        return self._length(_DURATION_BITS) >> self._market.below(8) if self._market.chance(0.4) else (1 << 56) - 1

    def _edge_engine_row(self) -> Control:
        interval = 2_048 + self._length(30 if self._market.chance(0.8) else 50)
        tolerance = min(62 * interval, self._length(interval.bit_length() + 6))
        return Control("EngineRow", {"rateInterval": interval, "rateTolerance": tolerance, "lease": self._lease()})

    def _lease(self) -> int:
        return (1 << 40) + self._length(_DURATION_BITS - 1)

    def _edge_instrument_row(self) -> Control:
        market, state, bits, top = self._market, self._state, self._sizes.price_bits, self._sizes.top
        low = 0 if market.chance(0.5) else self._length(bits - 1)
        high = top if market.chance(0.6) else self._length(bits)
        maximum = max(1, self._length(bits))
        notional = high * maximum + (self._length(90) if market.chance(0.5) else 0)
        return self._message(
            "InstrumentRow",
            instrument=market.some_pair()[0],
            enabled=int(not market.chance(_MISSES)),
            kinds=market.one_of((7, 7, 7, 1, 2, 4)) if self._kind is None else self._kind.mask,
            basisShift=market.below(17),
            imbalanceThreshold=1 + self._length(15) % 32_767,
            minimumEdge=market.one_of((-1, 1)) * self._length(bits),
            basisThreshold=1 + self._length(bits),
            basisInterval=self._length(40 if self._kind is None else 12),
            maximumSpread=self._length(bits),
            minimumQuantity=1 + market.below_any(min(maximum, 1 << market.below(bits))),
            maximumQuantity=maximum,
            priceLow=low,
            priceHigh=high,
            maximumNotionalLow=notional & ((1 << 64) - 1),
            maximumNotionalHigh=notional >> 64,
            basisWarmUp=market.one_of((0, 1, 1, 2, self._samples_beside(state.basis.values()))),
            cooldown=self._length(market.one_of((1, 20, _DURATION_BITS - 6))),
            positionLimit=self._length(bits) if market.chance(0.5) else top,
            leads=[{"mask": market.below(1 << self._sizes.venues)} for _ in range(self._sizes.venues)]
            if market.chance(0.2)
            else [{"mask": 0}] * self._sizes.venues,
        )

    def _samples_beside(self, bases: Iterable[Basis]) -> int:
        """A number of samples beside one that there is."""
        known = [basis.samples for basis in bases]
        wanted = self._beside(self._market.one_of(tuple(known)), _SAMPLE_BITS) if known else 1
        return max(0, min((1 << _SAMPLE_BITS) - 1, wanted))

    def _edge_position(self) -> Control:
        instrument, venue = self._market.some_pair()
        bits = self._sizes.price_bits
        return self._message(
            "SetPosition",
            lastId=self._state.last_id,
            instrument=instrument,
            venue=venue,
            position=self._market.one_of((-1, 1)) * self._length(bits),
            pendingBuy=self._length(bits),
            pendingSell=self._length(bits),
        )

    def _edge_settle(self) -> Control:
        """All of a pending, more or less, and of that all, more or less."""
        instrument, venue = self._market.some_pair()
        holding = self._state.holdings[instrument][venue]
        side = self._market.one_of((Side.BUY, Side.SELL))
        pending = holding.pending_buy if side is Side.BUY else holding.pending_sell
        released = self._beside(pending, self._sizes.price_bits) if self._market.chance(0.7) else self._length(50)
        filled = self._beside(released, self._sizes.price_bits) if self._market.chance(0.5) else self._length(50)
        if self._market.chance(0.6):
            released = max(0, min(pending, released))
            filled = max(0, min(released, filled))
        fields = {"instrument": instrument, "venue": venue, "side": int(side), "released": released, "filled": filled}
        return Control("Settle", fields)

    def _armed_anew(self) -> Iterator[Control]:
        """Kill, loads of any length, and armed again."""
        yield Control("Kill", {})
        for _ in range(self._market.below(4)):
            yield self._edge_basis()
        if self._market.chance(0.3):
            identity = self._market.below_any(1 << 64)
            yield Control("LoadIdentity", {"id": identity, "parity": self._market.below(1 << 32)})
        if self._market.chance(0.2):
            yield Control("Hello", {"sequence": self._market.below_any(1 << 63), "epoch": self._market.below(1 << 32)})
        yield self._edge_engine_row()
        yield Control("Heartbeat", {})
        yield Control("Rearm", {"statusNumber": self._state.status_number})

    def _edge_basis(self) -> Control:
        first = self._market.below(max(1, self._sizes.venues - 1))
        sampled = self._state.time - self._length(_DURATION_BITS)
        fields: dict[str, Any] = {
            "instrument": self._market.some_pair()[0],
            "firstVenue": first,
            "secondVenue": first + 1 + self._market.below(max(1, self._sizes.venues - 1 - first)),
            "samples": self._market.one_of((0, 1, self._length(_SAMPLE_BITS), 65_534, 65_535)),
            "basis": self._market.one_of((-1, 1)) * self._length(self._sizes.price_bits + _BASIS_BITS),
            "sampleTime": max(0, min(LATEST, self._beside(sampled, 40))),
        }
        return Control("LoadBasis", fields)
