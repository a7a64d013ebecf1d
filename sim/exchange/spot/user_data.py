"""What an account on spot is told: executionReport, listStatus, outboundAccountPosition, balanceUpdate."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sim.exchange.answers import Json
from sim.exchange.numbers import eight, ms
from sim.exchange.user_data import Told
from sim.exchange.venue.events import BalanceChanged, ListUpdated, OrderUpdated, VenueEvent
from sim.exchange.venue.kinds import ExecutionKind, LedgerReason, ListStatus
from sim.exchange.writing import SpotNumbers

_EXECUTIONS: Final = {ExecutionKind.TRIGGERED: ExecutionKind.NEW.value, ExecutionKind.AMENDED: "REPLACED"}
"""Names that differ from the venue's."""


class SpotUserData:
    """Writes the events of accounts."""

    def __init__(self, numbers: SpotNumbers) -> None:
        self._numbers = numbers

    def told(self, events: list[VenueEvent], server_ns: int) -> Iterator[Told]:
        """The messages of a batch of events, in order."""
        for event in events:
            if isinstance(event, OrderUpdated):
                is_fill = event.execution is ExecutionKind.TRADE
                yield Told(event.account, self._execution(event, server_ns), is_fill=is_fill)
            elif isinstance(event, ListUpdated):
                yield Told(event.account, _list_status(event, server_ns))
            elif isinstance(event, BalanceChanged):
                yield from self._balances(event, server_ns)

    def _balances(self, event: BalanceChanged, server_ns: int) -> Iterator[Told]:
        if event.reason in (LedgerReason.DEPOSIT, LedgerReason.WITHDRAW):
            for balance in event.balances:
                yield Told(
                    event.account,
                    {
                        "e": "balanceUpdate",
                        "E": ms(server_ns),
                        "a": balance.asset,
                        "d": eight(event.delta_units),
                        "T": ms(event.time_ns),
                    },
                )
        balances: list[Json] = [
            {"a": balance.asset, "f": eight(balance.free_units), "l": eight(balance.locked_units)}
            for balance in event.balances
        ]
        yield Told(
            event.account,
            {"e": "outboundAccountPosition", "E": ms(server_ns), "u": ms(event.time_ns), "B": balances},
        )

    def _execution(self, event: OrderUpdated, server_ns: int) -> dict[str, Json]:
        order, trade, numbers = event.order, event.trade, self._numbers
        cancels = event.execution is ExecutionKind.CANCELED
        request_id = event.request_client_order_id or f"cancel-{order.order_id}"
        symbol = order.symbol
        working: dict[str, Json] = {"W": ms(order.working_ns)} if order.working_ns else {}
        return {
            "e": "executionReport",
            "E": ms(server_ns),
            "s": symbol,
            "c": request_id if cancels else order.client_order_id,
            "S": order.side.name,
            "o": order.kind.value,
            "f": order.time_in_force.value,
            "q": numbers.quantity(symbol, order.quantity_lots),
            "p": numbers.price(symbol, order.price_ticks),
            "P": numbers.price(symbol, order.stop_ticks),
            "F": eight(0),
            "g": order.list_id,
            "C": order.client_order_id if cancels else "",
            "x": _EXECUTIONS.get(event.execution, event.execution.value),
            "X": order.status.value,
            "r": "NONE",
            "i": order.order_id,
            "l": numbers.quantity(symbol, trade.quantity_lots if trade else 0),
            "z": numbers.quantity(symbol, order.executed_lots),
            "L": numbers.price(symbol, trade.price_ticks if trade else 0),
            "n": eight(trade.commission_units) if trade else "0",
            "N": trade.commission_asset if trade else None,
            "T": ms(event.time_ns),
            "t": trade.trade_id if trade else -1,
            "I": order.order_id,
            "w": order.is_open and order.working,
            "m": trade.is_maker if trade else False,
            "M": bool(trade),
            "O": ms(order.created_ns),
            "Z": eight(order.executed_units),
            "Y": eight(trade.quote_units) if trade else eight(0),
            "Q": eight(order.quote_units),
            **working,
            "V": order.self_trade_prevention.value,
        }


def _list_status(event: ListUpdated, server_ns: int) -> dict[str, Json]:
    executing = event.order_list.status is ListStatus.EXECUTING
    return {
        "e": "listStatus",
        "E": ms(server_ns),
        "s": event.order_list.symbol,
        "g": event.order_list.list_id,
        "c": "OCO",
        "l": "EXEC_STARTED" if executing else "ALL_DONE",
        "L": "EXECUTING" if executing else "ALL_DONE",
        "r": "NONE",
        "C": event.order_list.list_client_order_id,
        "T": ms(event.time_ns),
        "O": [
            {"s": order.symbol, "i": order.order_id, "c": order.client_order_id} for order in event.order_list.orders
        ],
    }
