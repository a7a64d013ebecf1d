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
from orchestrator.bus.messages import CommandMessage, DataMessage, ResponseMessage
from orchestrator.bus.operator import command_task
from orchestrator.bus.publisher import Publisher
from orchestrator.bus.run_operator import OperatorOrders, RunOperator
from orchestrator.bus.server import CommandServer
from orchestrator.bus.telemetry import Executions, TradeTelemetry, guard_message, health_task
from orchestrator.clock import WakingClock
from orchestrator.feeds.health import HealthMetrics
from orchestrator.risk.assembly import Risk
from orchestrator.risk.supervisor import GuardChange
from orchestrator.run_loop.access import PeriodicTask, RunAccess

Take = Callable[[], CommandMessage | None]


@dataclass(frozen=True)
class BusEnds:
    """The run's ends of the three channels: real ones, or those of a tape.

    Parameters
    ----------
    take: the next command, None when none waits. respond, publish: hand a message over.
    """

    take: Take
    respond: Callable[[ResponseMessage], None]
    publish: Callable[[DataMessage], None]


class RunBus:
    """What a run has of a bus, whoever is at the other end.

    Members
    -------
    executions: to be told of every fill. orders: the strategy that sends what the operator wants.
    """

    def __init__(self, settings: BusSettings, catalogue: Catalogue, ends: BusEnds) -> None:
        self._settings = settings
        self._catalogue = catalogue
        self._ends = ends
        self.executions = Executions(catalogue, ends.respond)
        self.orders = OperatorOrders(catalogue)

    @property
    def strategies(self) -> Sequence[Strategy]:
        """Of the run."""
        return self.orders, TradeTelemetry(self._catalogue, self._ends.publish)

    def tell(self, change: GuardChange) -> None:
        """Publish that trading was paused, halted or resumed."""
        self._ends.publish(guard_message(change))

    def tasks(
        self,
        risk: Risk,
        mode: str,
        metrics: Callable[[], Sequence[HealthMetrics]],
        reload: Callable[[RunAccess, int], str] | None,
    ) -> tuple[PeriodicTask, ...]:
        """Of the run: commands, books, health and executions."""
        books = BookFeed(risk.limits.markets, self._settings, self._ends.publish)
        operator = RunOperator(
            mode=mode,
            catalogue=self._catalogue,
            limits=risk.limits,
            supervisor=risk.supervisor,
            orders=self.orders,
            snapshot=books.publish_snapshot,
            reload=reload,
        )
        return (
            operator.task,
            command_task(self._ends.take, operator, self._ends.respond),
            books.task,
            health_task(metrics, self._ends.publish, self._settings.health_interval_ms),
            self.executions.task,
        )


@contextmanager
def open_bus(settings: BusSettings, clock: WakingClock, epoch: int) -> Iterator[BusEnds]:
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
        yield BusEnds(server.take, server.respond, publisher.publish)


def taped_bus(take: Take) -> BusEnds:
    """The ends of a run on its tape: it is commanded as it was then, and nobody listens."""
    return BusEnds(take, lambda response: None, lambda message: None)
