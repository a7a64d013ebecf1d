"""Random markets: venues that quote near each other, so that every kind of condition rises and falls often."""

from __future__ import annotations

from typing import TypeVar

import numpy as np

from market.fastpath.conformance.case import Quote, Trade
from market.fastpath.specification import EngineSizes

T = TypeVar("T")
LOWEST, HIGHEST = -(1 << 63), (1 << 63) - 1
POWERS_OF_TEN = (1, 10, 100, 1_000)
EXPONENTS = (-9, -8)


class MarketModel:
    """Random walks of every instrument, each venue with an offset of its own that wanders, too.

    Attributes
    ----------
    steps: per instrument, the price step that moves, spreads and thresholds are counted in.
    shifts: per (instrument, venue), k of price and quantity; ``exponents`` what its messages must carry.
    """

    def __init__(self, rng: np.random.Generator, sizes: EngineSizes) -> None:
        self._rng, self._sizes = rng, sizes
        top = sizes.top // 4
        self.mids = [int(rng.integers(top // 64, top)) for _ in range(sizes.instruments)]
        self.steps = [max(1_000, mid >> 14) // 1_000 * 1_000 for mid in self.mids]
        pairs = [(i, v) for i in range(sizes.instruments) for v in range(sizes.venues)]
        self.shifts = {pair: (self.below(4), self.below(4)) for pair in pairs}
        self.exponents = {pair: (self.one_of(EXPONENTS), self.one_of(EXPONENTS)) for pair in pairs}
        self._offsets = dict.fromkeys(pairs, 0)
        self._sequences = dict.fromkeys(pairs, 0)
        self._last: dict[tuple[int, int], Quote] = {}

    def below(self, limit: int) -> int:
        """A number of 0..limit - 1."""
        return int(self._rng.integers(limit))

    def below_any(self, limit: int) -> int:
        """A number of 0..limit - 1 for limits of any size; a little less even than ``below``."""
        return int.from_bytes(self._rng.bytes((limit.bit_length() + 71) // 8), "little") % limit

    def octets(self, count: int) -> bytes:
        """Random bytes."""
        return self._rng.bytes(count)

    def chance(self, probability: float) -> bool:
        """True with the probability."""
        return bool(self._rng.random() < probability)

    def one_of(self, choices: tuple[T, ...]) -> T:
        """One of the choices, each as likely."""
        return choices[self.below(len(choices))]

    def some_pair(self) -> tuple[int, int]:
        """An instrument and a venue of the build; the first instruments are busier."""
        return min(self.below(self._sizes.instruments), self.below(self._sizes.instruments)), self.below(
            self._sizes.venues
        )

    def quote(self) -> Quote:
        """A good quote of some venue, near the others' or a jump away; sometimes its last one once more."""
        pair = self.some_pair()
        self._sequences[pair] += 1 + self.below(3)
        if pair in self._last and self.chance(0.1):
            last = self._last[pair]
            return Quote(**{**vars(last), "sequence": self._sequences[pair]})
        instrument, venue = pair
        step = self.steps[instrument]
        self.mids[instrument] = self._kept_inside(self.mids[instrument] + (self.below(5) - 2) * step // 2)
        offset = self._offsets[pair] + (self.below(7) - 3) * step // 2
        self._offsets[pair] = 0 if self.chance(0.02) else max(-40 * step, min(40 * step, offset))
        jump = self.one_of((-1, 1)) * self.below(60) * step if self.chance(0.08) else 0
        bid = max(1_000, self.mids[instrument] + self._offsets[pair] + jump + self.below(1_000))
        spread = 1_000 + self.below(4) * step + self.below(1_000)
        scale = POWERS_OF_TEN[self.shifts[pair][0]]
        bid_mantissa = bid // scale
        quote = Quote(
            instrument,
            venue,
            *self.exponents[pair],
            self._sequences[pair],
            bid_mantissa,
            self.quantity(),
            max(bid_mantissa + 1, (bid + spread) // scale),
            self.quantity(),
        )
        self._last[pair] = quote
        return quote

    def quantity(self) -> int:
        """A quantity's mantissa: one digit to five, all as likely."""
        return 1 + self.below(int(10 ** self.below(6)))

    def bad_quote(self) -> Quote:
        """A quote that is spoiled in one to three places; some are still good."""
        quote = self.quote()
        top = self._sizes.top // POWERS_OF_TEN[self.shifts[quote.instrument, quote.venue][0]]
        spoilers: tuple[dict[str, int], ...] = (
            {"instrument": self.one_of((self._sizes.instruments, 65_535))},
            {"venue": self.one_of((self._sizes.venues, 255))},
            {"price_exponent": self.one_of((-128, 0, 127))},
            {"quantity_exponent": self.one_of((-128, 0, 127))},
            {"sequence": self.one_of((quote.sequence - 5, 0, -1, LOWEST))},
            {"bid_price": self.one_of((0, -1, top, top + 1, LOWEST, HIGHEST))},
            {"ask_price": self.one_of((0, 1, top, top + 1, LOWEST, HIGHEST))},
            {"bid_quantity": self.one_of((0, -1, LOWEST, HIGHEST, self._sizes.top, self._sizes.top + 1))},
            {"ask_quantity": self.one_of((0, -1, LOWEST, HIGHEST, self._sizes.top, self._sizes.top + 1))},
            {"ask_price": quote.bid_price},
        )
        changed = dict(vars(quote))
        for _ in range(1 + self.below(3)):
            changed |= self.one_of(spoilers)
        return Quote(**changed)

    def trade(self) -> Trade:
        """A trade, sometimes a bad one."""
        pair = self.some_pair()
        price = self.mids[pair[0]] // POWERS_OF_TEN[self.shifts[pair][0]]
        trade = Trade(*pair, *self.exponents[pair], self.below(3), price, self.quantity())
        if not self.chance(0.3):
            return trade
        spoilers: tuple[dict[str, int], ...] = (
            {"instrument": self._sizes.instruments},
            {"venue": self._sizes.venues},
            {"price_exponent": 5},
            {"quantity_exponent": 5},
            {"price": self.one_of((0, -1, self._sizes.top + 1))},
            {"quantity": self.one_of((0, -1, LOWEST, HIGHEST))},
        )
        return Trade(**(vars(trade) | self.one_of(spoilers)))

    def _kept_inside(self, mid: int) -> int:
        top = self._sizes.top
        return max(top // 256, min(top // 2, mid))
