"""The link to the fast loop: an engine elsewhere, followed by a shadow here that takes its place when it fails.

What the engine does is taken from its event log and done again by the shadow, which must send the same. An engine that
dies, is silent for too long, logs what it was not given or decides otherwise is replaced at once: triggers that were
acted upon count in the shadow; triggers that only the shadow knows are listed as of unknown fate and never sent; the
shadow goes on with the next epoch and the next id. See "Event log, shadow, takeover" in docs/fastpath-specification.md.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from market.engine import QUOTE_COLUMNS
from market.errors import DataGap, Fatal, Rejected, Retry
from market.fastpath import layout
from market.fastpath.adoption import adopt_trigger
from market.fastpath.specification import EngineSizes
from orchestrator.engine.back_end import BackEnd
from orchestrator.engine.inputs import Input, InputKind, read_step
from orchestrator.engine.shadow import Shadow, template_of

_ARMS: Final = {layout.TEMPLATE_REARM: True, layout.TEMPLATE_KILL: False, layout.TEMPLATE_HELLO: False}
_SEQUENCE: Final = layout.ACKNOWLEDGE_SEQUENCE
_ARMING_TURN_S: Final = 0.05
_ARMING_TURNS: Final = 200


class Takeover(msgspec.Struct, frozen=True, kw_only=True):
    """One failure of an engine and what was done about it.

    Parameters
    ----------
    reason: what was wrong, in words. step: the last one that the shadow had followed. epoch: of the shadow from now on.
    acted: ids of triggers that were acted upon and not yet followed when it happened; they count in the shadow.
    unknown_fate: ids of triggers that only the shadow knows; they were not sent.
    """

    reason: str
    time_ns: int
    step: int
    epoch: int
    acted: tuple[int, ...]
    unknown_fate: tuple[int, ...]


class EngineLink:
    """An ``Engine`` that outlives the one behind it.

    Parameters
    ----------
    back_end: a freshly started engine that keeps an event log.
    sizes: of the engine.
    patience_ns: an input that is not in the log so long after it was given means that the engine is lost; times are
        those of the inputs, so that nothing here reads a clock.
    on_takeover: told at once.

    Attributes
    ----------
    takeover: None while the engine behind does its work.
    """

    def __init__(
        self,
        back_end: BackEnd,
        sizes: EngineSizes,
        *,
        patience_ns: int,
        on_takeover: Callable[[Takeover], None] = lambda takeover: None,
    ) -> None:
        if patience_ns < 1:
            raise Fatal(f"the patience with {back_end.name} was {patience_ns} ns; expected at least 1")
        self.takeover: Takeover | None = None
        self._back_end = back_end
        self._patience_ns = patience_ns
        self._on_takeover = on_takeover
        self._shadow = Shadow(sizes)
        self._given: deque[Input] = deque()
        self._acted: dict[int, bytes] = {}
        self._unknown_fate: list[bytes] = []
        self._waiting: list[bytes] = []
        self._answered = 0
        self._statuses: set[bytes] = set()
        self._hash = hashlib.sha256()
        self._epoch = 0
        self._sequence = 0
        self._last_id = 0
        self._time_ns = 0
        self._arming = True
        self._trading = False

    def push(self, frames: Sequence[bytes], receive_ns: Sequence[int]) -> None:
        """Refused: the engine behind a link takes events; frames reach a board by its own wire."""
        raise Rejected(
            f"{len(frames)} frames came for {self._back_end.name}; expected events: a link carries no frames"
        )

    def push_quotes(self, events: NDArray[np.int64]) -> None:
        """Give quote events on, ``int64[n, 10]``."""
        if events.ndim != 2 or events.shape[1] != len(QUOTE_COLUMNS):
            raise Rejected(f"events are {list(events.shape)}; expected {len(QUOTE_COLUMNS)} columns")
        for row in events.tolist():
            self._give(Input(InputKind.QUOTE, row[-1], tuple(row[:-1])))

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
        """Give one trade on."""
        numbers = (instrument, venue, price_exponent, quantity_exponent, aggressor, price, quantity)
        self._give(Input(InputKind.TRADE, time_ns, numbers))

    def control(self, message: bytes, time_ns: int) -> None:
        """Give one control message on."""
        self._give(Input(InputKind.CONTROL, time_ns, message=message))
        if self._arming:
            self._wait_for_answer()
            self._arming = template_of(message) != layout.TEMPLATE_REARM

    def outputs(self) -> list[bytes]:
        """What the engine, or the shadow in its place, has sent since the last call."""
        self._listen()
        outputs, self._waiting = self._waiting, []
        return outputs

    def take_unknown_fate(self) -> list[bytes]:
        """Triggers since the last call of which nobody knows whether they went out; the host settles them."""
        unknown, self._unknown_fate = self._unknown_fate, []
        return unknown

    def event_log(self) -> list[bytes]:
        """Nothing: the link itself is the one that follows the log."""
        return []

    def frame_counters(self) -> bytes:
        """Those of the shadow: a link carries no frames."""
        return self._shadow.engine.frame_counters()

    def close(self) -> None:
        """End the engine behind."""
        if self.takeover is None:
            self._back_end.close()

    @property
    def counters(self) -> Mapping[str, int]:
        """Counters as far as the shadow has followed."""
        return self._shadow.engine.counters

    @property
    def parity(self) -> int:
        """Parity as far as the shadow has followed."""
        return self._shadow.engine.parity

    @property
    def decision_hash(self) -> str:
        """SHA-256 of all triggers and statuses that came out of the link."""
        return self._hash.hexdigest()

    @property
    def behind(self) -> int:
        """How many inputs the event log has not shown yet."""
        return len(self._given)

    def _give(self, given: Input) -> None:
        self._time_ns = max(self._time_ns, given.time_ns)
        if self.takeover is None:
            self._check_patience()
        if given.kind is InputKind.CONTROL:
            self._note_control(given.message)
        if self.takeover is not None:
            self._deliver(self._shadow.follow_input(self._in_engine_time(given)))
            return
        self._keep(given)
        try:
            self._back_end.send(given)
        except Retry as loss:
            self._listen()
            if self.takeover is None:
                self._take_over(str(loss))

    def _keep(self, given: Input) -> None:
        """An input is on its way."""
        self._given.append(given)

    def _take_given(self) -> Iterator[Input]:
        """What the engine was given and did not log, in order; it is not on its way any more."""
        given, self._given = self._given, deque()
        return iter(given)

    def _in_engine_time(self, given: Input) -> Input:
        """The input with the engine's time: here the host's."""
        return given

    def _note_control(self, message: bytes) -> None:
        """Keep what a takeover must know: the numbering, the epoch, and whether triggers are wanted."""
        template = template_of(message)
        self._sequence = int.from_bytes(message[layout.HEADER_SIZE : layout.HEADER_SIZE + 8], "little")
        if template == layout.TEMPLATE_HELLO:
            at = layout.HELLO_EPOCH
            self._epoch = int.from_bytes(message[at : at + 4], "little")
        if template in _ARMS:
            self._trading = _ARMS[template]

    def _check_patience(self) -> None:
        """An engine that has not logged the oldest input for too long is lost."""
        if self._given and self._time_ns - self._given[0].time_ns > self._patience_ns:
            self._listen()
        if self.takeover is None and self._given:
            silent_ns = self._time_ns - self._given[0].time_ns
            if silent_ns > self._patience_ns:
                self._take_over(f"{self._back_end.name} was silent for {silent_ns / 1e6:g} ms")

    def _wait_for_answer(self) -> None:
        """While the engine is armed every message is answered, and logged, before the next."""
        for _ in range(_ARMING_TURNS):
            self._listen()
            if not self.behind:
                return
            self._back_end.wait(_ARMING_TURN_S)
        raise Fatal(f"{self._back_end.name} did not answer message {self._sequence} while it was armed")

    def _listen(self) -> None:
        """Take what has arrived and compare it."""
        if self.takeover is not None:
            return
        try:
            for message in self._back_end.receive():
                self._hear(message)
        except (Retry, DataGap, Rejected) as failure:
            self._take_over(str(failure))

    def _hear(self, message: bytes) -> None:
        """Deliver an output at once; follow a step of the log. Raises DataGap or Rejected for what cannot be right."""
        template = template_of(message)
        if template == layout.TEMPLATE_LOG_STEP:
            self._follow(message)
            return
        if template == layout.TEMPLATE_TRIGGER:
            number = trigger_id(message)
            if number <= self._last_id:
                raise Rejected(f"trigger {number} of {self._back_end.name} came after trigger {self._last_id}")
            self._last_id = number
            self._acted[number] = message
        elif template == layout.TEMPLATE_STATUS:
            self._statuses.add(message)
        self._deliver([message])

    def _follow(self, message: bytes) -> None:
        step = read_step(message)
        if not self._given:
            raise Rejected(f"step {step.number} of {self._back_end.name} came; it had been given nothing more")
        self._shadow.check(self._given[0], step)
        for said in self._shadow.follow(self._given.popleft(), step):
            template = template_of(said)
            if template == layout.TEMPLATE_TRIGGER:
                self._compare(step.number, said)
            elif template == layout.TEMPLATE_STATUS:
                if said not in self._statuses:
                    raise Rejected(f"the status of step {step.number} of {self._back_end.name} is not the shadow's")
                self._statuses.remove(said)

    def _compare(self, step: int, said: bytes) -> None:
        """A trigger of the shadow must be the one that was acted upon."""
        number = trigger_id(said)
        acted = self._acted.get(number)
        if acted is None:
            self._unknown_fate.append(said)
        elif acted != said:
            self._unknown_fate.append(said)
            raise Rejected(f"trigger {number} of {self._back_end.name}, step {step}, is not the shadow's")
        else:
            del self._acted[number]

    def _deliver(self, messages: Sequence[bytes]) -> None:
        """Hand messages out, and count them as decided."""
        for message in messages:
            if template_of(message) in (layout.TEMPLATE_TRIGGER, layout.TEMPLATE_STATUS):
                self._hash.update(message)
        self._hand_out(messages)

    def _hand_out(self, messages: Sequence[bytes]) -> None:
        for message in messages:
            if template_of(message) == layout.TEMPLATE_ACKNOWLEDGE:
                sequence = int.from_bytes(message[_SEQUENCE : _SEQUENCE + 8], "little")
                if sequence <= self._answered and sequence > 1:
                    continue
                self._answered = sequence
            self._waiting.append(message)

    def _take_over(self, reason: str) -> None:
        """Put the shadow in the engine's place."""
        step = self._shadow.step
        self._back_end.close()
        if self._arming:
            raise Fatal(f"{reason}, while it was being armed")
        acted = tuple(self._acted)
        self._replay_given()
        for trigger in self._acted.values():
            if not adopt_trigger(self._shadow.engine.state, trigger):
                raise Fatal(f"{self._back_end.name} sent a trigger for a market that there is not; {reason}")
        self._acted.clear()
        self._statuses.clear()
        self._epoch += 1
        unknown = tuple(trigger_id(trigger) for trigger in self._unknown_fate)
        self.takeover = Takeover(
            reason=reason, time_ns=self._time_ns, step=step, epoch=self._epoch, acted=acted, unknown_fate=unknown
        )
        now_ns = self._in_engine_time(Input(InputKind.CONTROL, self._time_ns)).time_ns
        said = self._shadow.begin_epoch(self._epoch, self._sequence, now_ns, trading=self._trading)
        self._deliver([message for message in said if template_of(message) == layout.TEMPLATE_STATUS])
        self._on_takeover(self.takeover)

    def _is_same(self, acted: bytes | None, said: bytes) -> bool:
        """Whether a trigger that was acted upon is the one that the shadow made of the same input."""
        return acted == said

    def _replay_given(self) -> None:
        """Let the shadow do what the engine was given and did not log."""
        for given in self._take_given():
            for said in self._shadow.follow_input(self._in_engine_time(given)):
                template = template_of(said)
                if template == layout.TEMPLATE_TRIGGER:
                    if self._is_same(self._acted.get(trigger_id(said)), said):
                        del self._acted[trigger_id(said)]
                    else:
                        self._unknown_fate.append(said)
                elif template != layout.TEMPLATE_STATUS or said not in self._statuses:
                    self._deliver([said])


def trigger_id(message: bytes) -> int:
    """Number of a trigger."""
    return int.from_bytes(message[layout.TRIGGER_ID : layout.TRIGGER_ID + 8], "little")
