"""Control messages: numbering, dispatch, acknowledgement.

A message is applied whole or not at all. Only the next number is applied or refused, and only that
is a step; a repeated or early message is acknowledged and changes nothing.
"""

from __future__ import annotations

from typing import Final

from market.fastpath import account, layout, rows, state
from market.fastpath.arithmetic import less_unsigned
from market.fastpath.books import loading
from market.fastpath.egress import send_acknowledge
from market.fastpath.event_log import log_bytes
from market.fastpath.specification import Refusal, Result, StepKind
from market.fastpath.steps import begin_step, end_step
from market.native.kernel import inline, part
from market.native.memory import get, load_i64, load_u16, load_u32, put

ACCEPTED: Final = int(Refusal.NONE)
NO_ANSWER: Final = -1
"""What ``control_message`` returns for a message that is too short to be read; it is not a step."""
_WRONG_STATUS: Final = int(Refusal.WRONG_STATUS)
_BAD_MESSAGE: Final = int(Refusal.BAD_MESSAGE)
_APPLIED: Final = int(Result.APPLIED)
_REPEATED: Final = int(Result.REPEATED)
_OUT_OF_ORDER: Final = int(Result.OUT_OF_ORDER)
_REFUSED: Final = int(Result.REFUSED)
_CONTROL: Final = int(StepKind.CONTROL)


@inline
def _size_of_book_template(template: int) -> int:
    if template == layout.TEMPLATE_LINE_ROW:
        return layout.LINE_ROW_SIZE
    if template == layout.TEMPLATE_BOOK_ROW:
        return layout.BOOK_ROW_SIZE
    if template == layout.TEMPLATE_BOOK_CLEAR:
        return layout.BOOK_CLEAR_SIZE
    if template == layout.TEMPLATE_BOOK_ORDER:
        return layout.BOOK_ORDER_SIZE
    return layout.BOOK_READY_SIZE if template == layout.TEMPLATE_BOOK_READY else 0


@inline
def size_of_template(template: int) -> int:
    """Length of a control message without its groups; 0 for a template that is none."""
    if template == layout.TEMPLATE_HELLO:
        return layout.HELLO_SIZE
    if template == layout.TEMPLATE_ENGINE_ROW:
        return layout.ENGINE_ROW_SIZE
    if template == layout.TEMPLATE_VENUE_ROW:
        return layout.VENUE_ROW_SIZE
    if template == layout.TEMPLATE_SCALING_ROW:
        return layout.SCALING_ROW_SIZE
    if template == layout.TEMPLATE_CHANNEL_ROW:
        return layout.CHANNEL_ROW_SIZE
    if template == layout.TEMPLATE_INSTRUMENT_ROW:
        return layout.INSTRUMENT_ROW_SIZE
    if template == layout.TEMPLATE_HEARTBEAT:
        return layout.HEARTBEAT_SIZE
    if template == layout.TEMPLATE_KILL:
        return layout.KILL_SIZE
    if template == layout.TEMPLATE_REARM:
        return layout.REARM_SIZE
    if template == layout.TEMPLATE_SETTLE:
        return layout.SETTLE_SIZE
    if template == layout.TEMPLATE_SET_POSITION:
        return layout.SET_POSITION_SIZE
    if template == layout.TEMPLATE_RESET:
        return layout.RESET_SIZE
    if template == layout.TEMPLATE_LOAD_BASIS:
        return layout.LOAD_BASIS_SIZE
    if template == layout.TEMPLATE_LOAD_IDENTITY:
        return layout.LOAD_IDENTITY_SIZE
    if template == layout.TEMPLATE_STATUS_REQUEST:
        return layout.STATUS_REQUEST_SIZE
    return _size_of_book_template(template)


@part
def well_formed(message: int, length: int) -> bool:
    """Whether a message of at least a header has our schema, a known template and the exact length."""
    size = size_of_template(load_u16(message, layout.HEADER_TEMPLATE))
    if size == 0 or load_u16(message, layout.HEADER_BLOCK_LENGTH) != size - layout.HEADER_SIZE:
        return False
    if load_u16(message, layout.HEADER_SCHEMA) != layout.SCHEMA_ID:
        return False
    if load_u16(message, layout.HEADER_VERSION) != layout.SCHEMA_VERSION:
        return False
    if load_u16(message, layout.HEADER_TEMPLATE) != layout.TEMPLATE_INSTRUMENT_ROW:
        return length == size
    if length < layout.LEADS_ENTRIES or load_u16(message, layout.LEADS_HEADER) != layout.LEADS_ENTRY_SIZE:
        return False
    return length == layout.LEADS_ENTRIES + load_u16(message, layout.LEADS_HEADER + 2) * layout.LEADS_ENTRY_SIZE


@inline
def _hello(engine: int, message: int) -> int:
    put(engine, state.EPOCH, load_u32(message, layout.HELLO_EPOCH))
    put(engine, state.ARMED, 0)
    return ACCEPTED


