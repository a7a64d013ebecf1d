"""Markets whose venue has changed how they are traded: no new orders there, and none that works.

What a run counts in ticks and lots is made of the rules at its start. Where they have changed it does not guess: the
market waits until the venue trades it again as before, or for a new run, which takes the new rules up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from market.errors import Rejected
from market.instruments import Catalogue, Listing
from market.orders.order import OrderIntent
from market.protocols import MarketKey, MarketView
from orchestrator.risk.checks.gate import CLOSING_TAG
from orchestrator.run_loop.access import PeriodicTask, RunAccess

_LOOK_NS: Final = 250_000_000
_AGAIN_NS: Final = 1_000_000_000
_OF_RULES: Final = ("-1013", "-1111", "-4003", "-4014", "-4023", "-4141", "-4164")
"""Codes of refusals by filters and closed markets, on spot and futures."""


class MarketNews(msgspec.Struct, frozen=True):
    """What a venue says of a market; ``problem``: how that is not as at the start of the run, empty when it is."""

    instrument: int
    venue: int
    problem: str


@dataclass(frozen=True)
class RulesSource:
    """Where news of markets come from.

    Parameters
    ----------
    take: all since the last call. ask: look at the venues soon; from any thread.
    """

    take: Callable[[], Sequence[MarketNews]]
    ask: Callable[[], None]


class MarketRules:
    """A ``PreTradeCheck`` and a periodic task.

    Parameters
    ----------
    pause: states a problem of a market, or with an empty text that there is none, to whoever decides about trading.
    on_change: told once of each change, with the problem, and the one before it.

    Members
    -------
    problems: markets that are not traded, and why.
    """

    def __init__(
        self,
        source: RulesSource,
        catalogue: Catalogue,
        pause: Callable[[MarketKey, str, int], None],
        on_change: Callable[[int, Listing, str, str], None],
    ) -> None:
        self._source = source
        self._catalogue = catalogue
        self._pause = pause
        self._on_change = on_change
        self._said: dict[MarketKey, str] = {}
        self._asked_ns: dict[str, int] = {}

    @property
    def problems(self) -> Mapping[MarketKey, str]:
        """Markets that are not traded, and why."""
        return {key: problem for key, problem in self._said.items() if problem}

    @property
    def task(self) -> PeriodicTask:
        """Takes the news, and sees to it that nothing works where nothing is traded."""
        return PeriodicTask("market rules", _LOOK_NS, self._look)

    def check(self, intent: OrderIntent, view: MarketView) -> None:
        """Raises Rejected for an order in such a market, but for the closing of positions: the venue decides that."""
        problem = self._said.get((intent.instrument, intent.venue))
        if problem and intent.cause.strategy != CLOSING_TAG:
            raise Rejected(f"order {intent.client_order_id}: {problem}")

    def refused(self, reason: str) -> None:
        """A venue refused an order; if that may be for changed rules, it is asked for them at once."""
        if any(code in reason for code in _OF_RULES):
            self._source.ask()

    def _look(self, run: RunAccess, now_ns: int) -> None:
        for news in self._source.take():
            key = (news.instrument, news.venue)
            before, self._said[key] = self._said.get(key, ""), news.problem
            if before != news.problem:
                self._on_change(now_ns, self._catalogue.listing(*key), before, news.problem)
        for key, problem in self._said.items():
            self._pause(key, problem, now_ns)
        self._cancel(run, now_ns)

    def _cancel(self, run: RunAccess, now_ns: int) -> None:
        problems = self.problems
        working = [order for order in run.working_orders if problems and _market(order.intent) in problems]
        asked, self._asked_ns = self._asked_ns, {}
        for order in working:
            name = order.client_order_id
            last_ns = asked.get(name)
            if last_ns is None or now_ns - last_ns >= _AGAIN_NS:
                run.cancel(name)
                last_ns = now_ns
            self._asked_ns[name] = last_ns


def _market(intent: OrderIntent) -> MarketKey:
    return intent.instrument, intent.venue
