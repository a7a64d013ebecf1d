"""What a venue says, beside what we think: pure comparisons of orders, balances and positions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from market.errors import Rejected
from market.orders.cause import parse_client_order_id
from market.orders.kinds import OrderState
from market.orders.order import Order
from market.orders.reports import Balances, OpenOrders, VenueOrder, VenuePositions
from market.protocols import MarketKey
from market.risk.position import Position
from orchestrator.risk.checks.balance import ASSET_EXPONENT, asset_counts, asset_text
from orchestrator.risk.limits import MarketLimits

_ACKNOWLEDGED = frozenset({OrderState.OPEN, OrderState.PARTIALLY_FILLED, OrderState.CANCEL_REQUESTED})


class DifferenceKind(StrEnum):
    """What differs."""

    ORDER_ENDED = "order-ended"
    """The venue lists an order of ours that has ended here."""
    ORDER_MISSING = "order-missing"
    """An order works here that the venue does not list."""
    ORDER_FILLED = "order-filled"
    """The venue has filled more of an order, or less, than was booked."""
    ORDER_LOST = "order-lost"
    """The venue lists an order that bears an id of ours and is not known here."""
    FOREIGN_ORDER = "foreign-order"
    """The venue lists an order of somebody else on the account."""
    BALANCE = "balance"
    POSITION = "position"


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference between a venue and the ledger; the same one whatever is traded meanwhile.

    Parameters
    ----------
    subject: client order id, asset or symbol. excess: by how much the venue has more. detail: what was seen and
        expected, in words.
    """

    venue: int
    kind: DifferenceKind
    subject: str
    excess: int = 0
    detail: str = field(default="", compare=False)

    @property
    def order_in_doubt(self) -> str:
        """The order of this run that must be asked about, empty for none."""
        asked = (DifferenceKind.ORDER_ENDED, DifferenceKind.ORDER_MISSING, DifferenceKind.ORDER_FILLED)
        return self.subject if self.kind in asked else ""


def compare_orders(
    report: OpenOrders, working: Sequence[Order], find: Callable[[str], Order | None], asked_ns: int
) -> Iterator[Difference]:
    """Differences between a venue's open orders and ours.

    Parameters
    ----------
    working: orders that have not ended here. find: any order of the run by its client order id.
    asked_ns: when the venue was asked; what was acknowledged or ended since is left out, as the answer may be of
        before.
    """
    listed = {order.client_order_id: order for order in report.orders}
    for name, at_venue in listed.items():
        order = find(name)
        if order is None or order.intent.venue != report.venue:
            yield _unknown(report.venue, at_venue)
        elif order.state.is_terminal:
            if order.ended_ns < asked_ns:
                detail = f"{name} was {order.state.name} here and works at the venue"
                yield Difference(report.venue, DifferenceKind.ORDER_ENDED, name, detail=detail)
        elif at_venue.filled != order.filled:
            detail = f"{name} had {order.filled} counts filled here and {at_venue.filled} at the venue"
            yield Difference(report.venue, DifferenceKind.ORDER_FILLED, name, at_venue.filled - order.filled, detail)
    for order in working:
        if order.intent.venue != report.venue:
            continue
        name = order.client_order_id
        if order.state in _ACKNOWLEDGED and order.acknowledged_ns < asked_ns and name not in listed:
            detail = f"{name} works here and not at the venue"
            yield Difference(report.venue, DifferenceKind.ORDER_MISSING, name, detail=detail)


def asset_changes(markets: Sequence[MarketLimits], positions: Mapping[MarketKey, Position]) -> dict[str, int]:
    """What trading has added to each asset, in asset counts, by positions and their cash."""
    changes: dict[str, int] = {}
    for market in markets:
        listing = market.listing
        position = positions.get(market.key, Position())
        scales = listing.instrument
        for asset, counts, exponent in (
            (listing.base_asset, position.quantity, scales.quantity_scale.exponent),
            (listing.quote_asset, position.cash - position.fees, scales.notional_exponent),
        ):
            if asset:
                changes[asset] = changes.get(asset, 0) + counts * int(10 ** (exponent - ASSET_EXPONENT))
    return changes


def totals(report: Balances) -> dict[str, int]:
    """Free and locked together, in asset counts."""
    return {balance.asset: asset_counts(balance.free + balance.locked) for balance in report.balances}


def compare_balances(
    venue: int, before: Mapping[str, int], now: Mapping[str, int], changes: Mapping[str, int]
) -> Iterator[Difference]:
    """Assets whose balance did not change by what trading changed.

    Parameters
    ----------
    before, now: balances at a first report and at this one. changes: what trading added between them.
    """
    for asset, change in changes.items():
        expected = before.get(asset, 0) + change
        seen = now.get(asset, 0)
        if seen != expected:
            detail = f"{asset} was {asset_text(seen)} at the venue; expected {asset_text(expected)}"
            yield Difference(venue, DifferenceKind.BALANCE, asset, seen - expected, detail)


def compare_positions(
    report: VenuePositions,
    markets: Sequence[MarketLimits],
    positions: Mapping[MarketKey, Position],
    accepted: Mapping[MarketKey, int],
) -> Iterator[Difference]:
    """Markets of a venue whose position is another one there.

    Parameters
    ----------
    accepted: by how much the venue may hold more, by market.
    """
    for market in markets:
        if market.listing.venue != report.venue:
            continue
        seen = report.quantities.get(market.listing.instrument.number, 0)
        expected = positions.get(market.key, Position()).quantity + accepted.get(market.key, 0)
        if seen != expected:
            text = market.listing.instrument.quantity_scale.text
            detail = f"the position in {market.listing} was {text(seen)} there; expected {text(expected)}"
            yield Difference(report.venue, DifferenceKind.POSITION, market.listing.symbol, seen - expected, detail)


def _unknown(venue: int, order: VenueOrder) -> Difference:
    name = order.client_order_id
    try:
        parse_client_order_id(name)
    except Rejected:
        detail = f"{name or order.venue_order_id} of somebody else works on the account"
        return Difference(venue, DifferenceKind.FOREIGN_ORDER, name or order.venue_order_id, detail=detail)
    return Difference(venue, DifferenceKind.ORDER_LOST, name, detail=f"{name} works at the venue and is not known here")
