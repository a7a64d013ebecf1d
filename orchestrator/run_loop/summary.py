"""What a run counted and how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from market.orders.kinds import OrderState
from market.orders.order import Order
from market.protocols import MarketKey
from market.risk.position import Position

MOST_PROBLEMS = 100
"""Texts that are kept; all are counted."""


@dataclass
class RunCounts:
    """Counters of one run.

    Parameters
    ----------
    events: quotes and trades that the fast loop was fed with. unknown_fate: triggers that an engine may or may not have
        sent before it was replaced. placed: orders that were handed to the gateway.
    refused: orders that were refused before that. repeated: orders that were asked for again under the same cause.
    duplicates: reports that said nothing new. late_fills: fills of orders that had ended. contradictions: reports that
        contradict what is known, or concern no order of this run. strategy_errors: causes that a strategy refused.
    problems: the first texts of those that have one.
    """

    events: int = 0
    triggers: int = 0
    unknown_fate: int = 0
    placed: int = 0
    refused: int = 0
    repeated: int = 0
    duplicates: int = 0
    late_fills: int = 0
    contradictions: int = 0
    data_gaps: int = 0
    strategy_errors: int = 0
    problems: list[str] = field(default_factory=list)

    def note(self, problem: str) -> None:
        """Keep a text, if there is room."""
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(problem)


@dataclass(frozen=True)
class OrderTotals:
    """All orders of a run, counted by state, and their fills."""

    states: Mapping[OrderState, int]
    fills: int


@dataclass(frozen=True)
class RunSummary:
    """The outcome of a run.

    Parameters
    ----------
    decision_hash, parity, counters: of the fast loop. orders: oldest first; those that had not ended at the end of
        the run included, those that were forgotten not. totals: over all of them. positions: by instrument and venue.
    """

    decision_hash: str
    parity: int
    counters: Mapping[str, int]
    counts: RunCounts
    orders: tuple[Order, ...]
    totals: OrderTotals
    positions: Mapping[MarketKey, Position]
    interrupted: bool
