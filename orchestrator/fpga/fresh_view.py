"""A board that has done something already, seen as an engine fresh from its reset."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from market.errors import Rejected
from market.fastpath import layout
from market.fastpath.layout import SCHEMA
from market.fastpath.specification import StepKind
from market.wire.sbe import decode, encode
from orchestrator.engine.shadow import template_of
from orchestrator.fpga.markets import BoardMarkets

_WORD: Final = 8
_ONES: Final = (1 << 64) - 1
_SIZES: Final = {
    layout.TRIGGER_HEADER: layout.TRIGGER_SIZE,
    layout.STATUS_HEADER: layout.STATUS_SIZE,
    layout.ACKNOWLEDGE_HEADER: layout.ACKNOWLEDGE_SIZE,
}
_EXPECTED: Final = "a trigger, a status or an acknowledgement"
_VOLUMES: Final = ("buyVolume", "sellVolume", "tradeCount")


@dataclass(frozen=True, slots=True)
class Baseline:
    """Where a board stood when it was taken over.

    Parameters
    ----------
    status: fields of its last status; the number is a multiple of its count of instruments.
    volumes: of each instrument, the fields of a status that are its own.
    """

    status: Mapping[str, Any]
    volumes: Mapping[int, Mapping[str, int]]


class FreshView:
    """Puts numbers and counters of what goes to a board and comes from it so that all of them begin at zero.

    Trigger ids and parity are not touched: the board is told to begin them anew. Neither are times: they are in what
    parity is made of. What a channel brought is shown as the event that it carried.
    """

    def __init__(self, baseline: Baseline, markets: BoardMarkets) -> None:
        self._baseline = baseline
        self._markets = markets
        self._step = int(baseline.status["step"])
        self._number = int(baseline.status["number"])

    def outgoing(self, message: bytes) -> bytes:
        """A control message for the board."""
        return self._rearm(message, self._number)

    def incoming(self, message: bytes) -> bytes:
        """A message of the board; raises Rejected for one that is none or cut off, or that no step of the run makes."""
        header = int.from_bytes(message[:_WORD], "little")
        if len(message) != _SIZES.get(header):
            raise Rejected(f"{len(message)} bytes with header {header:016x} came from the board; expected {_EXPECTED}")
        if header == layout.TRIGGER_HEADER:
            return message
        if header == layout.ACKNOWLEDGE_HEADER:
            return _moved(message, layout.ACKNOWLEDGE_STEP, -self._step)
        return self._status(message)

    def step_of(self, message: bytes) -> int:
        """Number of a LogStep message, as the run sees it; 0 and less were before it."""
        at = layout.LOG_STEP_NUMBER
        return int.from_bytes(message[at : at + _WORD], "little") - self._step

    def step(self, message: bytes) -> bytes:
        """A LogStep message as the run sees it."""
        payload = message[layout.LOG_STEP_PAYLOAD :]
        kind = message[layout.LOG_STEP_KIND]
        channel = int.from_bytes(message[layout.LOG_STEP_CHANNEL : layout.LOG_STEP_CHANNEL + 2], "little")
        if kind == StepKind.CONTROL:
            payload = self._rearm(payload, -self._number)
        elif kind == StepKind.DATAGRAM:
            event = self._markets.event(channel, payload)
            if event is not None:
                kind, payload = event
        moved = _moved(message[: layout.LOG_STEP_LENGTH], layout.LOG_STEP_NUMBER, -self._step)
        at = layout.LOG_STEP_KIND
        return moved[:at] + bytes([kind]) + moved[at + 1 :] + len(payload).to_bytes(2, "little") + payload

    @staticmethod
    def _rearm(message: bytes, by: int) -> bytes:
        if len(message) == layout.REARM_SIZE and template_of(message) == layout.TEMPLATE_REARM:
            return _moved(message, layout.REARM_STATUS_NUMBER, by)
        return message

    def _status(self, message: bytes) -> bytes:
        fields = dict(decode(SCHEMA, message).fields)
        before = self._baseline.status
        volumes = self._baseline.volumes.get(int(fields["volumeInstrument"]))
        if volumes is None:
            raise Rejected(f"a status of instrument {fields['volumeInstrument']} came from the board; it has fewer")
        for name in ("number", "step", *layout.STATUS_COUNTERS):
            fields[name] = (fields[name] - before[name]) & _ONES
        for name in _VOLUMES:
            fields[name] = (fields[name] - volumes[name]) & _ONES
        return encode(SCHEMA, "Status", fields)


def volumes_of(status: Mapping[str, Any]) -> dict[str, int]:
    """The fields of a status that are its instrument's own."""
    return {name: int(status[name]) for name in _VOLUMES}


def _moved(message: bytes, at: int, by: int) -> bytes:
    """The message with one of its words changed by so much."""
    word = (int.from_bytes(message[at : at + _WORD], "little") + by) & _ONES
    return message[:at] + word.to_bytes(_WORD, "little") + message[at + _WORD :]
