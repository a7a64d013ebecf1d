"""What a backtest was at intervals, and each of its fills, as rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

from config.base import EXACT
from market.instruments import Catalogue, Listing
from market.orders.order import Fill, Order
from market.protocols import MarketKey
from market.risk.position import Position
from orchestrator.run_loop.access import PeriodicTask, RunAccess

_NS_PER_MS: Final = 1_000_000

Row = dict[str, Any]
STATE_COLUMNS: Final = (
    "time_ns",
    "market",
    "bid",
    "ask",
    "working_orders",
    "position",
    "realised",
    "unrealised",
    "fees",
    "funding",
    "equity",
)
TRADE_COLUMNS: Final = (
    "time_ns",
    "venue_ns",
    "decided_ns",
    "market",
    "strategy",
    "order",
    "side",
    "liquidity",
    "price",
    "quantity",
    "notional",
    "fee",
)
ORDER_COLUMNS: Final = (
    "decided_ns",
    "sent_ns",
    "acknowledged_ns",
    "ended_ns",
    "market",
    "strategy",
    "order",
    "side",
    "type",
    "time_in_force",
    "price",
    "quantity",
    "filled",
    "state",
    "reason",
    "why",
)


class States:
    """Samples of all markets at intervals; ``task`` takes them.

    Parameters
    ----------
    funding: paid in a market until a time, in notional counts.

    Members
    -------
    rows: one per market and sample: time, market, position, prices, money in the quote currency. A market without a
        quote is valued at the last one that it had.
    """

    def __init__(
        self, listings: Catalogue, interval_ms: int, funding: Callable[[MarketKey, int], int] = lambda key, now_ns: 0
    ) -> None:
        self._funding = funding
        self._listings = {(listing.instrument.number, listing.venue): listing for listing in listings.listings}
        self._marks: dict[MarketKey, int] = {}
        self.rows: list[Row] = []
        self.task = PeriodicTask("states", interval_ms * _NS_PER_MS, self._take)

    def take_last(self, run: RunAccess, now_ns: int) -> None:
        """The sample at the end, unless there is one of that time."""
        if not self.rows or self.rows[-1]["time_ns"] < now_ns:
            self._take(run, now_ns)

    def _take(self, run: RunAccess, now_ns: int) -> None:
        working: dict[MarketKey, int] = {}
        for order in run.working_orders:
            key = (order.intent.instrument, order.intent.venue)
            working[key] = working.get(key, 0) + 1
        for key, listing in self._listings.items():
            quote = run.view.quote(*key)
            position = run.positions.get(key, Position())
            if quote is not None:
                self._marks[key] = (quote.bid_price + quote.ask_price) // 2
            mark = self._marks.get(key)
            if mark is None:
                continue
            self.rows.append(
                {
                    "time_ns": now_ns,
                    "market": str(listing),
                    "bid": None if quote is None else price_of(listing, quote.bid_price),
                    "ask": None if quote is None else price_of(listing, quote.ask_price),
                    "working_orders": working.get(key, 0),
                    "position": quantity_of(listing, position.quantity),
                    **money_of(listing, position, mark, self._funding(key, now_ns)),
                }
            )

    @property
    def marks(self) -> Mapping[MarketKey, int]:
        """The last middle of each market that was sampled, in price counts."""
        return self._marks


def price_of(listing: Listing, count: int) -> Decimal:
    """A price in quote currency."""
    return listing.instrument.price_scale.decimal(count)


def quantity_of(listing: Listing, count: int) -> Decimal:
    """A quantity in base currency."""
    return listing.instrument.quantity_scale.decimal(count)


def amount_of(listing: Listing, counts: int) -> Decimal:
    """Money in quote currency."""
    return Decimal(counts).scaleb(listing.instrument.notional_exponent, EXACT)


def money_of(listing: Listing, position: Position, mark: int, funding: int = 0) -> Row:
    """Gain, fees, funding paid and equity of a position at a middle, in quote currency."""
    unrealised = position.unrealised(mark)
    return {
        "realised": amount_of(listing, position.realised),
        "unrealised": amount_of(listing, unrealised),
        "fees": amount_of(listing, position.fees),
        "funding": amount_of(listing, funding),
        "equity": amount_of(listing, position.realised + unrealised - position.fees - funding),
    }


def fills_in_order(orders: Iterable[Order]) -> list[tuple[Order, Fill]]:
    """All fills in the order in which they were heard."""
    found = [(fill.receive_ns, place, order, fill) for place, order in enumerate(orders) for fill in order.fills]
    return [(order, fill) for _, _, order, fill in sorted(found, key=lambda each: (*each[:2], int(each[3].fill_id)))]


def trade_rows(orders: Iterable[Order], listings: Catalogue) -> list[Row]:
    """Every fill, in the order in which it was heard."""
    rows: list[Row] = []
    for order, fill in fills_in_order(orders):
        intent = order.intent
        listing = listings.listing(intent.instrument, intent.venue)
        rows.append(
            {
                "time_ns": fill.receive_ns,
                "venue_ns": fill.venue_ns,
                "decided_ns": intent.decided_ns,
                "market": str(listing),
                "strategy": intent.cause.strategy,
                "order": order.client_order_id,
                "side": intent.side.name,
                "liquidity": fill.liquidity.name,
                "price": price_of(listing, fill.price),
                "quantity": quantity_of(listing, fill.quantity),
                "notional": amount_of(listing, fill.notional),
                "fee": amount_of(listing, fill.fee),
            }
        )
    return rows


def order_rows(orders: Iterable[Order], listings: Catalogue) -> list[Row]:
    """Every order, oldest first; times are 0 for what never was, a price is missing where there is no limit."""
    rows: list[Row] = []
    for order in orders:
        intent = order.intent
        listing = listings.listing(intent.instrument, intent.venue)
        rows.append(
            {
                "decided_ns": intent.decided_ns,
                "sent_ns": order.sent_ns,
                "acknowledged_ns": order.acknowledged_ns,
                "ended_ns": order.ended_ns,
                "market": str(listing),
                "strategy": intent.cause.strategy,
                "order": order.client_order_id,
                "side": intent.side.name,
                "type": intent.type.name,
                "time_in_force": intent.time_in_force.name,
                "price": price_of(listing, intent.limit_price) if intent.limit_price else None,
                "quantity": quantity_of(listing, intent.quantity),
                "filled": quantity_of(listing, order.filled),
                "state": order.state.name,
                "reason": order.reason,
                "why": intent.why,
            }
        )
    return rows
