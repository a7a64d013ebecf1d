"""What is traded: instruments with their scales, and their listings on venues with ticks, lots and limits."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from market.errors import Fatal, Rejected
from market.fixed_point import COUNT_MOST, Scale, floor_to

UNLIMITED: Final = COUNT_MOST


@dataclass(frozen=True, slots=True)
class Instrument:
    """One thing that several venues trade.

    Parameters
    ----------
    number: the fast loop's number of it.
    price_scale, quantity_scale: of all its counts, whatever the venue.
    """

    number: int
    name: str
    price_scale: Scale
    quantity_scale: Scale

    @property
    def notional_exponent(self) -> int:
        """Power of ten of price count times quantity count; such products may exceed int64."""
        return self.price_scale.exponent + self.quantity_scale.exponent


@dataclass(frozen=True, slots=True)
class Listing:
    """An instrument on one venue; all numbers are counts of the instrument's scales.

    Parameters
    ----------
    venue: the fast loop's number of the venue. venue_name, symbol: as people and the venue write them.
    tick, lot: steps of prices and quantities; for inverse contracts the step to which their worth in base currency
        is rounded down, as the decoders do.
    minimum_quantity, maximum_quantity, minimum_notional: of one order; notional in price times quantity counts.
    contract_value: fixed worth of one inverse contract in notional counts; 0: quantities are in base currency.
    base_asset, quote_asset: names of what changes hands, empty when balances are not kept.

    Raises Fatal for limits that contradict each other.
    """

    instrument: Instrument
    venue: int
    venue_name: str
    symbol: str
    tick: int
    lot: int
    minimum_quantity: int = 1
    maximum_quantity: int = UNLIMITED
    minimum_notional: int = 0
    contract_value: int = 0
    base_asset: str = ""
    quote_asset: str = ""

    def __post_init__(self) -> None:
        if self.tick < 1 or self.lot < 1 or self.contract_value < 0 or self.minimum_notional < 0:
            raise Fatal(
                f"{self}: tick {self.tick} and lot {self.lot} must be at least 1, contract value "
                f"{self.contract_value} and minimum notional {self.minimum_notional} at least 0"
            )
        if not 1 <= self.minimum_quantity <= self.maximum_quantity:
            raise Fatal(
                f"{self}: minimum quantity was {self.minimum_quantity}; expected 1 to the maximum quantity, "
                f"{self.maximum_quantity}"
            )

    def __str__(self) -> str:
        return f"{self.symbol} on {self.venue_name}"

    def check_price(self, price: int) -> None:
        """Raises Rejected unless the price is positive and a whole number of ticks."""
        scale = self.instrument.price_scale
        if price < 1 or price % self.tick:
            raise Rejected(
                f"{self}: price was {scale.text(price)}; expected a positive multiple of {scale.text(self.tick)}"
            )

    def check_quantity(self, quantity: int) -> None:
        """Raises Rejected unless the quantity is a whole number of lots within the limits."""
        scale = self.instrument.quantity_scale
        if quantity % self.lot or not self.minimum_quantity <= quantity <= self.maximum_quantity:
            raise Rejected(
                f"{self}: quantity was {scale.text(quantity)}; expected a multiple of {scale.text(self.lot)} from "
                f"{scale.text(self.minimum_quantity)} to {scale.text(self.maximum_quantity)}"
            )

    def check_notional(self, price: int, quantity: int) -> None:
        """Raises Rejected if the order is worth less than the venue takes, or less than one contract."""
        if price * quantity < self.minimum_notional:
            raise Rejected(
                f"{self}: notional was {price * quantity} counts of 1e{self.instrument.notional_exponent}; "
                f"expected at least {self.minimum_notional}"
            )
        if self.contract_value and self.contracts(price, quantity) < 1:
            raise Rejected(
                f"{self}: quantity was {self.instrument.quantity_scale.text(quantity)}, less than one contract; "
                f"expected at least {self.instrument.quantity_scale.text(self.contracts_quantity(price, 1))}"
            )

    def check(self, price: int, quantity: int) -> None:
        """All three checks; raises Rejected."""
        self.check_price(price)
        self.check_quantity(quantity)
        self.check_notional(price, quantity)

    def contracts(self, price: int, quantity: int) -> int:
        """Inverse contracts in a quantity: the most whose ``contracts_quantity`` is not above it.

        Raises Rejected for a linear listing.
        """
        self._check_inverse()
        lots = floor_to(quantity, self.lot) + self.lot
        return -(-lots * price // self.contract_value) - 1

    def contracts_quantity(self, price: int, contracts: int) -> int:
        """What some inverse contracts are worth in base currency at a price, rounded down to lots.

        Raises Rejected for a linear listing.
        """
        self._check_inverse()
        return floor_to(contracts * self.contract_value // price, self.lot)

    def _check_inverse(self) -> None:
        if not self.contract_value:
            raise Rejected(f"{self} has no inverse contracts: its quantities are in base currency")


@dataclass(frozen=True)
class Catalogue:
    """All listings by instrument and venue number; raises Fatal when a pair occurs twice."""

    listings: tuple[Listing, ...]
    _by_market: dict[tuple[int, int], Listing] = field(init=False, repr=False, compare=False)

    def __init__(self, listings: Iterable[Listing]) -> None:
        object.__setattr__(self, "listings", tuple(listings))
        by_market = {(listing.instrument.number, listing.venue): listing for listing in self.listings}
        if len(by_market) != len(self.listings):
            raise Fatal(f"an instrument is listed twice on a venue: {[str(listing) for listing in self.listings]}")
        object.__setattr__(self, "_by_market", by_market)

    def listing(self, instrument: int, venue: int) -> Listing:
        """The listing of an instrument on a venue; raises Rejected when there is none."""
        found = self._by_market.get((instrument, venue))
        if found is None:
            known = ", ".join(f"{pair}" for pair in sorted(self._by_market))
            raise Rejected(f"instrument {instrument} is not listed on venue {venue}; expected one of {known}")
        return found
