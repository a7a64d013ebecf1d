"""The run's own orders, matched once more by the backtest's exchanges: what would have become of them if ...

Requests leave as they did in the run and arrive when a variant says so; what the strategy would have done otherwise is
not asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

import numpy as np

from config.backtest import Queue
from market.errors import Fatal
from market.orders.events import CancelRequested, OutcomeUnknown, Sent
from market.orders.kinds import Liquidity, OrderType, Side, TimeInForce
from market.orders.order import Order
from orchestrator.backtest.plan import QUEUES, Plan
from orchestrator.diff.story import Told
from sim.backtest.core import BacktestCore, MatchModel
from sim.backtest.latency import Latency
from sim.backtest.layout import EXCHANGE_NS, FOREVER, RECEIVE_NS, Outcome, Report
from sim.backtest.tape import Tape
from sim.matching.layout import ASK, BID, EventKind, Prevention, Term

_TERMS: Final = {TimeInForce.GTC: Term.GTC, TimeInForce.IOC: Term.IOC, TimeInForce.FOK: Term.FOK}
_TRADED: Final = int(EventKind.TRADED)
_SHARES: Final = (0.5, 0.0, 0.25, 0.75, 1.0)


@dataclass(frozen=True)
class Refill:
    """A fill of a variant; counts of the instrument, the exchange's time on the receiver's clock."""

    price: int
    quantity: int
    liquidity: Liquidity
    exchange_ns: int


class Kind(StrEnum):
    """What a variant changes."""

    BASE = "base"
    ARRIVAL = "arrival"
    BOOK = "book"
    IMPACT = "impact"
    QUEUE = "queue"


@dataclass(frozen=True)
class Variant:
    """One way to match the run's orders.

    Parameters
    ----------
    text: what it assumes. share: requests arrive after that share of the time from sending to the first answer; None:
    after ``entry_ns``, and of the base when the settings say. queue, impact, partial: in place of the settings'.
    as_received: whether exchanges have what the run had received, as on paper. depth_only: and know no best prices that
    venues state apart from their books.
    """

    kind: Kind
    text: str
    share: float | None = None
    entry_ns: int = 0
    queue: Queue | None = None
    impact: bool | None = None
    partial: bool | None = None
    as_received: bool = False
    depth_only: bool = False


def variants(plan: Plan, paper_ns: int | None) -> list[Variant]:
    """The base, then what is tried in its place; ``paper_ns``: the latency of a run on paper."""
    backtest = plan.settings.backtest
    found = [Variant(Kind.BASE, "the settings of the backtest")]
    if paper_ns is not None:
        near = Variant(Kind.ARRIVAL, "the latency of the run on paper", entry_ns=paper_ns, as_received=True)
        found += [near, replace(near, kind=Kind.BOOK, text="the depth that trading on paper meets", depth_only=True)]
    found += [
        Variant(Kind.ARRIVAL, f"arrival {share:.0%} of the way from sending to the answer", share=share)
        for share in _SHARES
    ]
    if paper_ns is None:
        measured = Variant(Kind.QUEUE, "", share=0.5)
    else:
        measured = Variant(Kind.QUEUE, "", entry_ns=paper_ns, as_received=True)
    impact = not backtest.own_impact
    says = "what orders took is gone" if impact else "what orders took is there again"
    found.append(replace(measured, kind=Kind.IMPACT, text=says, impact=impact))
    found += [
        replace(measured, text=f"queue model {queue.value}", queue=queue)
        for queue in Queue
        if queue is not backtest.queue
    ]
    partial = not backtest.partial_fills
    found.append(replace(measured, text="fills of parts" if partial else "fills of whole orders", partial=partial))
    return found


@dataclass(frozen=True)
class _Request:
    at_ns: int
    number: int
    market: int
    order: Order | None
    """None: a cancellation."""


class Refills:
    """The fills of every variant, by client order id.

    Parameters
    ----------
    orders: of the run, those that were sent. depth: the tape without stated best prices, where a variant wants it.
    ``tell`` is called once per variant.
    """

    def __init__(
        self,
        plan: Plan,
        orders: Sequence[Told],
        tried: Sequence[Variant],
        tell: Callable[[str], None],
        depth: Tape | None = None,
    ) -> None:
        self._plan = plan
        self._orders = [
            told
            for told in orders
            if told.was_sent
            and not told.is_taken_over
            and told.intent.type in (OrderType.LIMIT, OrderType.MARKET)
            and (told.intent.instrument, told.intent.venue) in plan.markets
        ]
        self._received = as_received(plan.tape) if any(each.as_received for each in tried) else plan.tape
        self._depth = self._received if depth is None else as_received(depth)
        self.by_variant: list[tuple[Variant, Mapping[str, Sequence[Refill]]]] = []
        for variant in tried:
            tell(variant.text)
            self.by_variant.append((variant, self._fills(variant)))

    def arrival_ns(self, told: Told, variant: Variant) -> int:
        """When an order arrives; of the base, when it leaves."""
        return _after(told.order.sent_ns, _answered_ns(told), variant)

    def _fills(self, variant: Variant) -> dict[str, list[Refill]]:
        plan = self._plan
        core = BacktestCore(
            self._depth if variant.depth_only else self._received if variant.as_received else plan.tape,
            [_model(model, variant) for model in plan.models],
            capacity=8_192,
            keeps_received=False,
        )
        found: dict[str, list[Refill]] = {told.order.client_order_id: [] for told in self._orders}
        for request in sorted(self._requests(variant), key=lambda each: each.at_ns):
            self._play(core, max(request.at_ns, 0), found)
            _send(core, request, plan)
        self._play(core, plan.tape.last_ns, found)
        return found

    def _requests(self, variant: Variant) -> list[_Request]:
        requests: list[_Request] = []
        for number, told in enumerate(self._orders):
            market = self._plan.markets[told.intent.instrument, told.intent.venue].number
            arrives_ns = self.arrival_ns(told, variant)
            requests.append(_Request(arrives_ns, number, market, told.order))
            for line in told.lines:
                if isinstance(line.event, CancelRequested):
                    asked_ns = line.event.time_ns
                    at_ns = _after(asked_ns, told.order.ended_ns or asked_ns, variant)
                    requests.append(_Request(max(at_ns, arrives_ns), number, market, None))
        return requests

    def _play(self, core: BacktestCore, until_ns: int, found: Mapping[str, list[Refill]]) -> None:
        """Let time pass at the exchanges, and keep the fills."""
        until_ns = max(until_ns, core.now_ns)
        while True:
            outcome = core.advance(until_ns)
            for number in range(len(core.tape.markets)):
                for row in core.reports(number, FOREVER).tolist():
                    if row[Report.KIND] == _TRADED:
                        told = self._orders[row[Report.ID]]
                        found[told.order.client_order_id].append(self._refill(told, row))
            if outcome is Outcome.TIME or outcome is Outcome.END:
                return
            if outcome is not Outcome.ROOM:
                raise Fatal(f"matching the run's orders again stopped with {outcome.name}; expected TIME")

    def _refill(self, told: Told, row: list[int]) -> Refill:
        listing = self._plan.markets[told.intent.instrument, told.intent.venue].listing
        return Refill(
            row[Report.PRICE] * listing.tick,
            row[Report.LOTS] * listing.lot,
            Liquidity(row[Report.LIQUIDITY]),
            row[Report.EXCHANGE_NS],
        )


def _send(core: BacktestCore, request: _Request, plan: Plan) -> None:
    if request.order is None:
        core.cancel(request.market, request.number)
        return
    intent = request.order.intent
    listing = plan.markets[intent.instrument, intent.venue].listing
    core.order(
        request.market,
        request.number,
        BID if intent.side is Side.BUY else ASK,
        intent.limit_price // listing.tick,
        intent.quantity // listing.lot,
        term=Term.POST_ONLY if intent.post_only else _TERMS[intent.time_in_force],
        prevention=Prevention.EXPIRE_MAKER,
    )


def _after(sent_ns: int, answered_ns: int, variant: Variant) -> int:
    if variant.share is None:
        return sent_ns + variant.entry_ns
    return sent_ns + round(variant.share * max(answered_ns - sent_ns, 0))


def _answered_ns(told: Told) -> int:
    """When the first answer of the venue was heard; the sending where there was none."""
    for line in told.lines:
        if not isinstance(line.event, Sent | CancelRequested | OutcomeUnknown):
            return line.event.time_ns
    return told.order.sent_ns


def _model(model: MatchModel, variant: Variant) -> MatchModel:
    return replace(
        model,
        latency=model.latency if variant.kind is Kind.BASE else Latency(),
        queue=model.queue if variant.queue is None else QUEUES[variant.queue],
        impact=model.impact if variant.impact is None else variant.impact,
        partial=model.partial if variant.partial is None else variant.partial,
    )


def as_received(tape: Tape) -> Tape:
    """Exchanges that have everything when the run has received it."""
    rows = tape.rows[tape.received].copy()
    rows[:, EXCHANGE_NS] = rows[:, RECEIVE_NS]
    return replace(tape, rows=np.ascontiguousarray(rows), received=np.arange(len(rows), dtype=np.int64))
