"""Builds packets of numbered messages: Starbase, Coinbase Derivatives and Deribit's legacy multicast, byte by byte."""

from __future__ import annotations

import struct
from collections.abc import Sequence

SENT_NS = 1_723_161_255_030_314_000
START, END, CLEAR = 1, 2, 128
INCREMENTAL, SNAPSHOT = 1, 2
ABSENT = (1 << 64) - 1
"""Bits of a double that is not there."""


def starbase_packet(
    number: int, messages: Sequence[bytes], *, channel: int = 7, kind: int = INCREMENTAL, count: int | None = None
) -> bytes:
    """A Starbase packet; ``count`` is what its header says, the right number unless given."""
    said = len(messages) if count is None else count
    return struct.pack("<qqiHH", SENT_NS, number, channel, kind, said) + b"".join(messages)


def starbase_message(template: int, body: bytes, flags: int = 0, version: int = 1) -> bytes:
    """A Starbase message, padded to eight bytes."""
    length = -(-(16 + len(body)) // 8) * 8
    return struct.pack("<HHHHq", length, template, version, flags, SENT_NS) + body.ljust(length - 16, b"\0")


def starbase_put(order: int, instrument: int, is_ask: bool, price: int, quantity: int, flags: int = END) -> bytes:
    """BidPut or AskPut."""
    return starbase_message(20 + is_ask, struct.pack("<qqqqq", order, instrument, quantity, price, order), flags)


def starbase_reduce(order: int, instrument: int, is_ask: bool, quantity: int, flags: int = END) -> bytes:
    """BidQtyReduced or AskQtyReduced."""
    return starbase_message(22 + is_ask, struct.pack("<qqq", order, instrument, quantity), flags)


def starbase_delete(order: int, instrument: int, is_ask: bool, flags: int = END) -> bytes:
    """BidDelete or AskDelete."""
    return starbase_message(24 + is_ask, struct.pack("<qq", order, instrument), flags)


def starbase_trade(instrument: int, maker_sells: bool, price: int, quantity: int, flags: int = 0) -> bytes:
    """Trade."""
    return starbase_message(31, struct.pack("<qqqqqI", 5, instrument, 6, quantity, price, maker_sells), flags)


def coinbase_packet(
    number: int, messages: Sequence[bytes], *, channel: int = 7, kind: int = INCREMENTAL, count: int | None = None
) -> bytes:
    """A packet of Coinbase Derivatives."""
    said = len(messages) if count is None else count
    return struct.pack("<qqHBBi", SENT_NS, number, channel, kind, said, 0) + b"".join(messages)


def coinbase_message(template: int, block: bytes, schema: int = 1_201) -> bytes:
    """A message of Coinbase Derivatives, padded to eight bytes."""
    length = -(-(10 + len(block)) // 8) * 8
    return struct.pack("<5H", length, len(block), template, schema, 2) + block.ljust(length - 10, b"\0")


def instrument_header(instrument: int, side: int, flags: int) -> bytes:
    """The 22 bytes that most blocks of Coinbase Derivatives begin with."""
    return struct.pack("<BbiIHhq", flags, side, instrument, 9, 20_000, 0, SENT_NS)


def coinbase_put(order: int, instrument: int, side: int, price: int, quantity: int, flags: int = END) -> bytes:
    """OrderPut; side is 1 or -1."""
    return coinbase_message(
        20, instrument_header(instrument, side, flags) + struct.pack("<qqi", order, price, quantity)
    )


def coinbase_delete(order: int, instrument: int, side: int, flags: int = END) -> bytes:
    """OrderDelete."""
    return coinbase_message(21, instrument_header(instrument, side, flags) + struct.pack("<q", order))


def coinbase_trade(instrument: int, side: int, price: int, quantity: int, flags: int = 0) -> bytes:
    """Trade; side is the aggressor's."""
    body = struct.pack("<qqqqi", 5, 6, 7, price, quantity)
    return coinbase_message(30, instrument_header(instrument, side, flags) + body)


def coinbase_other(instrument: int, flags: int) -> bytes:
    """OpenInterest: a message that is not read but for its flags."""
    return coinbase_message(42, instrument_header(instrument, 1, flags) + struct.pack("<i", 5))


def deribit_packet(number: int, messages: Sequence[bytes], *, channel: int = 7) -> bytes:
    """A packet of Deribit's legacy multicast."""
    content = b"".join(messages)
    return struct.pack("<HHI", len(content), channel, number % (1 << 32)) + content


def deribit_message(
    template: int, block: bytes, groups: Sequence[tuple[int, bytes]] = (), texts: Sequence[bytes] = (), schema: int = 1
) -> bytes:
    """A message; groups are (length of an entry, entries)."""
    parts = [struct.pack("<6H", len(block), template, schema, 2, len(groups), len(texts)), block]
    for length, entries in groups:
        parts.append(struct.pack("<4H", length, len(entries) // max(length, 1), 0, 0) + entries)
    parts += [bytes([len(text)]) + text for text in texts]
    return b"".join(parts)


def double(value: float) -> int:
    """The bits of a double."""
    bits: int = struct.unpack("<Q", struct.pack("<d", value))[0]
    return bits


def deribit_ticker(instrument: int, bid: int, bid_amount: int, ask: int, ask_amount: int) -> bytes:
    """Ticker; prices and amounts are bits of doubles."""
    head = struct.pack("<IBQ", instrument, 1, SENT_NS // 1_000_000)
    best = struct.pack("<4Q", bid, bid_amount, ask, ask_amount)
    return deribit_message(1_003, head + struct.pack("<6Q", *[ABSENT] * 6) + best + struct.pack("<5Q", *[ABSENT] * 5))


def deribit_trades(instrument: int, entries: Sequence[tuple[int, int, int]]) -> bytes:
    """Trades; entries are (direction, bits of price, bits of amount)."""
    content = b"".join(struct.pack("<BQQ", *entry).ljust(83, b"\7") for entry in entries)
    return deribit_message(1_002, struct.pack("<I", instrument), [(83, content)])


def deribit_book(instrument: int, changes: int) -> bytes:
    """Book with so many changes."""
    block = struct.pack("<IQQQB", instrument, SENT_NS // 1_000_000, 1, 2, 1)
    return deribit_message(1_001, block, [(18, struct.pack("<BBQQ", 1, 1, double(100.5), double(3.0)) * changes)])
