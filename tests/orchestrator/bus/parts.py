"""Parts for tests of the bus: settings on free ports, a scripted run, a server that is drained by hand."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from config.bus import BusSettings
from market.errors import Rejected
from orchestrator.bus.client import BusClient
from orchestrator.bus.operator import RunReport, answer
from orchestrator.bus.records import BusOrderType, BusSide, BusTimeInForce, NewOrder, OrderRecord, PositionRecord
from orchestrator.bus.server import CommandServer
from orchestrator.clock import SystemClock

ANY_PORT: Final = "tcp://127.0.0.1:*"
PATIENT_MS: Final = 10_000
"""A timeout that only a broken test reaches."""


def order_record(client_order_id: str = "operator-d1-1-0", status: str = "sent", reason: str = "") -> OrderRecord:
    """An order as the bus shows it."""
    return OrderRecord(
        client_order_id=client_order_id,
        exchange_order_id="",
        strategy="operator",
        venue="binance-spot",
        symbol="BTCUSDT",
        side=BusSide.BUY,
        order_type=BusOrderType.LIMIT,
        time_in_force=BusTimeInForce.GTC,
        price=Decimal("61700.1"),
        stop_price=None,
        quantity=Decimal("0.01"),
        filled_quantity=Decimal(0),
        average_price=None,
        status=status,
        reason=reason,
        decided_ns=1,
        sent_ns=2,
        acknowledged_ns=0,
        ended_ns=0,
    )


NEW_ORDER: Final = NewOrder(
    symbol="BTCUSDT",
    side=BusSide.BUY,
    order_type=BusOrderType.LIMIT,
    quantity=Decimal("0.01"),
    price=Decimal("61700.1"),
)


@dataclass
class ScriptedRun:
    """A run that writes down what it is told.

    Members
    -------
    calls: what was asked, in order. refusal: raised by everything that can be refused.
    """

    calls: list[str] = field(default_factory=list)
    refusal: Exception | None = None

    def _note(self, call: str) -> str:
        self.calls.append(call)
        if self.refusal is not None:
            raise self.refusal
        return f"did {call}"

    def report(self) -> RunReport:
        self._note("report")
        return RunReport(
            mode="paper",
            epoch=7,
            started_ns=1_723_075_200_000_000_000,
            state="paused",
            reasons=("spread: too wide",),
            closing="idle",
            working_orders=1,
            open_positions=2,
            equity=Decimal("9999.5"),
            details={"orders sent": 12},
        )

    def working_orders(self, symbol: str | None) -> Sequence[OrderRecord]:
        self._note(f"orders {symbol}")
        return [order_record()]

    def order(self, client_order_id: str) -> OrderRecord:
        self._note(f"order {client_order_id}")
        return order_record(client_order_id)

    def positions(self) -> Sequence[PositionRecord]:
        self._note("positions")
        return [
            PositionRecord(
                venue="binance-spot",
                symbol="BTCUSDT",
                quantity=Decimal("-0.02"),
                average_price=Decimal(61700),
                mark_price=None,
                realised=Decimal("1.5"),
                unrealised=None,
                fees=Decimal("0.617"),
            )
        ]

    def place(self, order: NewOrder, done: Callable[[OrderRecord], None]) -> None:
        self._note(f"place {order.symbol} {order.quantity} at {order.price}")
        done(order_record())

    def cancel(self, client_order_id: str, symbol: str) -> None:
        self._note(f"cancel {client_order_id} {symbol}")

    def publish_snapshot(self, symbol: str, venue: str) -> str:
        return self._note(f"snapshot {symbol} {venue}")

    def pause(self, reason: str) -> str:
        return self._note(f"pause {reason}")

    def halt(self, reason: str) -> str:
        return self._note(f"halt {reason}")

    def close_all(self, reason: str) -> str:
        return self._note(f"close {reason}")

    def resume(self) -> str:
        return self._note("resume")

    def reload_config(self) -> str:
        return self._note("reload")

    def shut_down(self) -> str:
        return self._note("shutdown")


@dataclass
class Served:
    """A server whose commands a thread carries out on a scripted run."""

    server: CommandServer
    run: ScriptedRun
    settings: BusSettings
    arrived: threading.Event
    silent: bool = False
    _ended: bool = False

    def work(self) -> None:
        """Answer commands until the end."""
        clock = SystemClock()
        while not self._ended:
            self.arrived.wait(PATIENT_MS / 1e3)
            self.arrived.clear()
            while not self.silent and (command := self.server.take()) is not None:
                answer(command, self.run, clock.now_ns(), self.server.respond)

    def end(self) -> None:
        self._ended = True
        self.arrived.set()


@contextmanager
def served(**settings: Any) -> Iterator[Served]:
    """A server on free ports, and settings that lead there."""
    arrived = threading.Event()
    with CommandServer(
        command_address=ANY_PORT,
        response_address=ANY_PORT,
        high_water_mark=settings.get("high_water_mark", 1_000),
        name="run-7",
        clock=SystemClock(),
        wake=arrived.set,
    ) as server:
        made = BusSettings.model_construct(
            **{
                **BusSettings().model_dump(),
                "command_address": server.command_address,
                "response_address": server.response_address,
                "command_timeout_ms": PATIENT_MS,
                "response_timeout_ms": PATIENT_MS,
                **settings,
            }
        )
        small = Served(server, ScriptedRun(), made, arrived)
        worker = threading.Thread(target=small.work)
        worker.start()
        try:
            yield small
        finally:
            small.end()
            worker.join()


def client(settings: BusSettings, name: str = "test") -> BusClient:
    return BusClient(settings, name, SystemClock())


def refused() -> Rejected:
    return Rejected("the run has other plans")
