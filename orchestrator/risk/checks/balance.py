"""Whether the venue holds what an order needs.

What is available of an asset is what the venue reported, and what trading has changed since, less what the working
orders need: quote currency and the fee for a purchase, the thing itself for a sale. On venues of derivatives orders
bind margin instead: the worst worth of all positions there must not be above the margin times the leverage.

Amounts of assets are counts of ``10**ASSET_EXPONENT``, which holds every notional count.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from config.base import EXACT
from market.errors import Rejected
from market.instruments import Listing
from market.orders.kinds import OrderType, Side
from market.orders.order import OrderIntent
from market.orders.reports import Balances
from market.protocols import MarketKey, MarketView
from market.risk.notional import PPB, fee
from market.risk.position import Position
from market.risk.room import Standing
from orchestrator.risk.checks.prices import worth_price
from orchestrator.risk.commitments import Commitments, Marks
from orchestrator.risk.limits import MarketLimits, RiskLimits

ASSET_EXPONENT: Final = -36
_PPM: Final = 1_000_000


class AvailableBalance:
    """Refuses an order for which the balance does not suffice; listings that do not name their assets pass.

    ``take`` the venue's balances whenever they are reported: before the first report nothing is known to be there.
    """

    def __init__(self, limits: RiskLimits, commitments: Commitments, marks: Marks) -> None:
        self._limits = limits
        self._commitments = commitments
        self._marks = marks
        self._reported: dict[int, dict[str, int]] = {}
        self._held_then: dict[MarketKey, Position] = {}

    def use(self, limits: RiskLimits) -> None:
        """Judge by other limits from here on."""
        self._limits = limits

    def take(self, report: Balances, view: MarketView) -> None:
        """Balances of a venue."""
        self._reported[report.venue] = {
            balance.asset: asset_counts(balance.free + balance.locked) for balance in report.balances
        }
        for key in self._limits.markets:
            if key[1] == report.venue:
                self._held_then[key] = view.position(*key)

    def __call__(self, intent: OrderIntent, view: MarketView) -> None:
        """Raises Rejected naming the asset, what there is and what is needed."""
        market = self._limits.market((intent.instrument, intent.venue))
        asset = _needed_asset(market, intent.side)
        if not asset:
            return
        reported = self._reported.get(intent.venue)
        if reported is None:
            raise Rejected(
                f"order {intent.client_order_id}: the balances on {market.listing.venue_name} were not known yet; "
                "expected a report of them before any order"
            )
        if market.is_margin:
            needed, there = self._margin(intent, view, asset, reported)
        else:
            needed, there = self._spot(intent, view, asset, reported)
        if needed > there:
            raise Rejected(
                f"order {intent.client_order_id}: {asset_text(needed)} {asset} were needed on "
                f"{market.listing.venue_name}, working orders included; expected at most the {asset_text(there)} there"
            )

    def _spot(self, intent: OrderIntent, view: MarketView, asset: str, reported: dict[str, int]) -> tuple[int, int]:
        """What this and all working orders need of an asset, and what there is."""
        there = reported.get(asset, 0)
        for key, market in self._limits.markets.items():
            if key[1] == intent.venue:
                there += self._change(market.listing, view.position(*key)).get(asset, 0)
        own = self._limits.market((intent.instrument, intent.venue))
        needed = _spot_need(own, intent.side, intent.quantity, worth_price(intent, view))
        pending = self._commitments.pending_orders(view, intent.client_order_id)
        names = {order.client_order_id for order in pending}
        for order in pending:
            partner = order.intent.partner
            # Of a pair only one is filled, and the venue binds the balance once: for the stop, which may cost more.
            if partner == intent.client_order_id or (order.intent.type is OrderType.LIMIT and partner in names):
                continue
            market = self._limits.market((order.intent.instrument, order.intent.venue))
            if order.intent.venue == intent.venue and _needed_asset(market, order.intent.side) == asset:
                mark = self._marks.mark(view, market.key) or 0
                price = order.intent.limit_price or order.intent.stop_price or mark
                needed += _spot_need(market, order.intent.side, order.remaining, price)
        return needed, there

    def _margin(self, intent: OrderIntent, view: MarketView, asset: str, reported: dict[str, int]) -> tuple[int, int]:
        """Margin for the worst that this order and all pending ones lead to, and the margin that there is."""
        needed = 0
        standings = self._commitments.standings(view, intent.client_order_id)
        for key, market in self._limits.markets.items():
            if key[1] != intent.venue or _needed_asset(market, Side.BUY) != asset:
                continue
            standing = standings.get(key, Standing(view.position(*key).quantity))
            mark = self._marks.mark(view, key) or 0
            if key == (intent.instrument, intent.venue):
                before = standing
                standing = standing.committed(intent.side, intent.quantity)
                mark = max(mark, worth_price(intent, view))
                if _worst(standing) <= _worst(before):
                    return 0, 0
            needed += _margin_need(market, _worst(standing), mark)
        return needed, reported.get(asset, 0) * self._limits.leverage_ppm // _PPM

    def _change(self, listing: Listing, now: Position) -> dict[str, int]:
        """What trading on a listing has changed since the report, by asset."""
        then = self._held_then.get((listing.instrument.number, listing.venue), Position())
        base = (now.quantity - then.quantity) * _factor(listing.instrument.quantity_scale.exponent)
        paid = (now.cash - now.fees) - (then.cash - then.fees)
        return {
            listing.base_asset: base,
            listing.quote_asset: paid * _factor(listing.instrument.notional_exponent),
        }


def asset_counts(amount: Decimal) -> int:
    """Counts of an amount, digits below the scale cut off."""
    return int(amount.scaleb(-ASSET_EXPONENT, EXACT))


def asset_text(counts: int) -> str:
    """An amount as text."""
    return f"{Decimal(counts).scaleb(ASSET_EXPONENT, EXACT).normalize(EXACT):f}"


def _factor(exponent: int) -> int:
    """Asset counts of one count of a scale."""
    return int(10 ** (exponent - ASSET_EXPONENT))


def _needed_asset(market: MarketLimits, side: Side) -> str:
    listing = market.listing
    if market.is_margin:
        return listing.base_asset if listing.contract_value else listing.quote_asset
    return listing.quote_asset if side is Side.BUY else listing.base_asset


def _spot_need(market: MarketLimits, side: Side, quantity: int, price: int) -> int:
    instrument = market.listing.instrument
    if side is Side.SELL:
        return quantity * _factor(instrument.quantity_scale.exponent)
    notional = price * quantity
    return (notional + max(fee(notional, market.taker_fee_ppb), 0)) * _factor(instrument.notional_exponent)


def _worst(standing: Standing) -> int:
    return max(abs(standing.worst_position(Side.BUY)), abs(standing.worst_position(Side.SELL)))


def _margin_need(market: MarketLimits, quantity: int, mark: int) -> int:
    """Worth of a quantity in the asset of the margin, with the fee."""
    instrument = market.listing.instrument
    if market.listing.contract_value:
        counts = quantity * _factor(instrument.quantity_scale.exponent)
    else:
        counts = quantity * mark * _factor(instrument.notional_exponent)
    return counts + max(-(-counts * market.taker_fee_ppb // PPB), 0)
