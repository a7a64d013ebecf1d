"""A replay through a board's sockets: one input at a time, with its time, until it is in the event log.

For the simulated core that takes times from its datagrams. A board has a clock, and decides in its own time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from market.errors import Fatal, Rejected, Retry
from market.fastpath import layout
from market.fastpath.layout import SCHEMA
from market.wire.sbe import decode, encode
from orchestrator.clock import SystemClock
from orchestrator.engine.inputs import Input, InputKind, read_step
from orchestrator.engine.link import trigger_id
from orchestrator.engine.shadow import template_of
from orchestrator.fpga.back_end import BoardBackEnd

_ANSWER_NS: Final = 20_000_000_000
"""A busy machine is no loss."""
_ASK_FOR_STATUS: Final = frozenset({layout.TEMPLATE_HEARTBEAT, layout.TEMPLATE_STATUS_REQUEST})
_HASHED: Final = frozenset({layout.TEMPLATE_TRIGGER, layout.TEMPLATE_STATUS})


class LockstepEngine:
    """An ``Engine`` over UDP in which nothing is lost unnoticed.

    Every step must be in the log, with the input's bytes and time; trigger ids and status numbers must follow each
    other. Raises Fatal for anything that does not come, or is not what was sent.
    """

    def __init__(self, back_end: BoardBackEnd, clock: SystemClock) -> None:
        self._back_end, self._clock = back_end, clock
        self._outputs: list[bytes] = []
        self._hash = hashlib.sha256()
        self._steps = self._triggers = self._statuses = 0
        self._time_ns = 0
        self._sequence = 0
        self._logged = self._answered = self._told = 0
        self._current = Input(InputKind.QUOTE, 0)
        self._last_step = -1
        self._last: dict[str, Any] = {}

    def push(self, frames: Sequence[bytes], receive_ns: Sequence[int]) -> None:
        """Refused: the host makes datagrams of events itself."""
        raise Rejected(f"{len(frames)} frames came for {self._back_end.name}; expected events: leave out --frames")

    def push_quotes(self, events: NDArray[np.int64]) -> None:
        """Quote events, each a step, ``int64[n, 10]``."""
        for row in events.tolist():
            self._do(Input(InputKind.QUOTE, row[-1], tuple(row[:-1])))

    def trade(
        self,
        instrument: int,
        venue: int,
        price_exponent: int,
        quantity_exponent: int,
        aggressor: int,
        price: int,
        quantity: int,
        time_ns: int,
    ) -> None:
        """One trade."""
        numbers = (instrument, venue, price_exponent, quantity_exponent, aggressor, price, quantity)
        self._do(Input(InputKind.TRADE, time_ns, numbers))

    def control(self, message: bytes, time_ns: int) -> None:
        """One control message."""
        self._sequence = int.from_bytes(message[layout.HEADER_SIZE : layout.HEADER_SIZE + 8], "little")
        self._do(Input(InputKind.CONTROL, time_ns, message=message))

    def outputs(self) -> list[bytes]:
        """What the board has sent since the last call."""
        outputs, self._outputs = self._outputs, []
        return outputs

    def event_log(self) -> list[bytes]:
        """Nothing: every step was compared already."""
        return []

    def frame_counters(self) -> bytes:
        """Refused: a board's own frames are in them, control messages among them."""
        raise Rejected(f"frame counters of {self._back_end.name} were asked for; they are no part of a replay")

    @property
    def decision_hash(self) -> str:
        """SHA-256 of all triggers and statuses that the board has sent."""
        self._end()
        return self._hash.hexdigest()

    @property
    def parity(self) -> int:
        """The board's own."""
        return int(self._end()["parity"])

    @property
    def counters(self) -> Mapping[str, int]:
        """The board's own."""
        last = self._end()
        return {name: int(last[name]) for name in layout.STATUS_COUNTERS}

    def _end(self) -> Mapping[str, Any]:
        """What the board counted, asked for once, at the end; the question itself is not counted."""
        if not self._last:
            # an interrupt may have come while an input was on its way
            self._await(self._current)
            question = encode(SCHEMA, "StatusRequest", {"sequence": self._sequence + 1})
            self._last_step = self._steps + 1
            self._do(Input(InputKind.CONTROL, self._time_ns, message=question))
            self._last["controlApplied"] -= 1
        return self._last

    def _do(self, given: Input) -> None:
        """Send an input, and wait until it is logged and answered."""
        if self._last:
            raise Fatal("an input came after the end of the replay, when the board had been asked for its counters")
        self._steps += 1
        self._time_ns = max(self._time_ns, given.time_ns)
        self._current = given
        self._send(given)
        self._await(given)

    def _await(self, given: Input) -> None:
        deadline_ns = self._clock.monotonic_ns() + _ANSWER_NS
        while not self._is_done(given):
            messages = self._receive()
            for message in messages:
                if template_of(message) == layout.TEMPLATE_LOG_STEP:
                    self._check_step(given, message)
                else:
                    self._take(message)
            if not messages:
                self._wait(deadline_ns, given)

    def _is_done(self, given: Input) -> bool:
        if self._logged < self._steps or given.kind is not InputKind.CONTROL:
            return self._logged == self._steps
        asks = template_of(given.message) in _ASK_FOR_STATUS
        return self._answered == self._steps and (not asks or self._told == self._steps)

    def _send(self, given: Input) -> None:
        try:
            self._back_end.send(given)
        except Retry as loss:
            raise Fatal(f"input {self._steps} of the replay: {loss}") from loss

    def _receive(self) -> Sequence[bytes]:
        try:
            return self._back_end.receive()
        except Retry as loss:
            raise Fatal(f"input {self._steps} of the replay: {loss}") from loss

    def _wait(self, deadline_ns: int, given: Input) -> None:
        left_ns = deadline_ns - self._clock.monotonic_ns()
        if left_ns <= 0:
            raise Fatal(
                f"input {self._steps} of the replay, a {given.kind.name}, was lost on its way to {self._back_end.name} "
                f"or its answer was: nothing came in {_ANSWER_NS / 1e9:g} s"
            )
        self._back_end.wait(left_ns / 1e9)

    def _check_step(self, given: Input, message: bytes) -> None:
        step = read_step(message)
        if step.number != self._steps or not step.is_of(given):
            raise Fatal(f"step {step.number} came, a {step.kind.name}; expected step {self._steps}, {given.kind.name}")
        if step.time_ns != self._time_ns:
            raise Fatal(
                f"step {step.number} was done at {step.time_ns}; expected {self._time_ns}: the core takes no times "
                "from datagrams, or has seen later ones; begin with a new one: tickwire fpga soft --stamped"
            )
        self._logged = step.number

    def _take(self, message: bytes) -> None:
        """Keep an output; what is missing before it was lost."""
        template = template_of(message)
        if template == layout.TEMPLATE_TRIGGER:
            self._triggers += 1
            self._check_number("trigger", trigger_id(message), self._triggers)
        elif template == layout.TEMPLATE_STATUS:
            self._statuses += 1
            self._check_number("status", _word(message, layout.STATUS_NUMBER), self._statuses)
            self._told = _word(message, layout.STATUS_STEP)
            if self._told == self._last_step:
                self._last = dict(decode(SCHEMA, message).fields)
                return
        else:
            self._answered = _word(message, layout.ACKNOWLEDGE_STEP)
        if template in _HASHED:
            self._hash.update(message)
        self._outputs.append(message)

    def _check_number(self, what: str, number: int, expected: int) -> None:
        if number != expected:
            raise Fatal(f"{what} {number} of {self._back_end.name} came; expected {expected}: one was lost")


def _word(message: bytes, at: int) -> int:
    return int.from_bytes(message[at : at + 8], "little")
