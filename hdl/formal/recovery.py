"""Whatever came before, a good frame, a good datagram and a good packet are taken.

Every register begins with any value, so that what is proven holds after any input whatever: no state is left for good.
On the 8-bit bus the frame before must have ended; the next one's first beat is told by that.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Final
from zlib import crc32

from amaranth.hdl import Cat, Const, Signal, Value

from hdl.ethernet.headers import ETHERTYPE_IPV4, FIRST_BYTE, HEADER_BYTES, PROTOCOL_UDP, UDP_HEADER_BYTES
from hdl.ethernet.receiver import VERDICT_CYCLES, FrameReceiver
from hdl.feeds.binance import BinanceDecoder
from hdl.feeds.order_decoder import ORDER_FEEDS, OrderDecoder
from hdl.feeds.order_feed import OrderFeed
from hdl.formal.bench import Bench, Design
from hdl.formal.proof import Proof
from hdl.formal.solver import Mode
from hdl.parameters import BUS_BYTES, BYTE, CoreParameters
from hdl.records import Drop
from hdl.sbe.places import Place
from market.fastpath.feeds.verdict import GOOD
from market.fastpath.specification import EngineSizes
from market.wire.sbe import load_schema
from market.wire.schemas import BINANCE_STREAM

_SIZES: Final = EngineSizes(venues=2, instruments=1, price_bits=10, channels=1)
_PARAMETERS: Final = {width: CoreParameters(_SIZES, bus_bytes=width) for width in BUS_BYTES}
_LEAST_FRAME: Final = 60
"""Bytes of the shortest frame without its check sequence."""
_PAYLOAD: Final = bytes(range(1, _LEAST_FRAME - 14 - HEADER_BYTES - UDP_HEADER_BYTES + 1))
_REST: Final = 2
"""Cycles without a beat between two payloads: many more are headers."""
_UNMARKED: Final = "the first beat is not marked"
_SPOILED: Final = "the last byte is spoiled"
_LATE_END: Final = "ends are expected a cycle late"
_UNENDED: Final = "the frame before has no last beat"
_QUOTE: Final = "BestBidAskStreamEvent"
_SYMBOL: Final = b"BTCUSDT"


def _least_frame() -> bytes:
    """The shortest frame, with a UDP checksum that is absent."""
    ports = bytes((0x30, 0x39, 0x30, 0x3A))
    udp = ports + (UDP_HEADER_BYTES + len(_PAYLOAD)).to_bytes(2, "big") + bytes(2) + _PAYLOAD
    head = bytes((FIRST_BYTE, 0)) + (HEADER_BYTES + len(udp)).to_bytes(2, "big") + bytes(4) + bytes((64, PROTOCOL_UDP))
    addresses = bytes((10, 0, 0, 1, 239, 1, 2, 3))
    whole = head + bytes(2) + addresses
    total = sum(int.from_bytes(whole[at : at + 2], "big") for at in range(0, HEADER_BYTES, 2))
    checksum = ~(total % 0xFFFF) & 0xFFFF
    packet = head + checksum.to_bytes(2, "big") + addresses + udp
    frame = bytes(range(2, 14)) + ETHERTYPE_IPV4.to_bytes(2, "big") + packet
    return frame + crc32(frame).to_bytes(4, "little")


class _Beats:
    """Puts bytes on a bus, a beat per cycle behind ``rest`` cycles without; the mutations are those of this module.

    ``since_last`` counts the cycles from the last beat on, 0 before and 1 in the cycle behind it; ``begun``: the first
    beat has passed.
    """

    def __init__(self, bench: Bench, bus: Any, width: int, octets: Sequence[Any], mutation: str, rest: int = 0) -> None:
        beats = [octets[at : at + width] for at in range(0, len(octets), width)]
        m, end = bench.m, rest + len(beats)
        index, self.since_last = Signal(range(end + 1)), Signal(range(8))
        at_last = index == end - 1
        with m.If(index != end):
            m.d.sync += index.eq(index + 1)
            m.d.comb += bus.valid.eq(index >= rest)
        with m.If(at_last):
            m.d.sync += self.since_last.eq(1)
        with m.Elif((self.since_last != 0) & (self.since_last != 7)):
            m.d.sync += self.since_last.eq(self.since_last + 1)
        m.d.comb += [bus.first.eq((index == rest) & (mutation != _UNMARKED)), bus.last.eq(at_last)]
        for number, beat in enumerate(beats, start=rest):
            data = Cat(
                Value.cast(octet)[:BYTE] for octet in (Const(o, BYTE) if isinstance(o, int) else o for o in beat)
            )
            with m.If(index == number):
                spoiled = (1 << len(data) - 1) * (number == end - 1 and mutation == _SPOILED)
                m.d.comb += [bus.data.eq(data ^ spoiled), bus.count.eq(len(beat))]
        self.index = index
        self.begun = index > rest


def _end_of_another(bench: Bench, bus: Any, beats: _Beats, mutation: str) -> None:
    """In the first cycle, the last byte of the frame before: any."""
    with bench.m.If(beats.index == 0):
        bench.m.d.comb += [bus.valid.eq(1), bus.last.eq(mutation != _UNENDED)]
        bench.m.d.comb += [bus.data.eq(bench.fixed("before", BYTE)), bus.count.eq(1)]


def _frame(width: int, mutation: str) -> Design:
    """The receiver takes the frame, its payload is all there, and its end comes in time."""
    subject = FrameReceiver(_PARAMETERS[width])
    bench = Bench(subject)
    m = bench.m
    bench.free_inputs("rx", "found")
    beats = _Beats(bench, subject.rx, width, _least_frame(), mutation, rest=width == 1)
    if width == 1:
        _end_of_another(bench, subject.rx, beats, mutation)
    m.d.comb += subject.found.eq(1)
    taken, sound = Signal(range(len(_PAYLOAD) + width + 1)), Signal(init=1)
    payload = subject.payload
    expected = Const(int.from_bytes(_PAYLOAD, "little"), len(_PAYLOAD) * BYTE)
    # the rest of a payload before may come with the first beat
    with m.If(payload.valid & beats.begun):
        m.d.sync += taken.eq(taken + payload.count)
        here = (expected >> (taken * BYTE))[: width * BYTE]
        mask = Cat((at < payload.count).replicate(BYTE) for at in range(width))
        is_last = taken + payload.count == len(_PAYLOAD)
        with m.If(((payload.data ^ here) & mask != 0) | (payload.last != is_last) | (payload.first != (taken == 0))):
            m.d.sync += sound.eq(0)
    with m.If(beats.since_last == VERDICT_CYCLES[width]):
        bench.claim(subject.end & (subject.drop == Drop.NONE))
        bench.claim(sound & (taken == len(_PAYLOAD)) & (subject.length == len(_PAYLOAD)))
    with m.If((beats.since_last != VERDICT_CYCLES[width]) & (beats.since_last != 0)):
        bench.claim(~subject.end)
    bench.reach(subject.end & (subject.drop == Drop.NONE))
    return bench.design()


def _end(width: int, mutation: str) -> Design:
    """Anything on the bus: an end for each last beat, and no other."""
    subject = FrameReceiver(_PARAMETERS[width])
    bench = Bench(subject)
    bench.free_inputs()
    ended: Any = subject.rx.valid & subject.rx.last
    for _ in range(VERDICT_CYCLES[width] + (mutation == _LATE_END)):
        ended = bench.past(ended)
    bench.claim(subject.end == ended)
    bench.reach(subject.end & bench.past(subject.end))
    return bench.design()


def _quote(width: int, mutation: str) -> Design:
    """A quote with any fields: they come out as they are, with a verdict that it is good."""
    subject = BinanceDecoder(_PARAMETERS[width])
    bench = Bench(subject)
    m = bench.m
    bench.cut("queue")
    bench.free_inputs("payload", "length")
    schema = load_schema(BINANCE_STREAM)
    message = schema.message(_QUOTE)
    header = {"blockLength": message.block_length, "templateId": message.template_id, "schemaId": schema.id}
    octets: list[Any] = [0] * schema.header.size
    for name, value in (header | {"version": schema.version}).items():
        _put(octets, schema.header.fields[name].offset, value.to_bytes(2, "little"))
    fields = {name: bench.fixed(name, field.primitive.size * BYTE) for name, field in message.fields.items()}
    block = Cat(fields[name] for name in sorted(fields, key=lambda name: message.fields[name].offset))
    octets += [block.word_select(at, BYTE) for at in range(message.block_length)]
    octets += [len(_SYMBOL), *_SYMBOL]
    beats = _Beats(bench, subject.payload, width, octets, mutation, _REST)
    m.d.comb += subject.length.eq(len(octets) - (mutation == _SPOILED))
    loaded = Signal()
    with m.If(subject.loaded & beats.begun):
        m.d.sync += loaded.eq(1)
    with m.If(beats.since_last == 1):
        bench.claim(subject.is_quote & (subject.verdict == GOOD) & (loaded | subject.loaded))
        for name, field in (("bookUpdateId", "sequence"), ("bidPrice", "bid_price"), ("askQty", "ask_quantity")):
            bench.claim(subject.quote[field] == fields[name].as_signed())
    bench.reach((beats.since_last == 1) & (subject.verdict == GOOD))
    return bench.design()


def _packet(feed: OrderFeed, width: int, mutation: str) -> Design:
    """A packet of one message of the first meaning, its other bytes any: it is told of, and nothing is bad."""
    subject = OrderDecoder(_PARAMETERS[width], [feed.feed])
    bench = Bench(subject)
    m = bench.m
    bench.free_inputs("payload", "length")
    form, message = feed.form, feed.form.messages[0]
    head = form.packet_words * 8
    octets: list[Any] = [bench.fixed(f"octet_{at}", BYTE) for at in range(head + message.size)]
    _put_number(octets, 0, form.count, 1)
    number = form.packet["number"]
    _put_number(octets, 0, Place("top", number.offset + number.size - 1, 1, False), 0)
    _put_number(octets, head, form.length, message.size)
    _put_number(octets, head, form.template, message.templates[0])
    if form.block is not None and form.schema_field is not None:
        _put_number(octets, head, form.block, message.block_length)
        _put_number(octets, head, form.schema_field, form.schema_id)
    beats = _Beats(bench, subject.payload, width, octets, mutation, _REST)
    m.d.comb += subject.length.eq(len(octets))
    told = Signal(2)
    with m.If(subject.put & beats.begun & ~told.all()):
        m.d.sync += told.eq(told + 1)
    with m.If(beats.since_last == 2):
        bench.claim(~subject.bad_header & ~subject.bad_messages & (told == 1))
        bench.claim(subject.packet.count == 1)
    bench.reach((beats.since_last == 2) & ~subject.bad_messages)
    return bench.design()


def _put(octets: list[Any], at: int, value: bytes) -> None:
    octets[at : at + len(value)] = value


def _put_number(octets: list[Any], start: int, place: Place, value: int) -> None:
    _put(octets, start + place.offset, value.to_bytes(place.size, "little"))


def _recovery(name: str, statement: str, build: Any, size: int, width: int, mutations: tuple[str, ...]) -> Proof:
    """A proof with a depth for that many bytes and what comes behind them."""
    depth = _REST + -(-size // width) + VERDICT_CYCLES[width] + 1
    return Proof(
        name=f"{name}, {width * BYTE} bits",
        statement=f"{statement}; bus of {width * BYTE} bits",
        build=partial(build, width),
        mutations=mutations,
        mode=Mode.BOUNDED,
        depth=depth,
        mutation_depth=depth,
        cover_depth=depth,
        any_state=True,
        first_claim=_REST + -(-size // width) - 1,
        is_long=True,
    )


def _proofs(width: int) -> list[Proof]:
    schema = load_schema(BINANCE_STREAM)
    quote_size = schema.header.size + schema.message(_QUOTE).block_length + 1 + len(_SYMBOL)
    found = [
        Proof(
            name=f"ends of frames, {width * BYTE} bits",
            statement=(
                f"whatever is on the bus, {VERDICT_CYCLES[width]} cycles behind each last beat comes the end of a "
                f"frame, and no other; bus of {width * BYTE} bits"
            ),
            build=partial(_end, width),
            mutations=(_LATE_END,),
            mode=Mode.PROVE,
            depth=VERDICT_CYCLES[width] + 2,
            mutation_depth=8,
            cover_depth=8,
        ),
        _recovery(
            "a good frame",
            f"the shortest good frame is taken after any input{' that ended' * (width == 1)}, its payload is all "
            "there, its end in time",
            _frame,
            len(_least_frame()),
            width,
            (_UNENDED if width == 1 else _UNMARKED, _SPOILED),
        ),
        _recovery(
            "a good quote",
            "a BestBidAsk datagram with any fields is taken after any input whatever, and its fields come out",
            _quote,
            quote_size,
            width,
            (_UNMARKED, _SPOILED),
        ),
    ]
    for feed in ORDER_FEEDS:
        size = feed.form.packet_words * 8 + feed.form.messages[0].size
        found.append(
            _recovery(
                f"a good {feed.feed.name} packet",
                f"a {feed.feed.name} packet of one message with any fields is taken after any input whatever, and "
                "told of once",
                partial(_packet, feed),
                size,
                width,
                (_UNMARKED,),
            )
        )
    return found


RECOVERY: Final = tuple(proof for width in BUS_BYTES for proof in _proofs(width))