@inline
def _heartbeat(engine: int) -> int:
    put(engine, state.LEASE_UNTIL, get(engine, state.TIME) + get(engine, state.LEASE))
    put(engine, state.STATUS_REQUESTED, 1)
    return ACCEPTED


@inline
def _kill(engine: int) -> int:
    put(engine, state.ARMED, 0)
    return ACCEPTED


@inline
def _rearm(engine: int, message: int) -> int:
    if load_i64(message, layout.REARM_STATUS_NUMBER) != get(engine, state.STATUS_COUNT):
        return _WRONG_STATUS
    put(engine, state.ARMED, 1)
    return ACCEPTED


@inline
def _request_status(engine: int) -> int:
    put(engine, state.STATUS_REQUESTED, 1)
    return ACCEPTED


@part
def _apply_to_books(engine: int, message: int, template: int) -> int:
    if template == layout.TEMPLATE_BOOK_ORDER:
        return loading.load_order(engine, message)
    if template == layout.TEMPLATE_LINE_ROW:
        return loading.write_line_row(engine, message)
    if template == layout.TEMPLATE_BOOK_ROW:
        return loading.write_book_row(engine, message)
    if template == layout.TEMPLATE_BOOK_CLEAR:
        return loading.clear_book(engine, message)
    if template == layout.TEMPLATE_BOOK_READY:
        return loading.ready_book(engine, message)
    return _BAD_MESSAGE


@part
def apply_control(engine: int, message: int) -> int:
    """Apply a well-formed message that is next, or return why it is refused."""
    template = load_u16(message, layout.HEADER_TEMPLATE)
    if template == layout.TEMPLATE_HEARTBEAT:
        return _heartbeat(engine)
    if template == layout.TEMPLATE_SETTLE:
        return account.settle(engine, message)
    if template == layout.TEMPLATE_KILL:
        return _kill(engine)
    if template == layout.TEMPLATE_STATUS_REQUEST:
        return _request_status(engine)
    if template == layout.TEMPLATE_REARM:
        return _rearm(engine, message)
    if template == layout.TEMPLATE_HELLO:
        return _hello(engine, message)
    if template == layout.TEMPLATE_ENGINE_ROW:
        return rows.write_engine_row(engine, message)
    if template == layout.TEMPLATE_VENUE_ROW:
        return rows.write_venue_row(engine, message)
    if template == layout.TEMPLATE_SCALING_ROW:
        return rows.write_scaling_row(engine, message)
    if template == layout.TEMPLATE_CHANNEL_ROW:
        return rows.write_channel_row(engine, message)
    if template == layout.TEMPLATE_INSTRUMENT_ROW:
        return rows.write_instrument_row(engine, message)
    if template == layout.TEMPLATE_SET_POSITION:
        return account.set_position(engine, message)
    if template == layout.TEMPLATE_RESET:
        return account.reset(engine, message)
    if template == layout.TEMPLATE_LOAD_BASIS:
        return account.load_basis(engine, message)
    if template == layout.TEMPLATE_LOAD_IDENTITY:
        return account.load_identity(engine, message)
    return _apply_to_books(engine, message, template)


@part
def _step(engine: int, message: int, length: int, valid: bool, time_ns: int) -> int:
    """A message that is next: applied or refused, in a step that is left open."""
    begin_step(engine, time_ns)
    log_bytes(engine, _CONTROL, 0, message, length)
    refusal = apply_control(engine, message) if valid else _BAD_MESSAGE
    state.bump(engine, state.CONTROL_APPLIED if refusal == ACCEPTED else state.CONTROL_REFUSED)
    return refusal


@part
def control_message(engine: int, message: int, length: int, time_ns: int) -> int:
    """One control message of ``length`` bytes, received at ``time_ns``.

    Returns a ``Result``, or ``NO_ANSWER`` for a message too short to have a sequence number. Appends at
    most an acknowledgement and a status, for which the caller has made sure that there is room.
    """
    if length < layout.CONTROL_SIZE_LEAST:
        return NO_ANSWER
    sequence, template = load_i64(message, layout.CONTROL_SEQUENCE), load_u16(message, layout.HEADER_TEMPLATE)
    valid = well_formed(message, length)
    last = get(engine, state.CONTROL_LAST)
    if sequence != last + 1 and not (valid and template == layout.TEMPLATE_HELLO):
        result = _OUT_OF_ORDER if less_unsigned(last, sequence) else _REPEATED
        send_acknowledge(engine, sequence, template, result, ACCEPTED)
        return result
    put(engine, state.CONTROL_LAST, sequence)
    refusal = _step(engine, message, length, valid, time_ns)
    result = _APPLIED if refusal == ACCEPTED else _REFUSED
    send_acknowledge(engine, sequence, template, result, refusal)
    end_step(engine)
    return result
