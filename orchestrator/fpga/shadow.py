"""A CPU engine that follows a board by its event log."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from market.errors import DataGap, Rejected
from market.fastpath import layout
from market.fastpath.engine import CpuEngine
from market.fastpath.layout import SCHEMA
from market.fastpath.specification import EngineSizes, StepKind
from market.wire.sbe import Decoded, decode, encode

_WORD: Final = 8


def log_steps(datagram: bytes) -> Iterator[Decoded]:
    """The LogStep messages of a datagram of the log, each filled up to whole words; raises ``Rejected`` for others."""
    at = 0
    while at < len(datagram):
        step = decode(SCHEMA, datagram[at:])
        if step.name != "LogStep":
            raise Rejected(f"a {step.name} message in the event log; expected LogStep")
        yield step
        at += -(-step.length // _WORD) * _WORD


class LogShadow:
    """Does every step of a board again, from a Hello on; its triggers have the board's ids and parities.

    Parameters
    ----------
    sizes: of the board.
    identity, parity: its last trigger's id, and its parity, before the first step that is followed.
    first: number of that step, which must be the Hello's.

    Attributes
    ----------
    next_step: number of the step that is followed next.
    triggers: Trigger messages so far.

    Numbers of statuses are the shadow's own; a Rearm that the board has applied names the shadow's last one here.
    """

    def __init__(self, sizes: EngineSizes, identity: int, parity: int, first: int) -> None:
        self.engine = CpuEngine(sizes)
        self.next_step = first
        self.triggers: list[bytes] = []
        self._last_status = 0
        load = {"sequence": 1, "id": identity, "parity": parity}
        self.engine.control(encode(SCHEMA, "LoadIdentity", load), 0)
        self._collect()

    def follow(self, step: Decoded, *, rearms: bool = False) -> None:
        """Do one step of the log; those before the first are not looked at.

        ``rearms``: it is a Rearm that was applied. Raises ``DataGap`` if a step is missing before it.
        """
        number, time_ns = step.fields["number"], step.fields["time"]
        if number < self.next_step:
            return
        if number > self.next_step:
            raise DataGap(f"step {number} of the event log came, {self.next_step} was expected: some of it was lost")
        self.next_step = number + 1
        payload = _payload(step)
        if step.fields["kind"] == StepKind.DATAGRAM:
            self.engine.push_datagram(payload, step.fields["channel"], time_ns)
        else:
            self.engine.control(self._with_own_status(payload) if rearms else payload, time_ns)
        self._collect()

    def _with_own_status(self, rearm: bytes) -> bytes:
        at = layout.REARM_STATUS_NUMBER
        return rearm[:at] + self._last_status.to_bytes(_WORD, "little") + rearm[at + _WORD :]

    def _collect(self) -> None:
        for message in self.engine.outputs():
            template = int.from_bytes(message[layout.HEADER_TEMPLATE : layout.HEADER_SCHEMA], "little")
            if template == layout.TEMPLATE_TRIGGER:
                self.triggers.append(message)
            elif template == layout.TEMPLATE_STATUS:
                self._last_status = int.from_bytes(
                    message[layout.STATUS_NUMBER : layout.STATUS_NUMBER + _WORD], "little"
                )


def _payload(step: Decoded) -> bytes:
    content = step.data["payload"]
    if isinstance(content, str):
        raise Rejected(f"step {step.fields['number']} of the event log has text; expected bytes")
    return content
