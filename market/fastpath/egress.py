"""What an engine sends: triggers, acknowledgements and status messages, appended to the output area.

A record in the area is one word with the payload's length, then the payload; payload lengths are
multiples of 8. Room for a whole step is checked before the step, never here.
"""

from __future__ import annotations

from typing import Final

from market.fastpath import layout, state
from market.fastpath.parity import crc32
from market.native.kernel import inline, part
from market.native.memory import get, put, store_8, store_16, store_32, store_64

RECORD_HEADER: Final = 8
TRIGGER_ROOM: Final = RECORD_HEADER + layout.TRIGGER_SIZE
"""Bytes of the output area that one trigger takes."""
STEP_ROOM: Final = RECORD_HEADER + layout.ACKNOWLEDGE_SIZE + RECORD_HEADER + layout.STATUS_SIZE
"""Bytes of the output area that a step takes at most beside its triggers."""


@inline
def has_output_room(engine: int, triggers: int) -> bool:
    """Whether a step with at most that many triggers fits into the output area."""
    left = get(engine, state.OUTPUT_CAPACITY) - get(engine, state.OUTPUT_USED)
    return left >= STEP_ROOM + triggers * TRIGGER_ROOM


@inline
def append(engine: int, size: int, header: int) -> int:
    """Append a record of ``size`` bytes with its message header; returns the payload's address."""
    used = get(engine, state.OUTPUT_USED)
    record = engine + get(engine, state.OUTPUT) + used
    put(record, 0, size)
    put(record, 1, header)
    put(engine, state.OUTPUT_USED, used + RECORD_HEADER + size)
    return record + RECORD_HEADER


@part
def extend_parity(engine: int, trigger: int) -> None:
    """Take a finished trigger into the parity."""
    table = engine + get(engine, state.CRC_TABLE)
    put(engine, state.PARITY, crc32(table, trigger, layout.TRIGGER_SIZE, get(engine, state.PARITY)))


@part
def send_acknowledge(engine: int, sequence: int, template: int, result: int, refusal: int) -> None:
    """Append an acknowledgement; the expected sequence and the step are the engine's present ones."""
    message = append(engine, layout.ACKNOWLEDGE_SIZE, layout.ACKNOWLEDGE_HEADER)
    store_64(message, layout.ACKNOWLEDGE_SEQUENCE, sequence)
    store_64(message, layout.ACKNOWLEDGE_EXPECTED, get(engine, state.CONTROL_LAST) + 1)
    store_64(message, layout.ACKNOWLEDGE_STEP, get(engine, state.STEP))
    store_64(message, layout.ACKNOWLEDGE_TEMPLATE, 0)
    store_16(message, layout.ACKNOWLEDGE_TEMPLATE, template)
    store_8(message, layout.ACKNOWLEDGE_RESULT, result)
    store_8(message, layout.ACKNOWLEDGE_REFUSAL, refusal)


@part
def send_status(engine: int) -> None:
    """Append the next status message."""
    number = get(engine, state.STATUS_COUNT) + 1
    put(engine, state.STATUS_COUNT, number)
    # the counters come last in the block, one word each, in the order of the state's counters
    message = append(engine, layout.STATUS_SIZE, layout.STATUS_HEADER)
    store_64(message, layout.STATUS_NUMBER, number)
    store_64(message, layout.STATUS_STEP, get(engine, state.STEP))
    store_64(message, layout.STATUS_TIME, get(engine, state.TIME))
    store_64(message, layout.STATUS_ID, get(engine, state.LAST_ID))
    store_32(message, layout.STATUS_EPOCH, get(engine, state.EPOCH))
    store_32(message, layout.STATUS_PARITY, get(engine, state.PARITY))
    store_64(message, layout.STATUS_KILLED, 1 - get(engine, state.ARMED))
    instrument = number % get(engine, state.INSTRUMENTS)
    store_16(message, layout.STATUS_VOLUME_INSTRUMENT, instrument)
    row = state.instrument_row(engine, instrument)
    store_64(message, layout.STATUS_BUY_VOLUME, get(row, state.BUY_VOLUME))
    store_64(message, layout.STATUS_SELL_VOLUME, get(row, state.SELL_VOLUME))
    store_64(message, layout.STATUS_TRADE_COUNT, get(row, state.TRADE_COUNT))
    for counter in range(state.COUNTER_COUNT):
        store_64(message, layout.STATUS_QUOTE_EVENTS + 8 * counter, get(engine, state.COUNTERS + counter))
