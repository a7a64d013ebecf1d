"""What a control unit is to do with each message of a run: taken from the reference, message by message."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from market.fastpath.conformance.case import SCHEMA, Control, Input, RawControl
from market.fastpath.conformance.random_host import RandomHost
from market.fastpath.conformance.runner import feed
from market.fastpath.reference import ReferenceEngine
from market.fastpath.specification import EngineSizes, Refusal, Result
from market.wire.sbe import decode, encode

FROM_OWNERS = (Refusal.SETTLEMENT, Refusal.BOOK_STATE, Refusal.WRONG_NUMBER, Refusal.BOOK_ORDER)
"""Refusals that need the owner's state."""
STATUS_TEMPLATES = {SCHEMA.message(name).template_id for name in ("Heartbeat", "StatusRequest")}


@dataclass(frozen=True)
class Exchange:
    """One message: the state when its turn comes, and what must come of it.

    ``acknowledgement`` is None for a message that has no answer. ``step`` and ``time`` are those after the message.
    """

    sizes: EngineSizes
    message: bytes
    killed: bool = True
    last_id: int = 0
    last_status: int = 0
    acknowledgement: bytes | None = None
    step: int = 0
    time: int = 0
    epoch: int = 0
    parity: int = 0
    status_requested: bool = False

    @property
    def result(self) -> Result | None:
        """What the acknowledgement says; None without one."""
        if self.acknowledgement is None:
            return None
        return Result(decode(SCHEMA, self.acknowledgement).fields["result"])

    @property
    def refusal(self) -> Refusal:
        """Why the acknowledgement refuses."""
        if self.acknowledgement is None:
            return Refusal.NONE
        return Refusal(decode(SCHEMA, self.acknowledgement).fields["refusal"])

    @property
    def is_step(self) -> bool:
        """Whether the message is a step."""
        return self.result in (Result.APPLIED, Result.REFUSED)

    @property
    def reaches_owner(self) -> bool:
        """Whether the message passes every check but the owner's."""
        return self.is_step and self.refusal in (Refusal.NONE, *FROM_OWNERS)


def exchange_with(engine: ReferenceEngine, message: bytes, at_ns: int) -> Exchange:
    """Give a message to a reference, and write down what it did."""
    state = engine.state
    killed, last_id, last_status = state.killed, state.last_id, state.status_number
    engine.control(message, at_ns)
    named = [(decode(SCHEMA, payload).name, payload) for payload in engine.outputs()]
    acknowledgements = [payload for name, payload in named if name == "Acknowledge"]
    acknowledgement = acknowledgements[0] if acknowledgements else None
    applied = acknowledgement is not None and decode(SCHEMA, acknowledgement).fields["result"] == Result.APPLIED
    return Exchange(
        state.sizes,
        message,
        killed=killed,
        last_id=last_id,
        last_status=last_status,
        acknowledgement=acknowledgement,
        step=state.step,
        time=state.time,
        epoch=state.epoch,
        parity=state.parity,
        status_requested=applied and int.from_bytes(message[2:4], "little") in STATUS_TEMPLATES,
    )


def start_of(sizes: EngineSizes) -> Exchange:
    """A Hello that brings a unit's numbering and epoch back to what they are at reset."""
    hello = encode(SCHEMA, "Hello", {"sequence": 0, "epoch": 0})
    fields = {"sequence": 0, "expected": 1, "step": 0, "template": 10, "result": 0, "refusal": 0}
    return Exchange(sizes, hello, acknowledgement=encode(SCHEMA, "Acknowledge", fields))


def exchanges_of(sizes: EngineSizes, inputs: Iterable[tuple[int, Input]]) -> list[Exchange]:
    """A run from reset: its control messages; the other inputs only move the reference."""
    engine = ReferenceEngine(sizes)
    found = [start_of(sizes)]
    for at_ns, given in inputs:
        if isinstance(given, Control | RawControl):
            found.append(exchange_with(engine, given.payload(), at_ns))
        else:
            feed(engine, given, at_ns)
            engine.outputs()
    return found


def random_exchanges(sizes: EngineSizes, seed: int, inputs: int) -> list[Exchange]:
    """The control messages of a random run."""
    engine = ReferenceEngine(sizes)
    host = RandomHost(engine, seed, with_frames=False)
    found = [start_of(sizes)]
    for _ in range(inputs):
        at_ns, given = host.next_input()
        if isinstance(given, Control | RawControl):
            found.append(exchange_with(engine, given.payload(), at_ns))
        else:
            feed(engine, given, at_ns)
            engine.outputs()
    return found
