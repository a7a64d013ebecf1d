"""What an account on futures is told: ORDER_TRADE_UPDATE, ALGO_UPDATE and ACCOUNT_UPDATE."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from market.orders.kinds import Side
from sim.exchange.answers import Json
from sim.exchange.futures.written import ONE_WAY, FuturesWriter, algo_status, waits, working_type
from sim.exchange.numbers import eight, ms
from sim.exchange.user_data import Told
from sim.exchange.venue.events import BalanceChanged, OrderUpdated, PositionChanged, VenueEvent
from sim.exchange.venue.kinds import ExecutionKind, LedgerReason
from sim.exchange.writing import FuturesNumbers

_REASONS: Final = {
    LedgerReason.DEPOSIT: "DEPOSIT",
    LedgerReason.WITHDRAW: "WITHDRAW",
    LedgerReason.FUNDING_FEE: "FUNDING_FEE",
    LedgerReason.INSURANCE_CLEAR: "INSURANCE_CLEAR",
}
_WORKING_TYPE: Final = "CONTRACT_PRICE"
_EXECUTIONS: Final = {
    ExecutionKind.TRIGGERED: ExecutionKind.NEW.value,
    ExecutionKind.AMENDED: "AMENDMENT",
    ExecutionKind.TRADE_PREVENTION: ExecutionKind.EXPIRED.value,
}
"""Names that differ from the venue's."""


@dataclass(slots=True)
class _Changes:
    """What one batch of events changed of an account."""

    reason: str = "ORDER"
    time_ns: int = 0
    balances: dict[str, Json] = field(default_factory=dict)
    positions: dict[str, Json] = field(default_factory=dict)


