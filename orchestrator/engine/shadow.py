"""A CPU engine that follows another one by its event log alone, and can take its place."""

from __future__ import annotations

from market.errors import DataGap, Rejected
from market.fastpath import layout, state
from market.fastpath.engine import CpuEngine
from market.fastpath.layout import SCHEMA
from market.fastpath.specification import EngineSizes
from market.wire.sbe import encode
from orchestrator.engine.inputs import Input, Step, apply


class Shadow:
    """Does every step of an engine again, from its reset on.

    Attributes
    ----------
    engine: the follower. step: number of the last step that it has followed.
    """

    def __init__(self, sizes: EngineSizes) -> None:
        self.engine = CpuEngine(sizes)
        self.step = 0

    def check(self, given: Input, step: Step) -> None:
        """Whether a step of the log can be an input's; changes nothing.

        Raises DataGap if a step is missing before it, Rejected for a step that is made of something else.
        """
        if step.number != self.step + 1:
            raise DataGap(f"step {step.number} of the event log came; expected {self.step + 1}: the log has a hole")
        if not step.is_of(given):
            raise Rejected(
                f"step {step.number} of the event log is a {step.kind.name}; expected the {given.kind.name} given"
            )

    def follow(self, given: Input, step: Step) -> list[bytes]:
        """Do an input that was logged as a step; returns what the engine should have sent in it.

        Raises Rejected if the engine had another T in it.
        """
        said = self.follow_input(given)
        time_ns = int(self.engine.state[state.TIME])
        if step.time_ns != time_ns:
            raise Rejected(f"step {step.number} of the event log has T = {step.time_ns}; expected {time_ns}")
        return said

    def follow_input(self, given: Input) -> list[bytes]:
        """Do what the engine was given, logged or not."""
        self.step += 1
        apply(self.engine, given)
        return self.engine.outputs()

    def begin_epoch(self, epoch: int, sequence: int, time_ns: int, *, trading: bool) -> list[bytes]:
        """Go on as the engine of a new epoch, armed or killed; returns what it says to that.

        Parameters
        ----------
        sequence: the last control message of the host; the next one is expected afterwards.
        """
        said = self._control("Hello", sequence - 2, {"epoch": epoch}, time_ns)
        said += self._control("Heartbeat", sequence - 1, {}, time_ns)
        number = int(self.engine.state[state.STATUS_COUNT])
        if trading:
            return said + self._control("Rearm", sequence, {"statusNumber": number}, time_ns)
        return said + self._control("Kill", sequence, {}, time_ns)

    def _control(self, name: str, sequence: int, values: dict[str, int], time_ns: int) -> list[bytes]:
        self.step += 1
        self.engine.control(encode(SCHEMA, name, {"sequence": sequence, **values}), time_ns)
        return self.engine.outputs()


def template_of(message: bytes) -> int:
    """Template number of a message."""
    return int.from_bytes(message[layout.HEADER_TEMPLATE : layout.HEADER_SCHEMA], "little")
