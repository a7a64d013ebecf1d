"""Kinds of differences, and what they come from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Category(StrEnum):
    """How an order of the run and the backtest's differ."""

    SAME = "same decision, same fills"
    FILL_TIME = "same fills, at other times"
    FEE = "same fills, other fees"
    FILLS = "same order, other fills"
    REFUSED = "same order, refused in one"
    CANCEL = "same order, cancelled otherwise"
    DECISION = "decided otherwise"
    ONLY_RUN = "order only in the run"
    ONLY_BACKTEST = "order only in the backtest"


class Cause(StrEnum):
    """What a difference comes from; docs/diff.md says how each is found."""

    NONE = ""
    LATENCY = "latency"
    BOOK = "book of trading on paper"
    QUEUE = "queue position"
    OWN_IMPACT = "own impact"
    OUTAGE = "connection or unknown outcome"
    LATE_FILL = "fill heard of after the end"
    REFUSED = "refused"
    FEES = "fees"
    WORKING = "own orders stood otherwise"
    POSITION = "position was another"
    MEMORY = "earlier differences of the strategy"
    CLOCK = "time at which events were looked at"
    GUARD = "guard of the run"
    ENDING = "the run was ending"
    TAKEN_OVER = "order of an earlier run"
    SETTINGS = "settings"
    END_OF_DATA = "end of the market data"
    UNEXPLAINED = "unexplained"


@dataclass(frozen=True)
class Explanation:
    """One difference.

    Parameters
    ----------
    detail: what was seen, in words. because: number of the pair that it follows from, None for none.
    """

    category: Category
    cause: Cause
    detail: str = ""
    because: int | None = None


def cause_as_root(explanation: Explanation, *, is_root: bool) -> Cause:
    """What differences that follow from a pair come from: latency, where it only heard its answers at other times."""
    only_heard = explanation.category in (Category.SAME, Category.FEE)
    return Cause.LATENCY if only_heard and not is_root else explanation.cause


def roots(explanations: Sequence[Explanation]) -> list[int]:
    """For each pair the number of the one that it follows from in the end: its own where it follows from none."""
    found: list[int] = []
    for number in range(len(explanations)):
        seen = {number}
        at = number
        while (before := explanations[at].because) is not None and before not in seen:
            seen.add(before)
            at = before
        found.append(at)
    return found
