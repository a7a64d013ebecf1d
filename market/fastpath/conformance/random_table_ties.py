"""Ties of times, of numbers that messages must name, and of what a table may hold (see ``random_ties``)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Final

from market.fastpath.conformance.case import Control, Input, Quote
from market.fastpath.conformance.random_condition_ties import ConditionTieHost
from market.fastpath.conformance.random_ties import LEASE_NS, LONG_NS, Cast
from market.fastpath.specification import FEE_LIMIT, Kind, Side

_LATEST_NS: Final = 1 << 61
"""Long waits end here: time must not come to its end."""
_NUMBER_BITS: Final = 64


class TableTieHost(ConditionTieHost):
    """All rounds of its base, and those of times and tables."""

    def _rounds(self) -> tuple[Callable[[], Iterator[Input]], ...]:
        rounds = (self._cooldown, self._rate, self._lease_ends, self._status, self._settled, self._named)
        tables = (self._limits, self._limits, self._notional, self._order_of_quantities)
        return (*super()._rounds(), *rounds, *tables, *((self._age, self._silence) if self._sizes.venues > 1 else ()))

    # times

    def _duration(self) -> int:
        """Mostly short; time has an end."""
        long = self._market.chance(0.3) and self._state.time < _LATEST_NS
        return self._number(52) if long else self._length(24)

    def _crossing(self, cast: Cast) -> tuple[Quote, Quote, Quote]:
        """A quote of the other venue, one of the first that can be sold to it, and one that cannot be."""
        theirs = self._some_quote(cast.instrument, cast.other)
        bid = self._among(theirs.bid_price >> 1, 1, theirs.bid_price)
        below = self._some_quote(cast.instrument, cast.venue, bid_price=bid, ask_price=bid + 1)
        theirs = replace(theirs, bid_price=bid + 1, ask_price=max(bid + 2, theirs.ask_price))
        above = self._some_quote(cast.instrument, cast.venue)
        above = replace(above, bid_price=theirs.ask_price, ask_price=theirs.ask_price + 1)
        below = replace(below, bid_price=bid, ask_price=bid + 2)
        return theirs, above, replace(below, sequence=above.sequence + 1)

    def _free_arbitrage(self, cast: Cast, **changes: int) -> Iterator[Input]:
        """No fees, an arbitrage from equal prices on."""
        yield from self._forgotten(cast)
        for venue in {cast.venue, cast.other}:
            yield self._sequenced(self._venue(venue))
        yield self._row(cast.instrument, Kind.ARB, {"minimumEdge": 0, **changes})

    def _again(self, quote: Quote) -> Input:
        """The quote with a sequence above all before it."""
        self._sequence += 3
        return self._given(replace(quote, sequence=self._sequence))

    def _fired(self, cast: Cast, times: int) -> Iterator[Input]:
        """A trigger, so many times."""
        _, quote, flat = self._pair(cast)
        for _ in range(times):
            yield self._again(quote)
            yield self._again(flat)

    def _pair(self, cast: Cast) -> tuple[None, Quote, Quote]:
        """A quote with a condition that holds, and one without; alone, they are of IMBALANCE."""
        quote = self._some_quote(cast.instrument, cast.venue, bid_quantity=9, ask_quantity=1)
        return None, quote, replace(quote, bid_quantity=1, ask_quantity=1)

    def _one_sided(self, cast: Cast, **changes: int) -> Iterator[Input]:
        yield from self._forgotten(cast)
        yield self._row(cast.instrument, Kind.IMBALANCE, changes)

    def _cooldown(self) -> Iterator[Input]:
        """A rise when the cooldown is just over, or just not."""
        cast = self._cast()
        yield from self._one_sided(cast, cooldown=self._duration())
        yield from self._fired(cast, 1)
        self._at = self._state.cooldown_until[cast.instrument] - self._market.below(2)
        yield from self._fired(cast, 1)

    def _rate(self) -> Iterator[Input]:
        """A rise when the rate just allows one, or just not."""
        cast, market = self._cast(), self._market
        yield from self._one_sided(cast)
        interval = 2_048 + self._length(40 if market.chance(0.2) else 20)
        tolerance = self._among(self._length(interval.bit_length() + 3), 0, 6 * interval)
        row = {"rateInterval": interval, "rateTolerance": tolerance, "lease": LEASE_NS}
        yield self._sequenced(Control("EngineRow", row))
        for _ in range(3):
            self._at = self._state.rate_at - tolerance - market.below(2)
            yield from self._fired(cast, 1)
        yield self._sequenced(self._engine())
        self._at = self._state.rate_at

    def _lease_ends(self) -> Iterator[Input]:
        """A rise in the last nanosecond of the lease, or behind it."""
        cast = self._cast()
        yield from self._one_sided(cast)
        lease = self._duration()
        yield self._sequenced(Control("EngineRow", {"rateInterval": 2_048, "rateTolerance": 99_999, "lease": lease}))
        yield self._sequenced(Control("Heartbeat", {}))
        self._at = self._state.lease_until + self._market.below(2)
        yield from self._fired(cast, 1)
        yield self._sequenced(self._engine())
        yield self._sequenced(Control("Heartbeat", {}))

    def _status(self) -> Iterator[Input]:
        """An event when a status is just due, or just not."""
        pair = self._market.some_pair()
        for _ in range(3):
            self._at = self._state.next_status - self._market.below(2)
            yield self._given(self._some_quote(*pair))

    def _age(self) -> Iterator[Input]:
        """The other venue's quote is as old as it may be, or older by a nanosecond."""
        yield from self._waited("maximumAge")

    def _silence(self) -> Iterator[Input]:
        """The other venue was last heard as long ago as may be, or a nanosecond longer."""
        yield from self._waited("maximumSilence")

    def _waited(self, field: str) -> Iterator[Input]:
        cast = self._cast()
        theirs, crossing, flat = self._crossing(cast)
        yield from self._free_arbitrage(cast)
        longest = self._duration()
        yield self._sequenced(self._venue(cast.other, **{field: longest}))
        yield self._again(theirs)
        since = self._state.seen[cast.other]
        yield self._again(crossing)
        yield self._again(flat)
        self._at = since + longest + self._market.below(2)
        yield self._again(crossing)
        yield self._sequenced(self._venue(cast.other))

    # holdings and names

    def _settled(self) -> Iterator[Input]:
        """What is released meets what is pending, what is filled meets what is released."""
        instrument, venue = self._market.some_pair()
        yield self._position(instrument, venue, *(self._number(self._sizes.price_bits - 1) for _ in range(3)))
        for side in (Side.BUY, Side.SELL):
            holding = self._state.holdings[instrument][venue]
            pending = holding.pending_buy if side is Side.BUY else holding.pending_sell
            released = pending + self._market.below(2) if self._market.chance(0.6) else self._length(48)
            filled = released + self._market.below(2) if self._market.chance(0.6) else self._length(48)
            if self._market.chance(0.2):
                filled = -1 << self._market.below(_NUMBER_BITS)
            fields = {"instrument": instrument, "venue": venue, "side": int(side)}
            yield self._sequenced(Control("Settle", fields | {"released": released, "filled": filled}))

    def _named(self) -> Iterator[Input]:
        """A message names an id, a status or a sequence number that differs in one bit."""
        market, bit = self._market, 1 << self._market.below(_NUMBER_BITS)
        instrument, venue = market.some_pair()
        fields = {"instrument": instrument, "venue": venue, "position": 0, "pendingBuy": 0, "pendingSell": 0}
        yield self._sequenced(Control("SetPosition", {"lastId": self._state.last_id ^ bit, **fields}))
        yield self._sequenced(Control("Kill", {}))
        yield self._sequenced(Control("Rearm", {"statusNumber": self._state.status_number ^ bit}))
        yield Control("StatusRequest", {"sequence": self._state.expected_sequence ^ bit})
        yield Control("StatusRequest", {"sequence": self._state.last_sequence})
        if market.chance(0.3):
            yield Control("Hello", {"sequence": market.below_any(1 << 64), "epoch": market.below(1 << 32)})

    # tables

    def _limits(self) -> Iterator[Input]:
        """Fields with the largest and the least numbers that they may have, and those next to them."""
        market, top = self._market, self._sizes.top
        duration, edge = (0, LONG_NS), 4 * top + 3
        instrument, venue = market.some_pair()
        price_fields = ("maximumSpread", "minimumQuantity", "maximumQuantity", "priceLow", "priceHigh", "positionLimit")
        rows: dict[str, dict[str, tuple[int, int]]] = {
            "EngineRow": {"rateInterval": (2_048, LONG_NS), "rateTolerance": (0, 0), "lease": duration},
            "VenueRow": {"fee": (1 - FEE_LIMIT, FEE_LIMIT - 1), "maximumAge": duration, "maximumSilence": duration},
            "InstrumentRow": dict.fromkeys(price_fields, (0, top))
            | {"basisInterval": duration, "cooldown": duration, "imbalanceThreshold": (1, 32_767)}
            | {"minimumEdge": (-edge, edge), "basisThreshold": (1, edge), "basisShift": (0, 16), "kinds": (0, 7)},
            "SetPosition": {"position": (-top, top), "pendingBuy": (0, top), "pendingSell": (0, top)},
            "LoadBasis": {"basis": (1 - (1 << self._sizes.price_bits + 13), (1 << self._sizes.price_bits + 13) - 1)}
            | {"sampleTime": (0, (1 << 62) - 1)},
        }
        message = market.one_of(tuple(rows))
        field = market.one_of(tuple(rows[message]))
        low, high = rows[message][field]
        interval = 2_048 + self._length(40)
        value = market.one_of((low, high, low - 1, high + 1, high + 1 + self._length(40), low - 1 - self._length(40)))
        fields = self._usual(message, instrument, venue, interval)
        if field == "rateTolerance":
            value = 62 * interval + market.one_of((0, 1))
        narrow = {"fee": (-(1 << 31), (1 << 31) - 1), "imbalanceThreshold": (0, 65_535)}
        narrow |= {"basisShift": (0, 255), "kinds": (0, 255)}
        least, most = narrow.get(field, (-(1 << 63), (1 << 63) - 1))
        yield self._sequenced(Control(message, fields | {field: self._among(value, least, most)}))
        yield self._sequenced(self._engine())
        yield self._sequenced(self._venue(venue))

    def _usual(self, message: str, instrument: int, venue: int, interval: int) -> dict[str, Any]:
        """A message of the name with fields that are in range."""
        row = self._row(instrument, Kind.ARB, {})
        if message == "EngineRow":
            return {"rateInterval": interval, "rateTolerance": 0, "lease": LEASE_NS}
        if message == "VenueRow":
            return dict(self._venue(venue).fields)
        if message == "InstrumentRow" and isinstance(row, Control):
            return dict(row.fields)
        if message == "SetPosition":
            fields = {"position": 0, "pendingBuy": 0, "pendingSell": 0, "lastId": self._state.last_id}
            return fields | {"instrument": instrument, "venue": venue}
        fields = {"instrument": instrument, "firstVenue": 0, "secondVenue": min(1, self._sizes.venues - 1)}
        return fields | {"samples": 1, "basis": 0, "sampleTime": 0}

    def _notional(self) -> Iterator[Input]:
        """The largest notional is the product of the highest price and the largest quantity, or less by one."""
        bits = self._sizes.price_bits
        price, quantity = 1 + self._number(bits - 1), 1 + self._number(bits - 1)
        notional = max(0, price * quantity - self._miss())
        changes = {"priceHigh": price, "maximumQuantity": quantity}
        changes |= {"maximumNotionalLow": notional & (1 << 64) - 1, "maximumNotionalHigh": notional >> 64}
        yield self._row(self._market.some_pair()[0], Kind.ARB, changes)

    def _order_of_quantities(self) -> Iterator[Input]:
        """The least quantity is the largest one, or more by one."""
        least = 1 + self._number(self._sizes.price_bits - 1)
        most = self._among(least - self._miss(), 0, self._sizes.top)
        changes = {"minimumQuantity": least, "maximumQuantity": most}
        yield self._row(self._market.some_pair()[0], Kind.ARB, changes)
