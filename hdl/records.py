"""What components hand to each other: buses, events, outcomes and records, as Amaranth layouts and signatures.

All layouts are flat structs of plain bits in the order written, so that simulation, synthesis and the
soft FPGA's host code read the same positions.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any, Final

from amaranth.hdl import Cat, Value, signed, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hdl.parameters import BYTE, BusWidth, CoreParameters
from market.fastpath.specification import BOOK_ORDERS_LIMIT, SCALING_SHIFT_LIMIT, SET_ORDERS, EngineSizes
from market.fastpath.state import Counter, FrameCounter

TIME_BITS: Final = 62
DURATION_BITS: Final = 56
WORD_BITS: Final = 64
VENUE_NUMBER_BITS: Final = 8
INSTRUMENT_NUMBER_BITS: Final = 16
CHANNEL_NUMBER_BITS: Final = 16
KIND_BITS: Final = 2
SIDE_BITS: Final = 2
FEED_BITS: Final = 3
LENGTH_BITS: Final = 11
"""Width of a payload's length in bytes: up to 1,472."""
EDGE_MARGIN_BITS: Final = 4
"""An edge or deviation is a sum of a few prices: sign and this much room above a price."""

TABLES: Final = 2
"""Of orders in a book's memory; an order may be in one set of each."""
SET_BITS: Final = (BOOK_ORDERS_LIMIT // (TABLES * SET_ORDERS) - 1).bit_length()
_BOOK_SIZES: Final = ("lines", "books", "order_books")

FRAME_COUNTERS_AT: Final = 32
"""Where the frame counters begin in a count mask; the status counters begin at 0."""
COUNT_BITS: Final = FRAME_COUNTERS_AT + len(FrameCounter)


def count_bit(counter: Counter | FrameCounter) -> int:
    """Position of a counter in a count mask."""
    return int(counter) + (FRAME_COUNTERS_AT if isinstance(counter, FrameCounter) else 0)


class Drop(IntEnum):
    """Why a frame is dropped, as the receiver says it: ``DropReason`` plus one; 0 is a good frame."""

    NONE = 0
    BAD_FCS = 1
    NOT_OURS = 2
    BAD_IP = 3
    BAD_UDP = 4
    DUPLICATE = 5
    BAD_MESSAGE = 6


DROP_BITS: Final = 3


def sizes_layout(parameters: CoreParameters) -> data.StructLayout:
    """The sizes in use, at most the build's capacity; constants on a board.

    ``top0`` to ``top3`` are (2^P - 1) / 10^k for k of 0 to 3, P being the price bits in use. ``set_mask`` is the number
    of sets of orders in a table of a book, less one; ``tick_shift`` the binary logarithm of the prices in its window.
    """
    fields = {"venues": unsigned(8), "instruments": unsigned(17), "channels": unsigned(17)}
    fields |= {"lines": unsigned(7), "books": unsigned(9), "order_books": unsigned(5)}
    fields |= {"set_mask": unsigned(SET_BITS), "tick_shift": unsigned(4)}
    fields |= {f"top{k}": unsigned(parameters.price_bits) for k in range(SCALING_SHIFT_LIMIT + 1)}
    return data.StructLayout(fields)


def sizes_values(sizes: EngineSizes) -> dict[str, int]:
    """Sizes as the fields of ``sizes_layout``."""
    values = {name: getattr(sizes, name) for name in ("venues", "instruments", "channels", *_BOOK_SIZES)}
    values |= {
        "set_mask": sizes.book_orders // (TABLES * SET_ORDERS) - 1,
        "tick_shift": sizes.book_ticks.bit_length() - 1,
    }
    return values | {f"top{k}": sizes.top // 10**k for k in range(SCALING_SHIFT_LIMIT + 1)}


class FrameBus(wiring.Signature):
    """Frames, one beat per cycle at most, without back-pressure; preamble stripped, check sequence included.

    ``count`` is the number of bytes in a beat, counted from the least significant: ``bus_bytes`` on all but the
    last beat. ``error`` on the last beat says that the line was in error during the frame. An empty frame is one
    beat of ``first``, ``last`` and a count of 0.
    """

    def __init__(self, parameters: BusWidth) -> None:
        super().__init__(
            {
                "valid": Out(1),
                "first": Out(1),
                "last": Out(1),
                "data": Out(parameters.bus_bits),
                "count": Out(range(parameters.bus_bytes + 1)),
                "error": Out(1),
            }
        )


class PayloadBus(wiring.Signature):
    """The UDP payload of a frame, aligned to its first byte, without back-pressure.

    ``count`` is the number of bytes in the beat, counted from the least significant; ``last`` marks the beat with
    the payload's last byte as the UDP length says it. A payload without bytes has no beat. A frame that
    ends early or is found not to be ours has no ``last``.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        super().__init__(
            {
                "valid": Out(1),
                "first": Out(1),
                "last": Out(1),
                "data": Out(parameters.bus_bits),
                "count": Out(range(parameters.bus_bytes + 1)),
            }
        )


def ahead_members(flow: Any, ahead_bytes: int) -> dict[str, Any]:
    """The member ``ahead`` of a component that is shown so many bytes behind a beat; nothing without any."""
    return {"ahead": flow(BYTE * ahead_bytes)} if ahead_bytes else {}


channel_layout: Final = data.StructLayout(
    {
        "channel": unsigned(CHANNEL_NUMBER_BITS),
        "instrument": unsigned(INSTRUMENT_NUMBER_BITS),
        "venue": unsigned(VENUE_NUMBER_BITS),
        "feed": unsigned(FEED_BITS),
    }
)
"""What the channel table says about a datagram's destination."""

quote_layout: Final = data.StructLayout(
    {
        "price_exponent": signed(8),
        "quantity_exponent": signed(8),
        "sequence": signed(64),
        "bid_price": signed(64),
        "bid_quantity": signed(64),
        "ask_price": signed(64),
        "ask_quantity": signed(64),
    }
)
"""A top of book as a feed gives it: mantissas of the exponents."""
MANTISSAS: Final = ("bid_price", "bid_quantity", "ask_price", "ask_quantity")


def narrowed(mantissa: Value, bits: int) -> Value:
    """``bits`` and two more of a number: in 0..2^bits - 1 itself, else one that is too large, or negative.

    Prices and quantities of that many bits need no more to be told from what is out of range. The bits are a signed
    number; in a wider field there are zeros above them.
    """
    return Cat(mantissa[:bits], mantissa[bits:-1].any(), mantissa[-1])


trade_layout: Final = data.StructLayout(
    {
        "instrument": unsigned(INSTRUMENT_NUMBER_BITS),
        "venue": unsigned(VENUE_NUMBER_BITS),
        "price_exponent": signed(8),
        "quantity_exponent": signed(8),
        "aggressor": unsigned(SIDE_BITS),
        "price": signed(64),
        "quantity": signed(64),
    }
)
"""A trade as a feed gives it; ``aggressor`` is a ``Side``."""


def trigger_layout(parameters: CoreParameters) -> data.StructLayout:
    """A trigger without what comes late and what the account adds: parity, imbalance and microprice."""
    price = unsigned(parameters.price_bits)
    return data.StructLayout(
        {
            "id": unsigned(64),
            "sequence": signed(64),
            "time": unsigned(TIME_BITS),
            "epoch": unsigned(32),
            "kind": unsigned(KIND_BITS),
            "cause_venue": unsigned(VENUE_NUMBER_BITS),
            "instrument": unsigned(INSTRUMENT_NUMBER_BITS),
            "first_venue": unsigned(VENUE_NUMBER_BITS),
            "first_side": unsigned(SIDE_BITS),
            "second_venue": unsigned(VENUE_NUMBER_BITS),
            "second_side": unsigned(SIDE_BITS),
            "first_price": price,
            "second_price": price,
            "quantity": price,
            "edge": signed(parameters.price_bits + EDGE_MARGIN_BITS),
        }
    )


def late_layout(parameters: CoreParameters) -> data.StructLayout:
    """What a trigger carries last: imbalance in Q15, and the microprice."""
    return data.StructLayout({"imbalance": signed(16), "microprice": unsigned(parameters.price_bits)})


acknowledge_layout: Final = data.StructLayout(
    {
        "sequence": unsigned(64),
        "step": unsigned(64),
        "expected": unsigned(64),
        "template": unsigned(16),
        "result": unsigned(2),
        "refusal": unsigned(4),
    }
)

status_layout: Final = data.StructLayout(
    {
        "number": unsigned(64),
        "step": unsigned(64),
        "time": unsigned(TIME_BITS),
        "epoch": unsigned(32),
        "id": unsigned(64),
        "killed": unsigned(1),
    }
)
"""A status without what the account adds: parity, volumes and counters."""


def volume_layout(parameters: CoreParameters) -> data.StructLayout:
    """A trade that counts: its scaled quantity goes to the volume of its side, of neither if ``side`` is NONE."""
    return data.StructLayout(
        {
            "instrument": unsigned(INSTRUMENT_NUMBER_BITS),
            "side": unsigned(SIDE_BITS),
            "quantity": unsigned(parameters.price_bits),
        }
    )


count_layout: Final = data.StructLayout({"mask": unsigned(COUNT_BITS), "both_cut": unsigned(1)})
"""Counters that grow by one; ``both_cut``: the counter of cut quantities, if in the mask, grows by two."""


class RecordKind(IntEnum):
    """What a record tells the account to do, in the order of the records."""

    COUNT = 0
    VOLUME = 1
    TRIGGER = 2
    ACKNOWLEDGE = 3
    STATUS = 4
    PARITY = 5
    """Set the parity to the first 32 bits of the body."""


def record_layout(parameters: CoreParameters) -> data.StructLayout:
    """A record: its kind, and a body that is one of the layouts above.

    Their first fields share bits where a payload has them in the same kind of word: less to select from.
    """
    bodies = data.UnionLayout(
        {
            "count": count_layout,
            "volume": volume_layout(parameters),
            "trigger": trigger_layout(parameters),
            "acknowledge": acknowledge_layout,
            "status": status_layout,
            "parity": unsigned(32),
        }
    )
    return data.StructLayout({"kind": unsigned(3), "body": bodies})


word_layout: Final = data.StructLayout({"data": unsigned(WORD_BITS), "first": unsigned(1), "last": unsigned(1)})
"""A message as 8-byte words, least significant byte first; all our messages are whole words long."""


def word_stream() -> stream.Signature:
    """Messages as words."""
    return stream.Signature(word_layout)


class ControlCommand(wiring.Signature):
    """A control message that has passed every check that needs no state, offered to the owners of the state.

    ``apply`` is a strobe; ``template`` and ``message`` (header included) are stable until ``done``, a strobe that
    comes at the earliest in the cycle after ``apply``. With ``done`` the owner says a ``Refusal``, 0 for none.
    ``time`` is T of the step.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        super().__init__(
            {
                "apply": Out(1),
                "template": Out(8),
                "message": Out(parameters.control_bytes * 8),
                "time": Out(TIME_BITS),
                "done": In(1),
                "refusal": In(4),
            }
        )
