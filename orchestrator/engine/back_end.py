"""What stands at the other end of the engine link."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from market.engine import Engine
from orchestrator.engine.inputs import Input, apply


class BackEnd(Protocol):
    """An engine that runs elsewhere, or as if it did.

    It may be slow, die, freeze or lie: the link notices. Nothing here waits for it, except ``wait``.
    """

    @property
    def name(self) -> str:
        """For messages to people."""

    def send(self, given: Input) -> None:
        """Hand an input over, in order. Raises Retry when the engine is gone or takes nothing any more."""

    def receive(self) -> Sequence[bytes]:
        """What has arrived: outputs and LogStep messages; those of a step come before its LogStep.

        Raises Retry when the engine is gone and all that it sent was returned.
        """

    def wait(self, seconds: float) -> None:
        """Wait until something arrives or the engine is gone, at most so long."""

    def close(self) -> None:
        """End it, by force if need be; nothing of it arrives any more."""


class InProcess:
    """An engine of this process behind the interface: a soft FPGA, or a CPU engine in tests.

    Parameters
    ----------
    engine: it must keep an event log.
    """

    def __init__(self, engine: Engine, name: str) -> None:
        self._engine = engine
        self._name = name

    @property
    def name(self) -> str:
        """The name given."""
        return self._name

    def send(self, given: Input) -> None:
        """Give it to the engine at once."""
        apply(self._engine, given)

    def receive(self) -> Sequence[bytes]:
        """Outputs, then log."""
        return [*self._engine.outputs(), *self._engine.event_log()]

    def wait(self, seconds: float) -> None:
        """Nothing: it has answered already."""

    def close(self) -> None:
        """Nothing: it ends with this process."""
