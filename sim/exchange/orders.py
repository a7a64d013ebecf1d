"""What the parameters of orders have in common, spot and futures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Final, TypeVar

from market.orders.kinds import Side
from sim.exchange import answers
from sim.exchange.numbers import ms
from sim.exchange.parameters import Parameters
from sim.exchange.venue.kinds import SelfTradePrevention

_EVERYTHING: Final = 2**31
_LATEST_MS: Final = 2**53

Item = TypeVar("Item")


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


def listed(
    parameters: Parameters, most: int, fetch: Callable[[int], Sequence[Item]], time_ns: Callable[[Item], int]
) -> list[Item]:
    """The part of a list that a request asks for by ``startTime``, ``endTime`` and ``limit``.

    Parameters
    ----------
    most: largest limit; 500 where none is sent. fetch: the newest items, so many, oldest first. time_ns: of an item.

    From ``startTime`` on these are the oldest, else the newest.
    """
    limit = parameters.limit(500, most)
    if not parameters.has("startTime") and not parameters.has("endTime"):
        return list(fetch(limit))
    first, last = parameters.whole("startTime", 0), parameters.whole("endTime", _LATEST_MS)
    found = [item for item in fetch(_EVERYTHING) if first <= ms(time_ns(item)) <= last]
    return found[:limit] if parameters.has("startTime") else found[-limit:]
