"""Where a market maker's bid and offer should stand, from the best prices, the inventory and the signals.

``bid = mid * (1 - spread / 2)`` and ``ask = mid * (1 + spread / 2)``; both shifted by the microprice and the imbalance
of the best quantities, the side that would add to an inventory that leans widened or left out. All in counts of the
instrument's scales; fractions of a price are parts per billion, of anything else parts per million.
"""

from __future__ import annotations

from dataclasses import dataclass

from market.errors import Fatal
from market.fixed_point import ceil_to, floor_to
from market.instruments import Listing
from market.orders.kinds import Side
from market.protocols import Quote
from market.risk.notional import PPB
from market.risk.room import room_to_buy, room_to_sell
from orchestrator.strategies.stock import PPM


@dataclass(frozen=True, kw_only=True)
class QuotingParameters:
    """How quotes are placed.

    Parameters
    ----------
    quantity: of each side.
    inventory_limit: largest inventory, long or short.
    spread_ppb: distance of bid and ask, of the mid.
    leaning_ppm: part of the inventory limit from which on the inventory leans, until it is flat again.
    leaning_widening_ppb: how much further from the mid the side that would add stands at the limit, in proportion
        below; at the limit itself it is left out.
    microprice_weight_ppm: part of microprice minus mid by which both quotes are shifted.
    imbalance_weight_ppb: shift of both quotes when the best quantities are all on one side, of the mid.
    size_skew_ppm: part of the quantity that the weaker side is left with less when they are all on the other.
    protective_widening_ppm: what the spread is multiplied with in the protective mode.
    """

    quantity: int
    inventory_limit: int
    spread_ppb: int = 1_000_000
    leaning_ppm: int = 500_000
    leaning_widening_ppb: int = 1_000_000
    microprice_weight_ppm: int = 1_000_000
    imbalance_weight_ppb: int = 0
    size_skew_ppm: int = 0
    protective_widening_ppm: int = 3_000_000

    def __post_init__(self) -> None:
        least = min(self.spread_ppb, self.leaning_widening_ppb, self.microprice_weight_ppm, self.imbalance_weight_ppb)
        if self.quantity < 1 or self.inventory_limit < 0 or least < 0 or self.protective_widening_ppm < PPM:
            raise Fatal(f"{self}: expected a quantity of at least 1, nothing below 0 and a widening of at least {PPM}")
        if not 0 <= self.size_skew_ppm <= PPM or not 0 <= self.leaning_ppm <= PPM:
            raise Fatal(f"{self}: expected size_skew_ppm and leaning_ppm from 0 to {PPM}")


@dataclass(frozen=True, slots=True)
class Target:
    """A quote that should be there."""

    price: int
    quantity: int


@dataclass(frozen=True, slots=True)
class Targets:
    """Both quotes; None where there should be none."""

    bid: Target | None = None
    ask: Target | None = None

    def of(self, side: Side) -> Target | None:
        """The bid for BUY, the offer for SELL."""
        return self.bid if side is Side.BUY else self.ask


NO_QUOTES = Targets()


def is_leaning(was_leaning: bool, inventory: int, parameters: QuotingParameters) -> bool:
    """Whether an inventory leans; once it does, until it is flat."""
    if inventory == 0:
        return False
    return was_leaning or abs(inventory) * PPM >= parameters.leaning_ppm * parameters.inventory_limit


def targets(
    quote: Quote,
    listing: Listing,
    inventory: int,
    parameters: QuotingParameters,
    *,
    leans: bool = False,
    is_protective: bool = False,
) -> Targets:
    """The quotes for a market as it is; post-only orders at these prices rest."""
    doubled_mid = quote.bid_price + quote.ask_price
    shift = doubled_shift(quote, parameters)
    widening = parameters.protective_widening_ppm if is_protective else PPM
    distance = doubled_mid * parameters.spread_ppb * widening // (2 * PPB * PPM)
    further = 0
    if leans and parameters.inventory_limit:
        share = min(abs(inventory), parameters.inventory_limit)
        further = doubled_mid * parameters.leaning_widening_ppb * share // (parameters.inventory_limit * PPB)
    bid_distance = distance + (further if inventory > 0 else 0)
    ask_distance = distance + (further if inventory < 0 else 0)
    bid = floor_to((doubled_mid + shift - bid_distance) // 2, listing.tick)
    ask = ceil_to(-(-(doubled_mid + shift + ask_distance) // 2), listing.tick)
    bid = min(bid, quote.ask_price - listing.tick)
    ask = max(ask, quote.bid_price + listing.tick)
    limit = parameters.inventory_limit
    return Targets(
        _target(bid, _size(Side.BUY, quote, parameters), room_to_buy(limit, inventory, 0), listing),
        _target(ask, _size(Side.SELL, quote, parameters), room_to_sell(limit, inventory, 0), listing),
    )


def doubled_shift(quote: Quote, parameters: QuotingParameters) -> int:
    """Twice the shift of both quotes: up when more is bid than offered."""
    more, total = quote.bid_quantity - quote.ask_quantity, quote.bid_quantity + quote.ask_quantity
    # The microprice lies half the spread times the imbalance above the mid.
    microprice = (quote.ask_price - quote.bid_price) * more * parameters.microprice_weight_ppm // (total * PPM)
    imbalance = (quote.bid_price + quote.ask_price) * parameters.imbalance_weight_ppb * more // (total * PPB)
    return microprice + imbalance


def _size(side: Side, quote: Quote, parameters: QuotingParameters) -> int:
    """The quantity of a side, less where the other side of the market is stronger."""
    weaker = (quote.ask_quantity - quote.bid_quantity) * side.sign
    if weaker <= 0:
        return parameters.quantity
    total = quote.bid_quantity + quote.ask_quantity
    return parameters.quantity - parameters.quantity * parameters.size_skew_ppm * weaker // (total * PPM)


def _target(price: int, quantity: int, room: int, listing: Listing) -> Target | None:
    """None when the venue would not take what is left of the quantity."""
    quantity = min(floor_to(min(quantity, room), listing.lot), listing.maximum_quantity) if room > 0 else 0
    if price < 1 or quantity < listing.minimum_quantity or price * quantity < listing.minimum_notional:
        return None
    return Target(price, quantity)
