"""A random host that puts one comparison after the other onto its edge, with numbers of every length on both sides.

A bit that is wrong in a comparison of long numbers shows only where the numbers are equal, or next to each other, and
where what depends on them decides. So a round forgets all quotes, draws some, works out what a limit must be for
the two sides to meet, writes the row, and lets the event follow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Final, NamedTuple

from market.fastpath.conformance.case import Control, Input, Quote, Trade
from market.fastpath.conformance.market_model import POWERS_OF_TEN
from market.fastpath.conformance.random_edges import EdgeHost
from market.fastpath.conformance.random_host import RandomHost
from market.fastpath.reference import ReferenceEngine
from market.fastpath.reference.state import Holding
from market.fastpath.specification import FEE_LIMIT, NO_VENUE, Kind

_PAUSE_NS: Final = 8_192
LONG_NS: Final = (1 << 56) - 1
LEASE_NS: Final = 1 << 55
"""What keeps the lease from ending unless a round wants it to."""
_LEASE_LEFT_NS: Final = 1 << 53
_RATE_NS: Final = 2_048


class Cast(NamedTuple):
    """Who plays in a round: an instrument, the venue that moves, and the others, the first of which matters."""

    instrument: int
    venue: int
    others: tuple[int, ...]

    @property
    def other(self) -> int:
        """The venue that matters."""
        return self.others[0]


class TieHost(EdgeHost):
    """As its base from outside; inputs come in rounds, drawn by the seed."""

    def __init__(self, engine: ReferenceEngine, seed: int, with_frames: bool) -> None:
        super().__init__(engine, seed, with_frames)
        self._at: int | None = None
        self._inputs = self._all()

    def next_input(self) -> tuple[int, Input]:
        """The next input and its time."""
        given = next(self._inputs)
        at, self._at = self._at, None
        later = self._now + 1 + self._market.below(_PAUSE_NS)
        self._now = later if at is None else max(self._now, at)
        return self._now, given

    def _all(self) -> Iterator[Input]:
        for control in self._opening():
            yield self._sequenced(control)
        while True:
            yield from self._armed()
            yield from self._market.one_of(self._rounds())()

    def _rounds(self) -> tuple[Callable[[], Iterator[Input]], ...]:
        """What a round may be; each as likely."""
        return (self._admission,)

    def _opening(self) -> Iterator[Control]:
        yield Control("Hello", {"sequence": self._market.below_any(1 << 64), "epoch": self._market.below(1 << 32)})
        yield self._engine()
        for venue in range(self._sizes.venues):
            yield self._venue(venue)
            for instrument in range(self._sizes.instruments):
                yield self._scaling((instrument, venue), (0, 0))
        if self._frames is not None:
            yield from self._frames.channel_rows()

    def _armed(self) -> Iterator[Input]:
        if self._state.lease_until < self._now + _LEASE_LEFT_NS:
            yield self._sequenced(self._engine())
            yield self._sequenced(Control("Heartbeat", {}))
        if self._state.killed:
            if self._market.chance(0.3):
                identity = {"id": self._market.below_any(1 << 64), "parity": self._market.below(1 << 32)}
                yield self._sequenced(Control("LoadIdentity", identity))
            yield self._sequenced(Control("Rearm", {"statusNumber": self._state.status_number}))

    # tables that stand in nobody's way

    def _engine(self) -> Control:
        return Control("EngineRow", {"rateInterval": _RATE_NS, "rateTolerance": 62 * _RATE_NS, "lease": LEASE_NS})

    def _venue(self, venue: int, **changes: int) -> Control:
        fields = {"venue": venue, "enabled": 1, "fee": 0, "maximumAge": LONG_NS, "maximumSilence": LONG_NS}
        return Control("VenueRow", fields | changes)

    def _scaling(self, pair: tuple[int, int], shifts: tuple[int, int]) -> Control:
        self._market.shifts[pair] = shifts
        return super()._scaling_row(pair)

    def _row(self, instrument: int, kind: Kind, changes: dict[str, int], leads: tuple[int, ...] = ()) -> Input:
        """A row that lets the kind pass, but for the changes."""
        top = self._sizes.top
        fields: dict[str, Any] = {
            "instrument": instrument,
            "enabled": 1,
            "kinds": kind.mask,
            "basisShift": self._market.below(17),
            "imbalanceThreshold": 1,
            "minimumEdge": -(4 * top + 3),
            "basisThreshold": 1,
            "basisInterval": LONG_NS,
            "maximumSpread": top,
            "minimumQuantity": 1,
            "maximumQuantity": top,
            "priceLow": 0,
            "priceHigh": top,
            "maximumNotionalLow": (1 << 64) - 1,
            "maximumNotionalHigh": (1 << 32) - 1,
            "basisWarmUp": 0,
            "cooldown": 0,
            "positionLimit": top,
            "leads": [{"mask": leads[venue] if leads else 0} for venue in range(self._sizes.venues)],
        }
        return self._sequenced(Control("InstrumentRow", fields | changes))

    # numbers

    def _number(self, bits: int) -> int:
        """Any number of so many bits, or of fewer."""
        return self._market.below_any(1 << bits) if self._market.chance(0.5) else self._length(bits)

    def _signed(self, bits: int) -> int:
        return self._market.one_of((-1, 1)) * self._number(bits)

    def _miss(self) -> int:
        """How far a limit lies above what it is compared with: nothing or one, else little, or a power of two."""
        draw = self._market.below(10)
        if draw < 8:
            return draw % 2
        return -1 if draw == 8 else self._market.one_of((-1, 1)) << self._market.below(self._sizes.price_bits)

    def _among(self, number: int, least: int, most: int) -> int:
        return max(least, min(most, number))

    # quotes

    def _cast(self) -> Cast:
        instrument, venue = self._market.some_pair()
        others = [other for other in range(self._sizes.venues) if other != venue]
        self._shuffle(others)
        return Cast(instrument, venue, tuple(others) or (venue,))

    def _shuffle(self, numbers: list[int]) -> None:
        for last in range(len(numbers) - 1, 0, -1):
            at = self._market.below(last + 1)
            numbers[at], numbers[last] = numbers[last], numbers[at]

    def _some_quote(self, instrument: int, venue: int, **changes: int) -> Quote:
        """Prices and quantities of any length, and a sequence above all before it."""
        top, bits = self._sizes.top, self._sizes.price_bits
        self._sequence += 1 + self._length(40)
        bid = self._among(self._number(bits), 1, top - 1)
        ask = self._among(bid + 1 + self._number(bits - 1), bid + 1, top)
        numbers = self._sequence, bid, 1 + self._number(bits - 1), ask, 1 + self._number(bits - 1)
        return replace(Quote(instrument, venue, *self._market.exponents[instrument, venue], *numbers), **changes)

    def _given(self, quote: Quote) -> Input:
        """The quote as it is, in a frame or not."""
        return RandomHost._fed(self, quote)

    def _forgotten(self, cast: Cast) -> Iterator[Input]:
        """No quote, no bit, no basis, and all the room that there can be for two venues; some fees."""
        yield self._sequenced(Control("Reset", {"venue": NO_VENUE}))
        for venue in (cast.venue, cast.other):
            if self._state.holdings[cast.instrument][venue] != Holding():
                yield self._position(cast.instrument, venue, 0, 0, 0)
            if self._market.chance(0.2):
                fee = self._among(self._signed(16), 1 - FEE_LIMIT, FEE_LIMIT - 1) if self._market.chance(0.7) else 0
                yield self._sequenced(self._venue(venue, fee=fee))

    def _position(self, instrument: int, venue: int, position: int, buy: int, sell: int) -> Input:
        fields = {"lastId": self._state.last_id, "instrument": instrument, "venue": venue, "position": position}
        return self._sequenced(Control("SetPosition", fields | {"pendingBuy": buy, "pendingSell": sell}))

    def _fees(self, cast: Cast, other: int) -> int:
        return self._state.venues[cast.venue].fee + self._state.venues[other].fee

    # admission

    def _admission(self) -> Iterator[Input]:
        """Mantissas next to the largest one, prices next to each other, sequences next to the last one."""
        market = self._market
        pair = market.some_pair()
        shifts = market.below(4), market.below(4)
        if market.chance(0.7):
            yield self._sequenced(self._scaling(pair, shifts))
        for _ in range(4):
            yield self._given(self._some_admission(pair))
            yield RandomHost._fed(self, self._some_deal(pair))
        yield self._sequenced(self._scaling(pair, (0, 0)))

    def _top(self, shift: int) -> int:
        return self._sizes.top // POWERS_OF_TEN[shift]

    def _near_top(self, shift: int) -> int:
        """A mantissa next to the largest one, or with one bit, or of any length."""
        market = self._market
        if market.chance(0.4):
            return self._top(shift) + market.below(3) - 1
        if market.chance(0.5):
            return (1 << market.below(63)) - market.below(2)
        return self._number(self._sizes.price_bits - 3 * shift)

    def _some_admission(self, pair: tuple[int, int]) -> Quote:
        """A quote with one or two fields next to what they are compared with."""
        market, (instrument, venue) = self._market, pair
        price_shift, quantity_shift = market.shifts[pair]
        top = self._top(price_shift)
        bid = self._among(self._number(self._sizes.price_bits - 3 * price_shift), 1, top - 1)
        ask = self._among(bid + market.one_of((1, 1, self._number(self._sizes.price_bits))), bid + 1, top)
        quantity, other = (1 + self._number(self._sizes.price_bits - 4 * quantity_shift - 1) for _ in range(2))
        quote = self._some_quote(*pair, bid_price=bid, ask_price=ask, bid_quantity=quantity, ask_quantity=other)
        stored = self._state.quotes[instrument][venue].sequence
        sequence = quote.sequence if stored is None else stored ^ 1 << market.below(63)
        changes: tuple[dict[str, int], ...] = (
            {"ask_price": self._near_top(price_shift)},
            {"bid_price": self._near_top(price_shift), "ask_price": top},
            {"bid_quantity": self._near_top(quantity_shift)},
            {"ask_quantity": self._near_top(quantity_shift)},
            {"ask_price": bid + market.below(2)},
            {"ask_price": bid ^ 1 << market.below(48)},
            {"bid_quantity": market.below(2), "ask_quantity": market.below(2)},
            {"bid_quantity": -1 << market.below(64)},
            {"sequence": quote.sequence if stored is None else stored + market.below(2)},
            {"sequence": sequence},
            {"price_exponent": _with_a_bit_changed(quote.price_exponent, market.below(8))},
            {"quantity_exponent": _with_a_bit_changed(quote.quantity_exponent, market.below(8))},
            {"instrument": instrument | 1 << market.below(16)},
            {"venue": venue | 1 << market.below(8)},
        )
        return replace(quote, **market.one_of(changes))

    def _some_deal(self, pair: tuple[int, int]) -> Trade:
        """A trade with a price or a quantity next to the largest one, or of one bit, or any."""
        market = self._market
        price_shift, quantity_shift = market.shifts[pair]
        price = self._near_top(price_shift) if market.chance(0.3) else 1 + market.below_any(self._top(price_shift))
        trade = Trade(*pair, *market.exponents[pair], market.below(3), price, self._near_top(quantity_shift))
        changes: tuple[dict[str, int], ...] = (
            {},
            {"quantity": -1 << market.below(64)},
            {"price": -1 << market.below(64)},
            {"price_exponent": _with_a_bit_changed(trade.price_exponent, market.below(8))},
            {"quantity_exponent": _with_a_bit_changed(trade.quantity_exponent, market.below(8))},
            {"instrument": trade.instrument | 1 << market.below(16)},
            {"venue": trade.venue | 1 << market.below(8)},
        )
        return replace(trade, **market.one_of(changes if market.chance(0.3) else changes[:1]))


def _with_a_bit_changed(number: int, bit: int) -> int:
    """A signed number of eight bits with one of them the other way round."""
    return (number % 256 ^ 1 << bit) - 256 * ((number % 256 ^ 1 << bit) >> 7)
