"""When stop orders trigger: at prices of trades, compared with the stop price."""

from __future__ import annotations

from sim.exchange.venue.orders import WorkingOrder


def is_reached(order: WorkingOrder, lowest_ticks: int, highest_ticks: int) -> bool:
    """Whether prices that reached from lowest to highest trigger a stop order.

    A stop loss sells when the price has fallen to its stop and buys when it has risen to it; a take profit the other
    way round.
    """
    if order.kind.is_loss == order.is_buy:
        return highest_ticks >= order.stop_ticks
    return lowest_ticks <= order.stop_ticks
