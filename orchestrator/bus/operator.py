"""What a run offers to whoever commands it over the bus, and how commands become calls and answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, Final, Protocol, TypeAlias, assert_never

import msgspec

from market.errors import Rejected, Retry
from orchestrator.bus import messages
from orchestrator.bus.messages import Answer, CommandMessage, Error, ErrorType, Success
from orchestrator.bus.records import NewOrder, OrderRecord, PositionRecord
from orchestrator.run_loop.access import PeriodicTask, RunAccess

_NS_PER_MS: Final = 1_000_000
_MOST_AT_ONCE: Final = 32

_CarriedOut: TypeAlias = (
    messages.Hello
    | messages.RequestSnapshot
    | messages.Pause
    | messages.Halt
    | messages.CloseAll
    | messages.Resume
    | messages.ReloadConfig
    | messages.Shutdown
)
_AnsweredNow: TypeAlias = (
    _CarriedOut
    | messages.QueryStatus
    | messages.QueryOpenOrders
    | messages.QueryOrder
    | messages.QueryPositions
    | messages.CancelOrder
)


class RunReport(msgspec.Struct, frozen=True, kw_only=True):
    """How a run is; see ``messages.RunStatus``."""

    mode: str
    epoch: int
    started_ns: int
    state: str
    reasons: tuple[str, ...]
    closing: str
    working_orders: int
    open_positions: int
    equity: Decimal
    details: dict[str, Any] = {}


class Operator(Protocol):
    """A run that can be commanded; everything is called in the loop's thread and must not wait.

    Every call may raise Rejected (the command makes no sense now) or Retry (it may later). A text that is returned is
    for people.
    """

    def report(self) -> RunReport:
        """How the run is."""

    def working_orders(self, symbol: str | None) -> Sequence[OrderRecord]:
        """Orders that have not ended, of one symbol or of all."""

    def order(self, client_order_id: str) -> OrderRecord:
        """One order of the run."""

    def positions(self) -> Sequence[PositionRecord]:
        """What is held, flat positions left out."""

    def place(self, order: NewOrder, done: Callable[[OrderRecord], None]) -> None:
        """Send an order; one with the id of an order that is there already is not sent again.

        ``done`` is called once, now or later, with the order as it was sent or refused.
        """

    def cancel(self, client_order_id: str, symbol: str) -> None:
        """Ask for an order's cancellation; an empty symbol is any."""

    def publish_snapshot(self, symbol: str, venue: str) -> str:
        """Publish a book on the data channel."""

    def pause(self, reason: str) -> str:
        """Take no new risk."""

    def halt(self, reason: str) -> str:
        """Send nothing more, cancel what works."""

    def close_all(self, reason: str) -> str:
        """Halt, and close all positions."""

    def resume(self) -> str:
        """Trade on."""

    def reload_config(self) -> str:
        """Read thresholds and limits anew."""

    def shut_down(self) -> str:
        """End the run after the step that it is in."""


def answer(command: CommandMessage, operator: Operator, now_ns: int, respond: Callable[[Answer], None]) -> None:
    """Carry a command out; what the run refuses is an Error with its words.

    Parameters
    ----------
    respond: takes the answer, now or when it is known.
    """
    name = command.command_id
    try:
        if isinstance(command, messages.PlaceOrder):
            operator.place(command.order, lambda record: respond(_placed(name, record, now_ns)))
        else:
            respond(_answer(command, operator, now_ns))
    except Rejected as refusal:
        respond(Error(command_id=name, error_type=ErrorType.REJECTED, message=str(refusal), timestamp_ns=now_ns))
    except Retry as refusal:
        respond(Error(command_id=name, error_type=ErrorType.RETRY, message=str(refusal), timestamp_ns=now_ns))


def command_task(
    take: Callable[[], CommandMessage | None],
    operator: Operator,
    respond: Callable[[Answer], None],
    every_ms: int = 10,
) -> PeriodicTask:
    """Takes commands, as ``CommandServer.take`` gives them, and answers them, in the loop's thread."""

    def drain(run: RunAccess, now_ns: int) -> None:
        for _ in range(_MOST_AT_ONCE):
            command = take()
            if command is None:
                return
            answer(command, operator, now_ns, respond)

    return PeriodicTask("commands", every_ms * _NS_PER_MS, drain)


def _answer(command: _AnsweredNow, operator: Operator, now_ns: int) -> Answer:
    name = command.command_id
    if isinstance(command, messages.QueryStatus):
        return _status(name, operator.report(), now_ns)
    if isinstance(command, messages.QueryOpenOrders):
        return messages.OpenOrders(command_id=name, orders=tuple(operator.working_orders(command.symbol)))
    if isinstance(command, messages.QueryOrder):
        return messages.OrderStatus(command_id=name, order=operator.order(command.client_order_id))
    if isinstance(command, messages.QueryPositions):
        return messages.Positions(command_id=name, positions=tuple(operator.positions()))
    if isinstance(command, messages.CancelOrder):
        operator.cancel(command.client_order_id, command.symbol)
        return messages.OrderCanceled(command_id=name, client_order_id=command.client_order_id, timestamp_ns=now_ns)
    return Success(command_id=name, message=_carry_out(command, operator), timestamp_ns=now_ns)


def _carry_out(command: _CarriedOut, operator: Operator) -> str:
    """Commands whose answer is that they were carried out."""
    match command:
        case messages.Hello():
            return "hello"
        case messages.RequestSnapshot():
            return operator.publish_snapshot(command.symbol, command.venue)
        case messages.Pause():
            return operator.pause(command.reason)
        case messages.Halt():
            return operator.halt(command.reason)
        case messages.CloseAll():
            return operator.close_all(command.reason)
        case messages.Resume():
            return operator.resume()
        case messages.ReloadConfig():
            return operator.reload_config()
        case messages.Shutdown():
            return operator.shut_down()
        case _:
            assert_never(command)


def _placed(command_id: str, record: OrderRecord, now_ns: int) -> Answer:
    if record.status == "rejected":
        return Error(command_id=command_id, error_type=ErrorType.REJECTED, message=record.reason, timestamp_ns=now_ns)
    return messages.OrderPlaced(
        command_id=command_id,
        client_order_id=record.client_order_id,
        exchange_order_id=record.exchange_order_id or None,
        timestamp_ns=now_ns,
    )


def _status(command_id: str, report: RunReport, now_ns: int) -> messages.RunStatus:
    return messages.RunStatus(command_id=command_id, timestamp_ns=now_ns, **msgspec.structs.asdict(report))
