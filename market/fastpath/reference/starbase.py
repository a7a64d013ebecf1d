"""Packets of Deribit Starbase (docs/fastpath.md, rules 57, 64, 69)."""

from __future__ import annotations

import struct

from market.fastpath.reference.feed_messages import BadPacket, Change, ChangeKind, Deal, Header, Message
from market.fastpath.reference.order_book import BookSide
from market.fastpath.specification import Side

PACKET = struct.Struct("<qqiHH")
HEADER = struct.Struct("<HHHHq")
LENGTHS = {20: 56, 21: 56, 22: 40, 23: 40, 24: 32, 25: 32, 31: 64}
PUT, REDUCE, DELETE, TRADE = (
    struct.Struct("<qqqq"),
    struct.Struct("<qqq"),
    struct.Struct("<qq"),
    struct.Struct("<qqqqqI"),
)


def read_header(packet: bytes) -> Header:
    """The packet's header. Raises ``BadPacket``."""
    if len(packet) < PACKET.size:
        raise BadPacket("header")
    _, number, channel, kind, count = PACKET.unpack_from(packet)
    if not 0 <= number < 1 << 62:
        raise BadPacket("number")
    return Header(channel, number, count, in_sequence=not kind & 2)


def read_messages(packet: bytes) -> list[Message]:
    """All messages of a packet with a good header. Raises ``BadPacket``."""
    rest, found = packet[PACKET.size :], []
    while rest:
        if len(rest) < HEADER.size:
            raise BadPacket("message header")
        length, template, _, flags, _ = HEADER.unpack_from(rest)
        if length < HEADER.size or length % 8 or length > len(rest) or length != LENGTHS.get(template, length):
            raise BadPacket("message length")
        found.append(_message(template, rest[HEADER.size : length], ends=bool(flags & 2)))
        rest = rest[length:]
    if len(found) != PACKET.unpack_from(packet)[4]:
        raise BadPacket("message count")
    return found


def _message(template: int, body: bytes, ends: bool) -> Message:
    side = BookSide.ASK if template % 2 else BookSide.BID
    if template in (20, 21):
        order, instrument, quantity, price = PUT.unpack_from(body)
        return Message(instrument, Change(ChangeKind.PUT, order, side, price, quantity), ends=ends)
    if template in (22, 23):
        order, instrument, quantity = REDUCE.unpack_from(body)
        return Message(instrument, Change(ChangeKind.REDUCE, order, side, quantity=quantity), ends=ends)
    if template in (24, 25):
        order, instrument = DELETE.unpack_from(body)
        return Message(instrument, Change(ChangeKind.DELETE, order, side), ends=ends)
    if template == 31:
        _, instrument, _, quantity, price, maker = TRADE.unpack_from(body)
        deal = Deal(price, quantity, Side.BUY if maker & 1 else Side.SELL)
        return Message(instrument, deals=(deal,), ends=ends)
    return Message(ends=ends)
