"""The message bus of a live run: what is told to other processes, and the operator's commands."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from config.bus import BusSettings
from market.instruments import Catalogue
from market.protocols import Strategy
from orchestrator.bus.book_feed import BookFeed
from orchestrator.bus.envelope import data_codec
from orchestrator.bus.messages import DataMessage
from orchestrator.bus.operator import command_task
from orchestrator.bus.publisher import Publisher
from orchestrator.bus.run_operator import OperatorOrders, RunOperator
from orchestrator.bus.server import CommandServer
from orchestrator.bus.telemetry import Executions, TradeTelemetry, guard_message, health_task
from orchestrator.clock import WakingClock
from orchestrator.feeds.health import HealthMetrics
from orchestrator.risk.assembly import Risk
from orchestrator.risk.supervisor import GuardChange
from orchestrator.run_loop.access import PeriodicTask


@dataclass(frozen=True)
class OpenBus:
    """The three channels of a run, open.

    Parameters
    ----------
    executions: to be told of every fill. orders: the strategy that sends what the operator wants.
    """

    settings: BusSettings
    catalogue: Catalogue
    server: CommandServer
    publisher: Publisher[DataMessage]
    executions: Executions
    orders: OperatorOrders
    clock: WakingClock

    @property
    def strategies(self) -> Sequence[Strategy]:
        """Of the run."""
        return self.orders, TradeTelemetry(self.catalogue, self.publisher.publish)

    def tell(self, change: GuardChange) -> None:
        """Publish that trading was paused, halted or resumed."""
        self.publisher.publish(guard_message(change))

    def tasks(self, risk: Risk, mode: str, metrics: Callable[[], Sequence[HealthMetrics]]) -> tuple[PeriodicTask, ...]:
        """Of the run: commands, books, health and executions."""
        books = BookFeed(risk.limits.markets, self.settings, self.publisher.publish)
        operator = RunOperator(
            mode=mode,
            catalogue=self.catalogue,
            limits=risk.limits,
            supervisor=risk.supervisor,
            orders=self.orders,
            snapshot=books.publish_snapshot,
        )
        return (
            operator.task,
            command_task(self.server, operator, self.clock),
            books.task,
            health_task(metrics, self.publisher.publish, self.settings.health_interval_ms),
            self.executions.task,
        )


@contextmanager
def open_bus(settings: BusSettings, catalogue: Catalogue, clock: WakingClock, epoch: int) -> Iterator[OpenBus]:
    """Bind the three addresses; raises MissingInput when one is taken."""
    name = f"run-{epoch}"
    server = CommandServer(
        command_address=settings.command_address,
        response_address=settings.response_address,
        high_water_mark=settings.high_water_mark,
        name=name,
        clock=clock,
        wake=clock.wake,
    )
    publisher: Publisher[DataMessage] = Publisher(data_codec(), name, settings.data_address, settings.high_water_mark)
    with ExitStack() as stack:
        stack.enter_context(server)
        stack.enter_context(publisher)
        executions = Executions(catalogue, server.respond)
        yield OpenBus(settings, catalogue, server, publisher, executions, OperatorOrders(catalogue), clock)
