"""What became of the attempts at arbitrage."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from market.orders.order import Order
from market.protocols import Trigger
from orchestrator.strategies.two_leg_plan import Outcome, TwoLegPlan

MOST_SHADOWS = 10_000
"""Attempts of the shadow mode that are kept; all are counted."""


class Skip(Enum):
    """Why a trigger was left alone."""

    BUSY = "as many plans run as may"
    LATE = "the quote that caused it is too old"
    THIN = "its gain after fees is below the margin"
    OWN = "it would trade with our own orders"
    STOCK = "the balances allow no quantity that both venues take"


@dataclass(frozen=True)
class ShadowAttempt:
    """What would have been sent, and whether the quotes were still there when it would have arrived.

    Parameters
    ----------
    quantity: of both legs. edge: gain after fees, in price counts.
    """

    trigger: Trigger
    quantity: int
    decided_ns: int
    is_hit: bool


@dataclass
class Delays:
    """Times between the two legs, in ns."""

    count: int = 0
    total_ns: int = 0
    longest_ns: int = 0

    def add(self, delay_ns: int) -> None:
        """One more."""
        self.count += 1
        self.total_ns += delay_ns
        self.longest_ns = max(self.longest_ns, delay_ns)

    @property
    def mean_ns(self) -> float | None:
        """None before the first."""
        return self.total_ns / self.count if self.count else None


@dataclass
class ArbitrageMetrics:
    """Counters of one run.

    Parameters
    ----------
    attempts: plans that were sent, or would have been in shadow mode. outcomes: of those that have ended.
    skipped: triggers left alone, by reason. profit: of ended plans after fees, in notional counts by instrument.
    sent_delays: between the sending of the two legs; filled_delays: between hearing of their first fills.
    shadows: the latest attempts of the shadow mode, oldest first. shadow_hits: how many of all would have met quotes.
    """

    attempts: int = 0
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    skipped: Counter[Skip] = field(default_factory=Counter)
    profit: Counter[int] = field(default_factory=Counter)
    sent_delays: Delays = field(default_factory=Delays)
    filled_delays: Delays = field(default_factory=Delays)
    shadows: deque[ShadowAttempt] = field(default_factory=lambda: deque(maxlen=MOST_SHADOWS))
    shadow_hits: int = 0
    shadow_misses: int = 0

    def ended(self, plan: TwoLegPlan) -> None:
        """Count a plan that has ended."""
        if plan.outcome is None:
            return
        self.outcomes[plan.outcome] += 1
        self.profit[plan.trigger.instrument] += plan.profit
        first, second = plan.legs
        if first is not None and second is not None:
            if first.sent_ns and second.sent_ns:
                self.sent_delays.add(abs(first.sent_ns - second.sent_ns))
            if first.fills and second.fills:
                self.filled_delays.add(abs(_first_fill_ns(first) - _first_fill_ns(second)))

    def reopened(self, outcome: Outcome, plan: TwoLegPlan, profit: int) -> None:
        """Take back what was counted for a plan that a late fill woke up."""
        self.outcomes[outcome] -= 1
        self.profit[plan.trigger.instrument] -= profit

    def shadow(self, attempt: ShadowAttempt) -> None:
        """Keep an attempt of the shadow mode."""
        self.shadows.append(attempt)
        self.shadow_hits += attempt.is_hit
        self.shadow_misses += not attempt.is_hit

    @property
    def hit_rate(self) -> float | None:
        """Share of the ended attempts whose stale quote was caught whole; in shadow mode of those that would have."""
        hits = self.outcomes[Outcome.COMPLETE] + self.shadow_hits
        ended = self.outcomes.total() + self.shadow_hits + self.shadow_misses
        return hits / ended if ended else None

    @property
    def broken_share(self) -> float | None:
        """Share of the ended attempts with a partial or failed leg."""
        ended = self.outcomes.total()
        return 1 - self.outcomes[Outcome.COMPLETE] / ended if ended else None

    def as_numbers(self) -> Mapping[str, float]:
        """Everything that is a number, by name, for logs and exporters."""
        numbers: dict[str, float] = {"attempts": self.attempts}
        numbers |= {f"outcome_{outcome.name.lower()}": self.outcomes[outcome] for outcome in Outcome}
        numbers |= {f"skipped_{skip.name.lower()}": self.skipped[skip] for skip in Skip}
        for name, delays in (("sent", self.sent_delays), ("filled", self.filled_delays)):
            if delays.mean_ns is not None:
                numbers |= {f"{name}_delay_mean_ns": delays.mean_ns, f"{name}_delay_longest_ns": delays.longest_ns}
        for name, share in (("hit_rate", self.hit_rate), ("broken_share", self.broken_share)):
            if share is not None:
                numbers[name] = share
        return numbers


def _first_fill_ns(order: Order) -> int:
    return min(fill.receive_ns for fill in order.fills)
