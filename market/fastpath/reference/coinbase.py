"""Packets of Coinbase Derivatives (docs/fastpath.md, rules 57, 65, 69)."""

from __future__ import annotations

import struct

from market.fastpath.reference.feed_messages import BadPacket, Change, ChangeKind, Deal, Header, Message
from market.fastpath.reference.order_book import BookSide
from market.fastpath.specification import Side

PACKET = struct.Struct("<qqHBBi")
HEADER = struct.Struct("<HHHHH")
INSTRUMENT = struct.Struct("<BbiIHhq")
SCHEMA = 1_201
LENGTHS = {20: (42, 56), 21: (30, 40), 30: (58, 72)}


def read_header(packet: bytes) -> Header:
    """The packet's header. Raises ``BadPacket``."""
    if len(packet) < PACKET.size:
        raise BadPacket("header")
    _, number, channel, kind, count, _ = PACKET.unpack_from(packet)
    if not 0 <= number < 1 << 62:
        raise BadPacket("number")
    return Header(channel, number, count, in_sequence=not kind & 2)


def read_messages(packet: bytes) -> list[Message]:
    """All messages of a packet with a good header. Raises ``BadPacket``."""
    rest, found = packet[PACKET.size :], []
    while rest:
        if len(rest) < HEADER.size:
            raise BadPacket("message header")
        length, block, template, schema, _ = HEADER.unpack_from(rest)
        if length < HEADER.size or length % 8 or length > len(rest) or schema != SCHEMA:
            raise BadPacket("message header")
        if HEADER.size + block > length or (block, length) != LENGTHS.get(template, (block, length)):
            raise BadPacket("block")
        found.append(_message(template, rest[HEADER.size : HEADER.size + block]))
        rest = rest[length:]
    if len(found) != PACKET.unpack_from(packet)[4]:
        raise BadPacket("message count")
    return found


def _message(template: int, block: bytes) -> Message:
    if len(block) < INSTRUMENT.size:
        return Message()
    flags, wire_side, instrument, *_ = INSTRUMENT.unpack_from(block)
    change, deals = None, None
    side = {1: BookSide.BID, -1: BookSide.ASK}.get(wire_side)
    if template == 20:
        order, price, quantity = struct.unpack_from("<qqi", block, INSTRUMENT.size)
        change = Change(ChangeKind.PUT, order, side, price, quantity)
    elif template == 21:
        (order,) = struct.unpack_from("<q", block, INSTRUMENT.size)
        change = Change(ChangeKind.DELETE, order, side)
    elif template == 30:
        _, _, _, price, quantity = struct.unpack_from("<qqqqi", block, INSTRUMENT.size)
        deals = (Deal(price, quantity, {1: Side.BUY, -1: Side.SELL}.get(wire_side, Side.NONE)),)
    return Message(instrument, change, deals=deals, clears=bool(flags & 128), ends=bool(flags & 2))
