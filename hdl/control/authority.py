"""Who may control the machine, and how far: sealed messages only, each once, and while armed no looser limits."""

from __future__ import annotations

from enum import IntEnum
from typing import Any, Final

from amaranth.hdl import Cat, Module, Mux, Signal, unsigned
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from hdl.control.program import WORD_BYTES
from hdl.control.ratchet import OFFSET_BITS, Ratchet
from hdl.control.seal import COUNTER_BYTES
from hdl.control.siphash import KEY_BITS, SipHash
from hdl.octet_stream import octet_stream
from hdl.parameters import BYTE, CoreParameters
from hdl.records import WORD_BITS

MESSAGE_LIMIT: Final = 2_048
"""Bytes of the longest message that is let through."""
REFUSED_BITS: Final = 32


class _State(IntEnum):
    RECEIVE = 0
    CLOSE = 1
    HASH = 2
    DECIDE = 3
    ADDRESS = 4
    FETCH = 5
    SHOW = 6
    END = 7
    SETTLE = 8
    JUDGE = 9
    HANDLE = 10
    ANEW = 11


class _Part(IntEnum):
    """Of a sealed message."""

    TAG = 0
    COUNTER = 1
    MESSAGE = 2


class _Pass(IntEnum):
    """What the bytes of a message are read for."""

    INSPECT = 0
    FORWARD = 1
    KEEP = 2


place_layout: Final = data.StructLayout(
    {"part": unsigned(2), "lane": unsigned(3), "length": range(MESSAGE_LIMIT + 1), "is_long": unsigned(1)}
)
"""Where a sealed message stands: its part, the byte in a word, and bytes of the message itself."""


