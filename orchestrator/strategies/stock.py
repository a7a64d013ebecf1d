"""What a strategy may use of each venue's balances, and when they should be moved between venues."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from market.orders.kinds import Side
from market.orders.order import Order
from market.protocols import MarketKey, MarketView
from market.risk.notional import PPB, fee

PPM: Final = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Stock:
    """Amounts on one venue: base in quantity counts, quote in notional counts."""

    base: int
    quote: int


def stock_now(start: Stock, key: MarketKey, strategy: str, view: MarketView, fee_ppb: int) -> Stock:
    """What a strategy had at the start, after its fills, less what its working orders there may still take.

    ``fee_ppb`` is the rate that is kept back for purchases.
    """
    position = view.position(*key, strategy)
    working = [order for order in view.working_orders(strategy) if _key(order) == key]
    return Stock(
        base=start.base + position.quantity - sum(o.remaining for o in working if o.intent.side is Side.SELL),
        quote=start.quote
        + position.cash
        - position.fees
        - sum(cost(o.intent.limit_price, o.remaining, fee_ppb) for o in working if o.intent.side is Side.BUY),
    )


def cost(price: int, quantity: int, fee_ppb: int) -> int:
    """What a purchase takes out of the quote asset, in notional counts."""
    return price * quantity + fee(price * quantity, fee_ppb)


def affordable(stock: Stock, price: int, fee_ppb: int) -> int:
    """The largest quantity that the quote asset pays for, its fee included; 0 when there is none."""
    return max(stock.quote, 0) * PPB // (price * (PPB + max(fee_ppb, 0)))


@dataclass(frozen=True, kw_only=True)
class Transfer:
    """An amount that should be moved between two venues, in the counts of ``Stock``."""

    instrument: int
    is_base: bool
    source: int
    destination: int
    amount: int


def rebalancing(stocks: Mapping[MarketKey, Stock], least_share_ppm: int) -> tuple[Transfer, ...]:
    """Transfers that even out the venues of each instrument, where one has less than a share of the mean.

    Parameters
    ----------
    least_share_ppm: a venue with less than this part of the mean over its instrument's venues needs more.

    Empty when none does. Each transfer fills the poorest venue up to the mean as far as the richest one is above it.
    """
    transfers = []
    for instrument in sorted({key[0] for key in stocks}):
        here = {key[1]: stock for key, stock in stocks.items() if key[0] == instrument}
        for is_base in (True, False):
            amounts = {venue: stock.base if is_base else stock.quote for venue, stock in here.items()}
            transfers += [
                Transfer(instrument=instrument, is_base=is_base, source=source, destination=destination, amount=amount)
                for source, destination, amount in _even_out(amounts, least_share_ppm)
            ]
    return tuple(transfers)


def _even_out(amounts: dict[int, int], least_share_ppm: int) -> Iterable[tuple[int, int, int]]:
    mean = sum(amounts.values()) // len(amounts)
    while True:
        poorest = min(amounts, key=lambda venue: (amounts[venue], venue))
        richest = max(amounts, key=lambda venue: (amounts[venue], -venue))
        if amounts[poorest] * PPM >= mean * least_share_ppm or amounts[richest] <= mean:
            return
        amount = min(mean - amounts[poorest], amounts[richest] - mean)
        amounts[poorest] += amount
        amounts[richest] -= amount
        yield richest, poorest, amount


def _key(order: Order) -> MarketKey:
    return order.intent.instrument, order.intent.venue
