"""The table of allowed steps of an order; docs/seams.md shows it.

A pair of state and event that is missing here is impossible and is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Final, TypeAlias

from market.orders.events import (
    Acknowledged,
    Cancelled,
    CancelRefused,
    CancelRequested,
    Expired,
    Filled,
    OrderEvent,
    OutcomeUnknown,
    Refused,
    Sent,
)
from market.orders.kinds import OrderState


class Outcome(Enum):
    """A next state that depends on the order's numbers."""

    SAME = "same"
    """Old news: the state stays."""
    WORKING = "as before"
    """PARTIALLY_FILLED with fills, else OPEN once acknowledged, else SENT."""
    BOOKED = "by quantity"
    """FILLED when nothing remains, else PARTIALLY_FILLED."""
    BOOKED_SAME = "same or filled"
    """FILLED when nothing remains, else the state stays."""


Target: TypeAlias = OrderState | Outcome

INTENDED: Final = OrderState.INTENDED
SENT: Final = OrderState.SENT
OPEN: Final = OrderState.OPEN
PARTIALLY_FILLED: Final = OrderState.PARTIALLY_FILLED
CANCEL_REQUESTED: Final = OrderState.CANCEL_REQUESTED
UNKNOWN: Final = OrderState.UNKNOWN
FILLED: Final = OrderState.FILLED
CANCELLED: Final = OrderState.CANCELLED
EXPIRED: Final = OrderState.EXPIRED
REJECTED: Final = OrderState.REJECTED

_AT_VENUE: Final = (SENT, OPEN, PARTIALLY_FILLED, CANCEL_REQUESTED, UNKNOWN)
_ENDED: Final = (FILLED, CANCELLED, EXPIRED, REJECTED)


def _all(states: tuple[OrderState, ...], target: Target) -> dict[OrderState, Target]:
    return dict.fromkeys(states, target)


TRANSITIONS: Final[Mapping[type[OrderEvent], Mapping[OrderState, Target]]] = {
    Sent: {INTENDED: SENT, SENT: Outcome.SAME, UNKNOWN: SENT},
    Acknowledged: {
        **_all((OPEN, PARTIALLY_FILLED, CANCEL_REQUESTED, *_ENDED), Outcome.SAME),
        **_all((SENT, UNKNOWN), Outcome.WORKING),
    },
    Filled: {
        **_all((SENT, OPEN, PARTIALLY_FILLED), Outcome.BOOKED),
        # Fills come late and by other channels than the end of an order; they are money and are booked.
        **_all((CANCEL_REQUESTED, UNKNOWN, FILLED, CANCELLED, EXPIRED), Outcome.BOOKED_SAME),
    },
    CancelRequested: {
        **_all((SENT, OPEN, PARTIALLY_FILLED, UNKNOWN), CANCEL_REQUESTED),
        CANCEL_REQUESTED: Outcome.SAME,
    },
    CancelRefused: {
        CANCEL_REQUESTED: Outcome.WORKING,
        **_all((SENT, OPEN, PARTIALLY_FILLED, UNKNOWN, *_ENDED), Outcome.SAME),
    },
    Cancelled: {**_all(_AT_VENUE, CANCELLED), **_all((CANCELLED, EXPIRED), Outcome.SAME)},
    Expired: {**_all(_AT_VENUE, EXPIRED), **_all((CANCELLED, EXPIRED), Outcome.SAME)},
    # Only an order without fills can be refused; the machine checks that.
    Refused: {**_all((INTENDED, SENT, OPEN, CANCEL_REQUESTED, UNKNOWN), REJECTED), REJECTED: Outcome.SAME},
    OutcomeUnknown: {
        **_all((INTENDED, SENT, OPEN, PARTIALLY_FILLED, CANCEL_REQUESTED), UNKNOWN),
        **_all((UNKNOWN, *_ENDED), Outcome.SAME),
    },
}


def transition_table() -> str:
    """The table as Markdown: a row per state, a column per event; empty cells are impossible."""
    events = list(TRANSITIONS)
    lines = [
        f"| State | {' | '.join(event.__name__ for event in events)} |",
        f"|---|{'---|' * len(events)}",
    ]
    for state in OrderState:
        cells = (_cell(TRANSITIONS[event].get(state)) for event in events)
        lines.append(f"| {state.name} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _cell(target: Target | None) -> str:
    if target is None:
        return ""
    return target.name if isinstance(target, OrderState) else f"*{target.value}*"
