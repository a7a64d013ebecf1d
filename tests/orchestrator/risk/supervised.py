"""A floor under supervision, with readings that a test sets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from market.orders.order import OrderIntent
from market.protocols import TimerFired
from orchestrator.risk.assembly import Risk, assemble_risk
from orchestrator.risk.guard import Reason
from orchestrator.risk.readings import FeedReading, GatewayReading, HostReading
from orchestrator.risk.supervisor import GuardChange, RiskState
from tests.orchestrator.risk.floor import MS, Floor, floor
from tests.orchestrator.risk.test_limits_hold import FloorClock, Silent


@dataclass
class Instruments:
    """Readings that a test sets."""

    feed: list[FeedReading] = field(default_factory=list)
    gateway: list[GatewayReading] = field(default_factory=list)
    machine: HostReading = field(default_factory=lambda: HostReading(1_000, 0))
    looks: int = 0

    def feeds(self) -> Sequence[FeedReading]:
        return self.feed

    def gateways(self) -> Sequence[GatewayReading]:
        return self.gateway

    def host(self) -> HostReading:
        self.looks += 1
        return self.machine


@dataclass
class Run:
    """A floor under supervision."""

    small: Floor
    risk: Risk
    probe: Instruments
    changes: list[GuardChange]

    @property
    def stage(self) -> str:
        return self.risk.supervisor.stage.name

    @property
    def state(self) -> str:
        return self.risk.supervisor.guard.state.name

    @property
    def reasons(self) -> list[Reason]:
        return [reason for reason, _ in self.risk.supervisor.guard.pauses]

    def look(self, after_ns: int = 100 * MS) -> None:
        """Let time pass, with fresh quotes, and look."""
        self.small.now_ns += after_ns
        for quote in self.small.quotes.values():
            self.small.quotes[quote.instrument, quote.venue] = msgspec.structs.replace(quote, time_ns=self.small.now_ns)
        self.risk.supervisor.look(self.small.access, self.small.now_ns)

    def close(self) -> list[str]:
        """Let the closer look once, and place what it wants; returns the orders."""
        wanted = self.risk.strategies[0].wake(TimerFired(number=1, time_ns=self.small.now_ns), self.small)
        orders = [intent for intent in wanted if isinstance(intent, OrderIntent)]
        return [self.small.place(intent).client_order_id for intent in orders]


def run(state: RiskState | None = None, **risk: Any) -> Run:
    small = floor(**risk)
    probe, changes = Instruments(), list[GuardChange]()
    made = assemble_risk(
        small.settings, small.catalogue, Silent(), FloorClock(small), probe=probe, on_change=changes.append, state=state
    )
    small.checks = made.checks
    return Run(small, made, probe, changes)
