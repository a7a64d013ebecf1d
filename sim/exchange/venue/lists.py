"""Order lists: pairs of which one cancels the other."""

from __future__ import annotations

from sim.exchange.venue.events import ListUpdated, VenueEvent
from sim.exchange.venue.kinds import ListStatus
from sim.exchange.venue.orders import NO_LIST, WorkingOrder
from sim.exchange.venue.records import OrderList
from sim.exchange.venue.refusals import VenueRefusal


class Pair:
    """An OCO pair; the order above is the first."""

    __slots__ = ("is_done", "list_client_order_id", "list_id", "orders")

    def __init__(self, list_id: int, list_client_order_id: str, orders: tuple[WorkingOrder, WorkingOrder]) -> None:
        self.list_id = list_id
        self.list_client_order_id = list_client_order_id or f"list-{list_id}"
        self.orders = orders
        self.is_done = False

    def record(self, now_ns: int) -> OrderList:
        """The list as it is now."""
        first = self.orders[0]
        return OrderList(
            list_id=self.list_id,
            list_client_order_id=self.list_client_order_id,
            account=first.account.name,
            symbol=first.model.symbol,
            status=ListStatus.ALL_DONE if self.is_done else ListStatus.EXECUTING,
            orders=tuple(order.record() for order in self.orders),
            time_ns=now_ns,
        )


class Lists:
    """All pairs of a venue."""

    def __init__(self) -> None:
        self._pairs: dict[int, Pair] = {}
        self._by_client_id: dict[tuple[str, str], Pair] = {}

    def next_id(self) -> int:
        """A new list's number."""
        return len(self._pairs) + 1

    def add(self, pair: Pair) -> None:
        """Keep a pair."""
        self._pairs[pair.list_id] = pair
        self._by_client_id[pair.orders[0].account.name, pair.list_client_order_id] = pair

    def find(self, account: str, list_id: int, list_client_order_id: str) -> Pair:
        """An account's pair; raises VenueRefusal if there is none."""
        if list_id == NO_LIST:
            pair = self._by_client_id.get((account, list_client_order_id))
        else:
            pair = self._pairs.get(list_id)
        if pair is None or pair.orders[0].account.name != account:
            raise VenueRefusal(-2013, "Order list does not exist.")
        return pair

    def sibling(self, order: WorkingOrder) -> WorkingOrder | None:
        """The other order of an order's list; None if there is none or it has ended."""
        if order.list_id == NO_LIST:
            return None
        first, second = self._pairs[order.list_id].orders
        other = second if order is first else first
        return other if other.status.is_open else None

    def tell_if_done(self, order: WorkingOrder, out: list[VenueEvent], now_ns: int) -> None:
        """Append an event when the last order of a list has ended."""
        if order.list_id == NO_LIST:
            return
        pair = self._pairs[order.list_id]
        if not any(each.status.is_open for each in pair.orders):
            pair.is_done = True
            out.append(ListUpdated(account=order.account.name, order_list=pair.record(now_ns), time_ns=now_ns))
