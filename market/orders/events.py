"""What can happen to an order; every event says when we knew of it, in ns."""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from market.orders.order import Fill


class Sent(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """It was handed to the venue, or handed over again after an unknown outcome."""

    time_ns: int


class Acknowledged(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The venue has it and it works, in answer to sending it or to asking."""

    time_ns: int
    venue_order_id: str


class Filled(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A part of it, or all, was executed."""

    fill: Fill

    @property
    def time_ns(self) -> int:
        """When we heard of the fill."""
        return self.fill.receive_ns


class CancelRequested(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """We asked for its cancellation."""

    time_ns: int


class CancelRefused(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The cancellation was not carried out; the order is what it was."""

    time_ns: int
    reason: str


class Cancelled(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The venue ended it because somebody asked.

    Parameters
    ----------
    executed: quantity that the venue has executed in all, which is final; None where it does not say.
    """

    time_ns: int
    reason: str = ""
    executed: int | None = None


class Expired(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The venue ended it by its own terms."""

    time_ns: int
    reason: str = ""


class Refused(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The venue did not take it, or it was refused before it was sent; nothing of it was executed."""

    time_ns: int
    reason: str


class OutcomeUnknown(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """No answer, or the stream of answers broke: it must be asked for."""

    time_ns: int
    reason: str


OrderEvent: TypeAlias = (
    Sent | Acknowledged | Filled | CancelRequested | CancelRefused | Cancelled | Expired | Refused | OutcomeUnknown
)
