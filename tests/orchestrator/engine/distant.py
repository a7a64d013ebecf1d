"""An engine behind a network that a test spoils, with a clock of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import msgspec

from market.errors import Retry
from market.fastpath.engine import CpuEngine
from orchestrator.engine.inputs import Input, apply
from tests.orchestrator.engine.inputs import START_NS, STEP_NS, tables

CLOCK_NS = 5_000_000_000
"""What the engine's clock says when the host's says ``START_NS``."""


@dataclass
class DistantEngine:
    """A back end; ``way_in`` says what arrives of an input, ``way_out`` what comes back of a step's outputs and log."""

    way_in: Callable[[Input], Sequence[Input]] = lambda given: [given]
    way_out: Callable[[list[bytes]], Sequence[bytes]] = lambda messages: messages
    engine: CpuEngine = field(default_factory=lambda: CpuEngine(tables()[0], event_log=True))
    arrived: list[bytes] = field(default_factory=list)
    is_closed: bool = False
    now_ns: int = 0
    steps_back: bool = False
    gone: str = ""
    name: str = "the distant engine"

    def send(self, given: Input) -> None:
        for one in self.way_in(given):
            # receive times are the engine's own: they grow whatever was given when
            self.now_ns = max(self.now_ns, one.time_ns - START_NS + CLOCK_NS)
            late_ns = STEP_NS * 2 if self.steps_back and one.numbers[4:5] == (21,) else 0
            apply(self.engine, msgspec.structs.replace(one, time_ns=self.now_ns - late_ns))
            self.arrived += self.way_out([*self.engine.outputs(), *self.engine.event_log()])

    def receive(self) -> Sequence[bytes]:
        arrived, self.arrived = self.arrived, []
        if not arrived and self.gone:
            raise Retry(self.gone)
        return arrived

    def wait(self, seconds: float) -> None:
        """Whatever comes is there at once."""

    def close(self) -> None:
        self.is_closed = True
