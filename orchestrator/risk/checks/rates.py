"""How fast and how much is sent to venues, and how little of it trades."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

from market.errors import Rejected
from market.orders.order import OrderIntent
from market.protocols import MarketView
from market.risk.order_flow import OrderFlow
from orchestrator.risk.limits import RiskLimits

_NS_PER_S: Final = 1_000_000_000


class MessageRate:
    """Refuses an order when too much was sent to its venue within the last second.

    Cancels and questions count and always pass: what is at stake must never grow because a limit was reached.
    """

    def __init__(self, limits: RiskLimits) -> None:
        self._most = limits.messages_per_s
        self._sent: dict[int, deque[int]] = {venue: deque() for venue in self._most}

    def use(self, limits: RiskLimits) -> None:
        """Judge by other limits from here on."""
        self._most = limits.messages_per_s

    def note(self, venue: int, time_ns: int) -> None:
        """Something was sent."""
        self._sent[venue].append(time_ns)

    def count(self, venue: int, now_ns: int) -> int:
        """Messages of the last second."""
        sent = self._sent[venue]
        while sent and sent[0] <= now_ns - _NS_PER_S:
            sent.popleft()
        return len(sent)

    def __call__(self, intent: OrderIntent, view: MarketView) -> None:
        """Raises Rejected naming the limit."""
        count = self.count(intent.venue, view.now_ns)
        if count >= self._most[intent.venue]:
            raise Rejected(
                f"order {intent.client_order_id}: {count} messages were sent to venue {intent.venue} within a second; "
                f"expected fewer than {self._most[intent.venue]}"
            )


@dataclass
class _Slice:
    """Counts of a part of the window."""

    start_ns: int
    flow: OrderFlow


class FlowRatios:
    """Refuses orders while too many orders and cancels come to a trade, or too many cancels to an order.

    The window slides in sixty steps.
    """

    _STEPS: Final = 60

    def __init__(self, limits: RiskLimits) -> None:
        self._slices: deque[_Slice] = deque()
        self.use(limits)

    def use(self, limits: RiskLimits) -> None:
        """Judge by other limits from here on; what was counted stays."""
        settings = limits.settings.limits
        self._window_ns = settings.flow_window_s * _NS_PER_S
        self._step_ns = max(self._window_ns // self._STEPS, 1)
        self._minimum_orders = settings.flow_minimum_orders
        self._most_messages = settings.maximum_order_to_trade
        self._most_cancels_pct = int(settings.maximum_cancel_pct)

    def order(self, time_ns: int) -> None:
        """An order was sent."""
        slice_ = self._slice(time_ns)
        slice_.flow = slice_.flow.with_order()

    def cancel(self, time_ns: int) -> None:
        """A cancel was sent."""
        slice_ = self._slice(time_ns)
        slice_.flow = slice_.flow.with_cancel()

    def trade(self, time_ns: int) -> None:
        """An order was filled, in part or in full."""
        slice_ = self._slice(time_ns)
        slice_.flow = slice_.flow.with_trade()

    def flow(self, now_ns: int) -> OrderFlow:
        """Counts over the window."""
        while self._slices and self._slices[0].start_ns <= now_ns - self._window_ns:
            self._slices.popleft()
        flows = [slice_.flow for slice_ in self._slices]
        return OrderFlow(
            orders=sum(flow.orders for flow in flows),
            cancels=sum(flow.cancels for flow in flows),
            trades=sum(flow.trades for flow in flows),
        )

    def __call__(self, intent: OrderIntent, view: MarketView) -> None:
        """Raises Rejected naming the ratio."""
        flow = self.flow(view.now_ns)
        if flow.orders < self._minimum_orders:
            return
        if flow.exceeds_order_to_trade(self._most_messages):
            raise Rejected(
                f"order {intent.client_order_id}: {flow.orders + flow.cancels} orders and cancels came to "
                f"{flow.trades} fills; expected at most {self._most_messages} for each"
            )
        if flow.exceeds_cancels(self._most_cancels_pct):
            raise Rejected(
                f"order {intent.client_order_id}: {flow.cancels} of {flow.orders} orders were cancelled; expected at "
                f"most {self._most_cancels_pct} %"
            )

    def _slice(self, time_ns: int) -> _Slice:
        if not self._slices or time_ns >= self._slices[-1].start_ns + self._step_ns:
            self._slices.append(_Slice(time_ns, OrderFlow()))
        return self._slices[-1]
