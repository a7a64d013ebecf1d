"""Packets of Deribit's legacy multicast (docs/fastpath.md, rules 57, 66 to 68)."""

from __future__ import annotations

import struct
from fractions import Fraction
from math import floor

from market.fastpath.reference.feed_messages import BadPacket, Deal, Header, Message, Quoted
from market.fastpath.specification import Side

PACKET = struct.Struct("<HHI")
HEADER = struct.Struct("<6H")
GROUP = struct.Struct("<4H")
TRADE = struct.Struct("<BQQ")
SCHEMA = 1
BOOK, TRADES, TICKER = 1_001, 1_002, 1_003
# blocks, and lengths of the entries of their groups
SHAPES = {BOOK: (29, [18]), TRADES: (4, [83]), TICKER: (133, [])}
ABSENT = (1 << 64) - 1
ABOVE_ALL = 10**18


def read_header(packet: bytes) -> Header:
    """The packet's header. Raises ``BadPacket``."""
    if len(packet) < PACKET.size:
        raise BadPacket("header")
    _, channel, number = PACKET.unpack_from(packet)
    return Header(channel, number)


def read_messages(packet: bytes) -> list[Message]:
    """All messages of a packet with a good header. Raises ``BadPacket``."""
    if PACKET.unpack_from(packet)[0] != len(packet) - PACKET.size:
        raise BadPacket("packet length")
    rest, found = packet[PACKET.size :], []
    while rest:
        message, rest = _message(rest)
        found.append(message)
    return found


def _cut(octets: bytes, length: int) -> tuple[bytes, bytes]:
    if length > len(octets):
        raise BadPacket("ends inside a message")
    return octets[:length], octets[length:]


def _message(octets: bytes) -> tuple[Message, bytes]:
    """The first message, and what follows it."""
    head, rest = _cut(octets, HEADER.size)
    block_length, template, schema, _, groups, texts = HEADER.unpack(head)
    if schema != SCHEMA:
        raise BadPacket("schema")
    block, rest = _cut(rest, block_length)
    shape, entries = [], []
    for _ in range(groups):
        head, rest = _cut(rest, GROUP.size)
        length, count, inner_groups, inner_texts = GROUP.unpack(head)
        if inner_groups or inner_texts or (count and not length):
            raise BadPacket("group")
        content, rest = _cut(rest, length * count)
        shape.append(length)
        entries += [content[at * length : (at + 1) * length] for at in range(count)]
    for _ in range(texts):
        head, rest = _cut(rest, 1)
        _, rest = _cut(rest, head[0])
    if template in SHAPES and (SHAPES[template] != (block_length, shape) or texts):
        raise BadPacket("shape")
    return _content(template, block, entries), rest


def _content(template: int, block: bytes, entries: list[bytes]) -> Message:
    if template == TICKER:
        (instrument,) = struct.unpack_from("<I", block)
        bid, bid_amount, ask, ask_amount = struct.unpack_from("<4Q", block, 61)
        return Message(instrument, quoted=Quoted((bid, bid_amount, ask, ask_amount)))
    if template == TRADES:
        (instrument,) = struct.unpack_from("<I", block)
        return Message(instrument, deals=tuple(_deal(entry) for entry in entries))
    return Message()


def _deal(entry: bytes) -> Deal:
    direction, price, amount = TRADE.unpack_from(entry)
    return Deal(price, amount, {0: Side.BUY, 1: Side.SELL}.get(direction, Side.NONE))


def mantissa(bits: int, exponent: int) -> int:
    """A double's bits as a mantissa of an exponent, by rule 68; exact fractions instead of shifts."""
    if bits == ABSENT:
        return 0
    (value,) = struct.unpack("<d", struct.pack("<Q", bits))
    if value == 0:
        return 0
    if not 0 < value < float("inf"):
        return -1
    count: int = floor(Fraction(value) / Fraction(10) ** exponent + Fraction(1, 2))
    return min(count, ABOVE_ALL)
