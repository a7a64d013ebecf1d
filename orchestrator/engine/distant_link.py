"""The link to an engine behind a network, with a clock of its own: a board.

Triggers are acted upon as they come. All else that the link says comes from the shadow, which eats the engine's log
with the engine's times: whatever message of the engine is lost on the way, answers are complete and in order, and what
does come must be what the shadow said. Lost market data only counts, as gaps of full-state feeds do; a missing step of
the log, another trigger and an unanswered control message are reasons to take over.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Final

import msgspec

from market.errors import DataGap, Rejected
from market.fastpath import layout
from market.fastpath.specification import EngineSizes
from orchestrator.engine.back_end import BackEnd
from orchestrator.engine.inputs import Input, InputKind, read_step
from orchestrator.engine.link import EngineLink, Takeover, trigger_id
from orchestrator.engine.outstanding import Outstanding
from orchestrator.engine.said import SaidBySteps
from orchestrator.engine.shadow import template_of

_LEADS_KEPT: Final = 16
"""Control messages of which the fastest says how far the engine's clock leads."""


class DistantLink(EngineLink):
    """An ``EngineLink`` whose engine may lose, repeat and reorder what is sent either way.

    Parameters
    ----------
    patience_ns: a control message that is not in the log so long after it was given means that the engine is lost; a
        trigger of the log that has not come so long after it is of unknown fate, and is never acted upon.
    on_loss: told how many inputs of markets have been lost so far, whenever that grows.

    Attributes
    ----------
    lost_inputs: market data that did not reach the engine.
    late_triggers: triggers that came when they were not acted upon any more.

    Times: the shadow's are the engine's, which counts from wherever it likes. The fastest of the last control messages
    says how far it is from the host's: triggers get the host's times by that, and inputs after a takeover the engine's.
    """

    def __init__(
        self,
        back_end: BackEnd,
        sizes: EngineSizes,
        *,
        patience_ns: int,
        on_takeover: Callable[[Takeover], None] = lambda takeover: None,
        on_loss: Callable[[int], None] = lambda count: None,
    ) -> None:
        super().__init__(back_end, sizes, patience_ns=patience_ns, on_takeover=on_takeover)
        self.lost_inputs = 0
        self.late_triggers = 0
        self._on_loss = on_loss
        self._outstanding = Outstanding()
        self._said = SaidBySteps()
        self._awaited: dict[int, tuple[int, bytes]] = {}
        self._leads: deque[int] = deque(maxlen=_LEADS_KEPT)
        self._lead_ns = 0

    @property
    def behind(self) -> int:
        """How many inputs the event log has not shown yet."""
        return len(self._outstanding)

    def _keep(self, given: Input) -> None:
        self._outstanding.add(given)

    def _take_given(self) -> Iterator[Input]:
        return self._outstanding.drain()

    def _in_engine_time(self, given: Input) -> Input:
        return msgspec.structs.replace(given, time_ns=given.time_ns + self._lead_ns)

    def _check_patience(self) -> None:
        before_ns = self._time_ns - self._patience_ns
        oldest_ns = self._outstanding.oldest_control_ns()
        if oldest_ns is not None and oldest_ns < before_ns:
            self._listen()
        if self.takeover is not None:
            return
        oldest_ns = self._outstanding.oldest_control_ns()
        if oldest_ns is not None and oldest_ns < before_ns:
            silent_ns = self._time_ns - oldest_ns
            self._take_over(f"{self._back_end.name} logged no control message for {silent_ns / 1e6:g} ms")
            return
        self._give_up(before_ns)
        lost = self._outstanding.take_lost(before_ns)
        if lost:
            self.lost_inputs += lost
            self._on_loss(self.lost_inputs)

    def _hear(self, message: bytes) -> None:
        template = template_of(message)
        if template == layout.TEMPLATE_LOG_STEP:
            self._follow(message)
        elif template == layout.TEMPLATE_TRIGGER:
            self._hear_trigger(message)
        else:
            self._said.hear(message, self._shadow.step)

    def _hear_trigger(self, message: bytes) -> None:
        """Act upon a trigger, unless its turn is over."""
        number = trigger_id(message)
        epoch = int.from_bytes(message[layout.TRIGGER_EPOCH : layout.TRIGGER_EPOCH + 4], "little")
        if epoch != self._epoch or number <= self._last_id:
            self.late_triggers += 1
            return
        self._last_id = number
        # those before it that the shadow has decided will not be acted upon any more
        self._list_awaited([other for other in self._awaited if other < number])
        self._acted[number] = message
        self._hand_out([message])
        if number in self._awaited:
            self._check_acted(number, self._awaited.pop(number)[1])

    def _follow(self, message: bytes) -> None:
        step = read_step(message)
        if step.number != self._shadow.step + 1:
            raise DataGap(
                f"step {step.number} of the event log came; expected {self._shadow.step + 1}: the log has a hole"
            )
        given = self._outstanding.take(step)
        if given.kind is InputKind.CONTROL:
            self._leads.append(step.time_ns - given.time_ns)
            self._lead_ns = min(self._leads)
        said = self._shadow.follow(msgspec.structs.replace(given, time_ns=step.time_ns), step)
        for one in said:
            if template_of(one) == layout.TEMPLATE_TRIGGER:
                self._hash.update(one)
                self._expect_trigger(one)
            else:
                self._deliver([one])
        self._said.follow(step.number, [one for one in said if template_of(one) != layout.TEMPLATE_TRIGGER])

    def _expect_trigger(self, said: bytes) -> None:
        """A trigger of the shadow has come already, may still come, or is past its turn."""
        number = trigger_id(said)
        if number in self._acted:
            self._check_acted(number, said)
        elif number > self._last_id:
            self._awaited[number] = (self._time_ns, said)
        else:
            self._unknown_fate.append(said)

    def _check_acted(self, number: int, said: bytes) -> None:
        if self._acted[number] != said:
            self._unknown_fate.append(said)
            raise Rejected(f"trigger {number} of {self._back_end.name} is not the shadow's")
        del self._acted[number]

    def _give_up(self, before_ns: int) -> None:
        """Triggers of the log that have not come for too long are never acted upon."""
        self._list_awaited([number for number, (since_ns, _) in self._awaited.items() if since_ns < before_ns])

    def _list_awaited(self, numbers: list[int]) -> None:
        for number in sorted(numbers):
            self._unknown_fate.append(self._awaited.pop(number)[1])
            self._last_id = max(self._last_id, number)

    def _take_over(self, reason: str) -> None:
        self._list_awaited(list(self._awaited))
        super()._take_over(reason)

    def _hand_out(self, messages: Sequence[bytes]) -> None:
        super()._hand_out([self._in_host_time(message) for message in messages])

    def _is_same(self, acted: bytes | None, said: bytes) -> bool:
        """Its times in the steps that it did not log are not known: neither they nor parities are compared."""
        return acted is not None and _without_time(acted) == _without_time(said)

    def _in_host_time(self, trigger: bytes) -> bytes:
        """A trigger with the host's time of its cause; other messages as they are."""
        if template_of(trigger) != layout.TEMPLATE_TRIGGER:
            return trigger
        at = layout.TRIGGER_CAUSE_TIME
        time_ns = int.from_bytes(trigger[at : at + 8], "little", signed=True) - self._lead_ns
        return trigger[:at] + time_ns.to_bytes(8, "little", signed=True) + trigger[at + 8 :]


def _without_time(trigger: bytes) -> bytes:
    """A trigger without the fields that depend on the engine's clock and on other triggers."""
    parity, time = layout.TRIGGER_PARITY, layout.TRIGGER_CAUSE_TIME
    return trigger[:parity] + trigger[parity + 4 : time] + trigger[time + 8 :]
