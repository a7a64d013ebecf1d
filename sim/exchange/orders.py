"""What the parameters of orders have in common, spot and futures."""

from __future__ import annotations

from enum import StrEnum

from market.orders.kinds import Side
from sim.exchange import answers
from sim.exchange.numbers import ms
from sim.exchange.parameters import Parameters
from sim.exchange.venue.kinds import SelfTradePrevention


class SideWord(StrEnum):
    """A side as it is written."""

    BUY = "BUY"
    SELL = "SELL"

    @property
    def side(self) -> Side:
        """The side itself."""
        return Side.BUY if self is SideWord.BUY else Side.SELL


def prevention(parameters: Parameters) -> SelfTradePrevention | None:
    """The self-trade prevention that is asked for; None for the venue's."""
    name = "selfTradePreventionMode"
    return parameters.word(name, SelfTradePrevention, answers.invalid(name)) if parameters.has(name) else None


def named_order(
    parameters: Parameters, by_id: str = "orderId", by_client_id: str = "origClientOrderId"
) -> tuple[int, str]:
    """Order id and client order id of the order that is meant, one of them 0 or empty; one must be sent."""
    if parameters.has(by_id):
        return parameters.whole(by_id), ""
    if parameters.has(by_client_id):
        return 0, parameters.text(by_client_id)
    raise answers.either(by_client_id, by_id)


def in_time(parameters: Parameters, time_ns: int) -> bool:
    """Whether something is between ``startTime`` and ``endTime``, where they are sent."""
    at = ms(time_ns)
    return parameters.whole("startTime", at) <= at <= parameters.whole("endTime", at)