class Authority(wiring.Component):
    """Takes sealed messages (``hdl/control/seal.py``), and gives the control unit those that may pass.

    A message that may not is dropped without an answer and counted; its sequence number stays free.

    Members
    -------
    sealed: sealed messages as bytes; not ready while a message is checked and handled.
    key: of this board. floor: the lowest counter that is taken: a time, or a number from memory that lasts, so that
        what was recorded before a restart is refused after it.
    tighten_only: whether limits may only tighten while ``armed``.
    octets: messages for the control unit. idle, applied: its levels of these names.
    forged, replayed, loosened: messages that were dropped: without the right tag, or too short or too long; with a
        counter that is below the floor, or not above the last one that was taken; because they loosen a limit.
    last_counter: the last counter that was taken; 0 before the first.

    Latency
    -------
    From the last sealed byte to the first of the message some 40 cycles, for a row with limits 3 more per byte up to
    the 128th; then 3 cycles per byte.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        self._parameters = parameters
        super().__init__(
            {
                "sealed": In(octet_stream()),
                "key": In(KEY_BITS),
                "floor": In(WORD_BITS),
                "armed": In(1),
                "tighten_only": In(1),
                "octets": Out(octet_stream()),
                "idle": In(1),
                "applied": In(1),
                "forged": Out(REFUSED_BITS),
                "replayed": Out(REFUSED_BITS),
                "loosened": Out(REFUSED_BITS),
                "last_counter": Out(WORD_BITS),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        """Receive and hash; then read the message up to three times: inspect it, hand it on, keep its limits."""
        m = Module()
        m.submodules.hash = hash_ = SipHash()
        m.submodules.ratchet = ratchet = Ratchet(self._parameters)
        m.submodules.store = store = memory.Memory(shape=BYTE, depth=MESSAGE_LIMIT, init=[])
        write, read = store.write_port(), store.read_port()
        state, reading = Signal(_State), Signal(_Pass)
        place, index = Signal(place_layout), Signal(range(MESSAGE_LIMIT))
        tag, counter, last_counter = Signal(WORD_BITS), Signal(WORD_BITS), self.last_counter
        octet, is_limits = Signal(BYTE), Signal()
        last_index, is_end = Signal.like(index), Signal()
        m.d.sync += last_index.eq(place.length - 1)
        m.d.comb += is_end.eq(index == last_index)
        # a row's limits are among its first bytes, and its template says early that there are none
        with m.If(reading != _Pass.FORWARD):
            m.d.comb += is_end.eq((index == last_index) | index[:OFFSET_BITS].all() | (index[2] & ~ratchet.is_limits))
        taken = self._receive(m, state, place, tag, counter, hash_, write)
        # a cycle old when they are asked for: nothing moves while the hash is worked out
        is_right, is_new = Signal(), Signal()
        m.d.sync += [
            is_right.eq(hash_.tag == tag),
            is_new.eq((counter > last_counter) & (counter >= self.floor)),
        ]
        m.d.comb += [
            read.addr.eq(index),
            ratchet.octet.eq(octet),
            ratchet.keep.eq(reading == _Pass.KEEP),
            ratchet.valid.eq((state == _State.SHOW) & (reading != _Pass.FORWARD)),
            self.octets.payload.data.eq(octet),
            self.octets.payload.last.eq(index == last_index),
            self.octets.valid.eq((state == _State.SHOW) & (reading == _Pass.FORWARD)),
        ]
        refused = {name: Signal(name=f"is_{name}") for name in ("forged", "replayed", "loosened")}
        for name, strobe in refused.items():
            counts, counted = Signal(name=f"counts_{name}"), getattr(self, name)
            m.d.sync += [counts.eq(strobe), counted.eq(counted + counts)]
        with m.Switch(state):
            with m.Case(_State.RECEIVE), m.If(taken & self.sealed.payload.last):
                m.d.sync += state.eq(_State.CLOSE)
            with m.Case(_State.CLOSE):
                with m.If((place.length == 0) | place.is_long):
                    self._refuse(m, state, refused["forged"])
                with m.Elif(hash_.ready & ~hash_.valid):
                    m.d.sync += state.eq(_State.HASH)
            with m.Case(_State.HASH), m.If(hash_.done):
                m.d.sync += state.eq(_State.DECIDE)
            with m.Case(_State.DECIDE):
                m.d.sync += [reading.eq(_Pass.INSPECT), index.eq(0)]
                m.d.comb += ratchet.begin.eq(1)
                with m.If(~is_right):
                    self._refuse(m, state, refused["forged"])
                with m.Elif(~is_new):
                    self._refuse(m, state, refused["replayed"])
                with m.Else():
                    m.d.sync += [state.eq(_State.ADDRESS), last_counter.eq(counter)]
            with m.Case(_State.ADDRESS):
                m.d.sync += state.eq(_State.FETCH)
            with m.Case(_State.FETCH):
                m.d.sync += [state.eq(_State.SHOW), octet.eq(read.data)]
            with m.Case(_State.SHOW), m.If((reading != _Pass.FORWARD) | self.octets.ready):
                m.d.sync += [index.eq(index + 1), state.eq(Mux(is_end, _State.END, _State.ADDRESS))]
            with m.Case(_State.END):
                m.d.sync += state.eq(_State.SETTLE)
            with m.Case(_State.SETTLE):
                m.d.sync += [state.eq(_State.JUDGE), index.eq(0)]
            with m.Case(_State.JUDGE), m.Switch(reading):
                with m.Case(_Pass.INSPECT):
                    m.d.sync += [state.eq(_State.ADDRESS), reading.eq(_Pass.FORWARD)]
                    m.d.sync += is_limits.eq(ratchet.is_limits)
                    with m.If(self.tighten_only & self.armed & ratchet.is_limits & ratchet.loosens):
                        self._refuse(m, state, refused["loosened"])
                with m.Case(_Pass.FORWARD):
                    m.d.sync += state.eq(_State.HANDLE)
                with m.Default():
                    self._begin_anew(m, state)
            with m.Case(_State.HANDLE), m.If(self.idle):
                m.d.comb += ratchet.begin.eq(1)
                m.d.sync += reading.eq(_Pass.KEEP)
                with m.If(self.applied & is_limits):
                    m.d.sync += state.eq(_State.ADDRESS)
                with m.Else():
                    self._begin_anew(m, state)
            with m.Case(_State.ANEW):
                m.d.sync += [state.eq(_State.RECEIVE), place.eq(0)]
        return m

    def _receive(
        self, m: Module, state: Signal, place: Any, tag: Signal, counter: Signal, hash_: SipHash, write: Any
    ) -> Signal:
        """Bytes to tag, hash and store; a word goes to the hash behind its last byte, the rest behind ``CLOSE``."""
        taken, word, rest = Signal(), Signal(WORD_BITS), Signal(WORD_BITS)
        lane, octet = place.lane, self.sealed.payload.data
        gathered = [Mux(lane > at, rest.word_select(at, BYTE), 0) for at in range(WORD_BYTES - 1)]
        m.d.comb += [
            self.sealed.ready.eq(state == _State.RECEIVE),
            taken.eq(self.sealed.valid & (state == _State.RECEIVE)),
            word.eq(Cat(*(Mux(lane == at, octet, part) for at, part in enumerate(gathered)), octet)),
            write.addr.eq(place.length),
            write.data.eq(octet),
            write.en.eq(taken & (place.part == _Part.MESSAGE) & ~place.is_long),
            hash_.key.eq(self.key),
        ]
        m.d.sync += [
            hash_.start.eq(taken & (place.part == _Part.TAG)),
            hash_.valid.eq(taken & (place.part != _Part.TAG) & (lane == WORD_BYTES - 1)),
            hash_.word.eq(word),
            hash_.last.eq(0),
        ]
        with m.If(taken):
            m.d.sync += [rest.eq(word), lane.eq(lane + 1)]
            with m.If(place.part == _Part.MESSAGE):
                m.d.sync += [
                    place.length.eq(place.length + 1),
                    place.is_long.eq(place.is_long | (place.length == MESSAGE_LIMIT)),
                ]
            with m.Elif(lane == WORD_BYTES - 1):
                m.d.sync += place.part.eq(Mux(place.part == _Part.TAG, _Part.COUNTER, _Part.MESSAGE))
            with m.Switch(place.part):
                with m.Case(_Part.TAG):
                    m.d.sync += tag.eq(word)
                with m.Case(_Part.COUNTER):
                    m.d.sync += counter.eq(word)
        with m.If(state == _State.CLOSE):
            hashed = (place.length + COUNTER_BYTES)[:BYTE]
            m.d.sync += [
                hash_.valid.eq(hash_.ready & ~hash_.valid & (place.length != 0) & ~place.is_long),
                hash_.word.eq(Cat(*gathered, hashed)),
                hash_.last.eq(1),
            ]
        return taken

    def _begin_anew(self, m: Module, state: Signal) -> None:
        m.d.sync += state.eq(_State.ANEW)

    def _refuse(self, m: Module, state: Signal, refused: Signal) -> None:
        self._begin_anew(m, state)
        m.d.comb += refused.eq(1)
