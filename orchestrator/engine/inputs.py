"""What an engine that runs elsewhere is given, in records that can be sent, kept and compared with its event log."""

from __future__ import annotations

from enum import IntEnum
from struct import Struct
from typing import Final

import msgspec
import numpy as np

from market.engine import Engine
from market.errors import Rejected
from market.fastpath import layout
from market.fastpath.specification import StepKind

_QUOTE_EVENT: Final = Struct("<HBbb3xqqqqq")
"""A QuoteEvent message behind its header; a test compares it with the schema."""
_TRADE_EVENT: Final = Struct("<HBbbBxxqq")
_STEP: Final = Struct("<qqBxHxxxxH")
"""A LogStep message behind its header, up to its payload."""
_QUOTE_TIME: Final = 9


class InputKind(IntEnum):
    """What one input is; the numbers are those of the steps that they become."""

    CONTROL = int(StepKind.CONTROL)
    QUOTE = int(StepKind.QUOTE)
    TRADE = int(StepKind.TRADE)


class Input(msgspec.Struct, frozen=True, array_like=True):
    """One step of an engine that takes events.

    Parameters
    ----------
    numbers: of a quote the first nine of ``QUOTE_COLUMNS``; of a trade those of ``Engine.trade`` in its order, without
        the time; empty for a control message. message: the control message, empty for others.
    """

    kind: InputKind
    time_ns: int
    numbers: tuple[int, ...] = ()
    message: bytes = b""


class Step(msgspec.Struct, frozen=True):
    """One step of an event log: its number, the engine's time T in it, and what it was made of."""

    number: int
    time_ns: int
    kind: StepKind
    numbers: tuple[int, ...]
    message: bytes
    channel: int

    def is_of(self, given: Input) -> bool:
        """Whether this step is that input's; times are not compared, since T never goes back."""
        return (int(self.kind), self.numbers, self.message) == (int(given.kind), given.numbers, given.message)


def apply(engine: Engine, given: Input) -> None:
    """Give an input to an engine; raises as the engine does."""
    if given.kind is InputKind.QUOTE:
        engine.push_quotes(np.array([(*given.numbers, given.time_ns)], dtype=np.int64))
    elif given.kind is InputKind.TRADE:
        instrument, venue, price_exponent, quantity_exponent, aggressor, price, quantity = given.numbers
        engine.trade(instrument, venue, price_exponent, quantity_exponent, aggressor, price, quantity, given.time_ns)
    else:
        engine.control(given.message, given.time_ns)


def quote_event(numbers: tuple[int, ...]) -> bytes:
    """The QuoteEvent message of a quote's numbers, as it is the payload of its step."""
    return layout.QUOTE_EVENT_HEADER.to_bytes(layout.HEADER_SIZE, "little") + _QUOTE_EVENT.pack(*numbers)


def trade_event(numbers: tuple[int, ...]) -> bytes:
    """The TradeEvent message of a trade's numbers."""
    return layout.TRADE_EVENT_HEADER.to_bytes(layout.HEADER_SIZE, "little") + _TRADE_EVENT.pack(*numbers)


def read_step(message: bytes) -> Step:
    """A LogStep message, header included; raises Rejected for anything else or a step that is cut off."""
    header = int.from_bytes(message[: layout.HEADER_SIZE], "little")
    if header != layout.LOG_STEP_HEADER or len(message) < layout.LOG_STEP_PAYLOAD:
        raise Rejected(f"{len(message)} bytes of header {header:#x} came in the event log; expected a LogStep message")
    number, time_ns, kind, channel, length = _STEP.unpack_from(message, layout.HEADER_SIZE)
    payload = message[layout.LOG_STEP_PAYLOAD : layout.LOG_STEP_PAYLOAD + length]
    if len(payload) != length:
        raise Rejected(f"step {number} of the event log has {len(payload)} bytes; expected {length}")
    numbers: tuple[int, ...] = ()
    if kind == StepKind.QUOTE:
        numbers, payload = _QUOTE_EVENT.unpack_from(payload, layout.HEADER_SIZE), b""
    elif kind == StepKind.TRADE:
        instrument, venue, price_exponent, quantity_exponent, aggressor, price, quantity = _TRADE_EVENT.unpack_from(
            payload, layout.HEADER_SIZE
        )
        numbers, payload = (instrument, venue, price_exponent, quantity_exponent, aggressor, price, quantity), b""
    return Step(number, time_ns, StepKind(kind), numbers, payload, channel)
