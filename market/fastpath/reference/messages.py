"""Control messages as the host sends them: their fields, and whether the bytes are well formed."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType

from market.fastpath.reference.payloads import HEADER, SCHEMA_ID, SCHEMA_VERSION

SEQUENCE = struct.Struct("<Q")
GROUP = struct.Struct("<HH")
LEAD_BYTES = 8


class Template(IntEnum):
    """Template numbers of control messages."""

    HELLO = 10
    ENGINE_ROW = 11
    VENUE_ROW = 12
    SCALING_ROW = 13
    CHANNEL_ROW = 14
    INSTRUMENT_ROW = 15
    HEARTBEAT = 16
    KILL = 17
    REARM = 18
    SETTLE = 19
    SET_POSITION = 20
    RESET = 21
    LOAD_BASIS = 22
    LOAD_IDENTITY = 23
    STATUS_REQUEST = 24
    LINE_ROW = 25
    BOOK_ROW = 26
    BOOK_CLEAR = 27
    BOOK_ORDER = 28
    BOOK_READY = 29


_LAYOUTS = {
    Template.HELLO: ("<QIxxxx", "sequence epoch"),
    Template.ENGINE_ROW: ("<Qqqq", "sequence rate_interval rate_tolerance lease"),
    Template.VENUE_ROW: ("<QBBxxiqq", "sequence venue enabled fee maximum_age maximum_silence"),
    Template.SCALING_ROW: (
        "<QHBbbBBx",
        "sequence instrument venue price_exponent quantity_exponent price_shift quantity_shift",
    ),
    Template.CHANNEL_ROW: ("<QIHHHBBBxxx", "sequence address port channel instrument venue feed enabled"),
    Template.INSTRUMENT_ROW: (
        "<QHBBBxHqqqqqqqqQIHxxqqxxxxxxxx",
        "sequence instrument enabled kinds basis_shift imbalance_threshold minimum_edge basis_threshold basis_interval "
        "maximum_spread minimum_quantity maximum_quantity price_low price_high maximum_notional_low "
        "maximum_notional_high basis_warm_up cooldown position_limit",
    ),
    Template.HEARTBEAT: ("<Q", "sequence"),
    Template.KILL: ("<Q", "sequence"),
    Template.REARM: ("<QQ", "sequence status_number"),
    Template.SETTLE: ("<QHBBxxxxqq", "sequence instrument venue side released filled"),
    Template.SET_POSITION: ("<QQHBxxxxxqqq", "sequence last_id instrument venue position pending_buy pending_sell"),
    Template.RESET: ("<QBxxxxxxx", "sequence venue"),
    Template.LOAD_BASIS: (
        "<QHBBHxxqq",
        "sequence instrument first_venue second_venue samples basis sample_time",
    ),
    Template.LOAD_IDENTITY: ("<QQIxxxx", "sequence id parity"),
    Template.STATUS_REQUEST: ("<Q", "sequence"),
    Template.LINE_ROW: ("<QiHBBBxxxxxxx", "sequence wire_channel line venue feed enabled"),
    Template.BOOK_ROW: (
        "<QqqHHHbbBxxxxxxx",
        "sequence wire_instrument tick book line instrument price_exponent quantity_exponent enabled",
    ),
    Template.BOOK_CLEAR: ("<QqHxxxxxx", "sequence base book"),
    Template.BOOK_ORDER: ("<QqqqHBxxxxx", "sequence order price quantity book side"),
    Template.BOOK_READY: ("<QqHxxxxxx", "sequence number book"),
}


@dataclass(frozen=True, slots=True)
class ControlMessage:
    """A message with a readable sequence number; ``template`` is None if the message is not well formed."""

    sequence: int
    template_number: int
    template: Template | None
    fields: Mapping[str, int]
    leads: tuple[int, ...] = ()

    def __getitem__(self, name: str) -> int:
        return self.fields[name]


def read_message(message: bytes) -> ControlMessage | None:
    """The message, or None if it is too short for header and sequence number."""
    if len(message) < HEADER.size + SEQUENCE.size:
        return None
    block_length, number, schema, version = HEADER.unpack_from(message)
    (sequence,) = SEQUENCE.unpack_from(message, HEADER.size)
    malformed = ControlMessage(sequence, number, None, MappingProxyType({}))
    if number not in set(Template) or (schema, version) != (SCHEMA_ID, SCHEMA_VERSION):
        return malformed
    template = Template(number)
    layout, names = _LAYOUTS[template]
    size = struct.calcsize(layout)
    if block_length != size or len(message) < HEADER.size + size:
        return malformed
    fields = dict(zip(names.split(), struct.unpack_from(layout, message, HEADER.size), strict=True))
    leads: tuple[int, ...] | None = ()
    rest = message[HEADER.size + size :]
    if template is Template.INSTRUMENT_ROW:
        leads = _read_leads(rest)
    elif rest:
        leads = None
    if leads is None:
        return malformed
    return ControlMessage(sequence, number, template, MappingProxyType(fields), leads)


def _read_leads(rest: bytes) -> tuple[int, ...] | None:
    """The group of lead masks, or None unless it fills the rest of the message exactly."""
    if len(rest) < GROUP.size:
        return None
    block_length, entries = GROUP.unpack_from(rest)
    if block_length != LEAD_BYTES or len(rest) != GROUP.size + entries * LEAD_BYTES:
        return None
    return struct.unpack_from(f"<{entries}Q", rest, GROUP.size)
