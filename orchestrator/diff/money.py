"""What each fill brought, in counts: it adds up to the equity exactly."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from market.errors import Fatal
from market.orders.kinds import Side
from market.orders.order import Fill
from market.protocols import MarketKey
from market.risk.position import Position
from orchestrator.diff.story import Told, new_fills


def gain_of(fill: Fill, side: Side, mark: int) -> int:
    """What a fill brought if what it traded is worth ``mark``, fees taken off, in notional counts.

    It is the change of ``Position.equity`` by the fill; being linear, the order of fills does not matter.
    """
    return Position().traded(side, fill.price, fill.quantity, fill.fee, fill.fee_base).equity(mark)


def gain(told: Told | None, marks: Mapping[MarketKey, int]) -> int:
    """What an order brought in this run."""
    if told is None:
        return 0
    fills = new_fills(told)
    if not fills:
        return 0
    mark = marks[told.intent.instrument, told.intent.venue]
    return sum(gain_of(fill, told.intent.side, mark) for fill in fills)


def gains(orders: Iterable[Told], marks: Mapping[MarketKey, int]) -> dict[MarketKey, int]:
    """What all orders brought, by market."""
    total: dict[MarketKey, int] = {}
    for told in orders:
        key = (told.intent.instrument, told.intent.venue)
        total[key] = total.get(key, 0) + gain(told, marks)
    return total


def check_gains(
    orders: Sequence[Told],
    before: Mapping[MarketKey, Position],
    after: Mapping[MarketKey, Position],
    marks: Mapping[MarketKey, int],
    whose: str,
) -> dict[MarketKey, int]:
    """What a run gained, from its fills; raises Fatal when its positions say anything else, by a single count."""
    total = gains(orders, marks)
    for key in {*total, *after}:
        mark = marks.get(key)
        if mark is None:
            continue
        gained = after.get(key, Position()).equity(mark) - before.get(key, Position()).equity(mark)
        if gained != total.get(key, 0):
            raise Fatal(
                f"the {whose} gained {gained} counts in market {key} by its positions and {total.get(key, 0)} by its "
                "fills; expected the same"
            )
    return total