class FuturesUserData:
    """Writes the events of accounts; balances and positions of one batch go into one message."""

    def __init__(self, writer: FuturesWriter, numbers: FuturesNumbers) -> None:
        self._writer = writer
        self._numbers = numbers
        self._realised: dict[tuple[str, str], int] = {}

    def told(self, events: list[VenueEvent], server_ns: int) -> Iterator[Told]:
        """The messages of a batch of events: changes of accounts first, as the exchange has it."""
        for event in events:
            if isinstance(event, OrderUpdated) and event.trade is not None:
                key = (event.account, event.order.symbol)
                self._realised[key] = self._realised.get(key, 0) + event.trade.realised_units
        yield from self._accounts(events, server_ns)
        for event in events:
            if isinstance(event, OrderUpdated):
                yield from self._order(event, server_ns)

    def _accounts(self, events: list[VenueEvent], server_ns: int) -> Iterator[Told]:
        changed: dict[str, _Changes] = {}
        for event in events:
            if isinstance(event, BalanceChanged):
                changes = changed.setdefault(event.account, _Changes())
                changes.reason = _REASONS.get(event.reason, "ORDER")
                changes.time_ns = event.time_ns
                for balance in event.balances:
                    wallet = eight(balance.total_units)
                    changes.balances[balance.asset] = {
                        "a": balance.asset,
                        "wb": wallet,
                        "cw": wallet,
                        "bc": eight(event.delta_units),
                    }
            elif isinstance(event, PositionChanged):
                changes = changed.setdefault(event.account, _Changes())
                changes.time_ns = event.time_ns
                changes.positions[event.position.symbol] = self._position(event)
        for account, changes in changed.items():
            yield Told(
                account,
                {
                    "e": "ACCOUNT_UPDATE",
                    "E": ms(server_ns),
                    "T": ms(changes.time_ns),
                    "a": {
                        "m": changes.reason,
                        "B": list(changes.balances.values()),
                        "P": list(changes.positions.values()),
                    },
                },
            )

    def _position(self, event: PositionChanged) -> Json:
        position = event.position
        return {
            "s": position.symbol,
            "pa": self._numbers.quantity(position.symbol, position.quantity_lots),
            "ep": self._writer.entry_price(position, position.cost_units),
            "bep": self._writer.entry_price(position, position.break_even_units),
            "cr": eight(self._realised.get((event.account, position.symbol), 0)),
            "up": eight(position.unrealised_units),
            "mt": "cross",
            "iw": "0",
            "ps": ONE_WAY,
        }

    def _order(self, event: OrderUpdated, server_ns: int) -> Iterator[Told]:
        order = event.order
        if order.kind.has_stop and (waits(order) or event.execution is ExecutionKind.TRIGGERED or not order.is_open):
            yield Told(event.account, self._algo(event, server_ns))
        if not waits(order):
            is_fill = event.execution is ExecutionKind.TRADE
            yield Told(event.account, self._execution(event, server_ns), is_fill=is_fill)

    def _execution(self, event: OrderUpdated, server_ns: int) -> dict[str, Json]:
        order, trade, numbers = event.order, event.trade, self._numbers
        symbol = order.symbol
        notional = eight(self._writer.working_units(order))
        commission: dict[str, Json] = {}
        if trade is not None:
            commission = {"N": trade.commission_asset, "n": eight(trade.commission_units)}
        written: dict[str, Json] = {
            "s": symbol,
            "c": order.client_order_id,
            "S": order.side.name,
            "o": working_type(order),
            "f": order.time_in_force.value,
            "q": numbers.quantity(symbol, order.quantity_lots),
            "p": numbers.price(symbol, order.price_ticks),
            "ap": self._writer.average(order),
            "sp": numbers.price(symbol, order.stop_ticks),
            "x": _EXECUTIONS.get(event.execution, event.execution.value),
            "X": order.status.value,
            "i": order.order_id,
            "l": numbers.quantity(symbol, trade.quantity_lots if trade else 0),
            "z": numbers.quantity(symbol, order.executed_lots),
            "L": numbers.price(symbol, trade.price_ticks if trade else 0),
            **commission,
            "T": ms(event.time_ns),
            "t": trade.trade_id if trade else 0,
            "b": notional if order.side is Side.BUY else "0",
            "a": notional if order.side is Side.SELL else "0",
            "m": trade.is_maker if trade else False,
            "R": order.reduce_only,
            "wt": _WORKING_TYPE,
            "ot": order.kind.futures_name,
            "ps": ONE_WAY,
            "cp": order.close_position,
            "rp": eight(trade.realised_units if trade else 0),
            "pP": False,
            "si": 0,
            "ss": 0,
            "V": order.self_trade_prevention.value,
            "pm": "NONE",
            "gtd": 0,
        }
        return {"e": "ORDER_TRADE_UPDATE", "E": ms(server_ns), "T": ms(event.time_ns), "o": written}

    def _algo(self, event: OrderUpdated, server_ns: int) -> dict[str, Json]:
        order, numbers = event.order, self._numbers
        symbol = order.symbol
        written: dict[str, Json] = {
            "caid": order.client_order_id,
            "aid": order.order_id,
            "at": "CONDITIONAL",
            "o": order.kind.futures_name,
            "s": symbol,
            "S": order.side.name,
            "ps": ONE_WAY,
            "f": order.time_in_force.value,
            "q": numbers.quantity(symbol, order.quantity_lots),
            "X": algo_status(order),
            "ai": "" if waits(order) else str(order.order_id),
            "ap": self._writer.average(order),
            "aq": numbers.quantity(symbol, order.executed_lots),
            "act": "" if waits(order) else working_type(order),
            "tp": numbers.price(symbol, order.stop_ticks),
            "p": numbers.price(symbol, order.price_ticks),
            "V": order.self_trade_prevention.value,
            "wt": _WORKING_TYPE,
            "pm": "NONE",
            "cp": order.close_position,
            "pP": False,
            "R": order.reduce_only,
            "tt": ms(order.working_ns),
            "gtd": 0,
            "rm": "",
        }
        return {"e": "ALGO_UPDATE", "T": ms(event.time_ns), "E": ms(server_ns), "o": written}
