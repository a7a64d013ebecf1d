"""Answers who asks for the board's link address.

Ref: D. C. Plummer, "An Ethernet Address Resolution Protocol", RFC 826.
"""

from __future__ import annotations

from typing import Any, Final

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.ethernet.check_sequence import GOOD_REMAINDER, INITIAL_REMAINDER, REMAINDER_BITS, next_remainder
from hdl.parameters import CoreParameters
from hdl.records import FrameBus
from market.errors import Fatal

LINK_BITS: Final = 48
ADDRESS_BITS: Final = 32
REST_BITS: Final = 17
"""After an answer no request is heard for 2^17 cycles, 1 ms: answers cannot keep the line from triggers."""
_ETHERTYPE: Final = (0x08, 0x06)
_PROTOCOL: Final = (0x00, 0x01, 0x08, 0x00, 6, 4)
"""Ethernet, IPv4, and how long their addresses are."""
_REQUEST: Final = (0, 1)
_ANSWER: Final = (0, 2)
_TYPE_AT: Final = 12
_SENDER_AT: Final = 22
_SENDER_BYTES: Final = 10
_TARGET_AT: Final = 38
_PACKET_END: Final = 42
_LEAST_BYTES: Final = 60
_SEQUENCE_BYTES: Final = 4


class ArpResponder(wiring.Component):
    """Answers ARP requests for one IPv4 address, one at a time, and not many.

    Parameters
    ----------
    parameters: the build, with a bus of one byte; for another its elaboration is ``Fatal``.

    Members
    -------
    rx: frames. link, address: ours, as numbers.
    tx, tx_ready: answers, without preamble; within a frame ``valid`` stays set.

    Latency
    -------
    The first byte is on ``tx`` 5 cycles after the last beat of a request. Requests that come while an answer
    leaves, and for 2^17 cycles after its beginning, are not answered: whoever asks, asks again.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        self._parameters = parameters
        super().__init__(
            {
                "rx": In(FrameBus(parameters)),
                "link": In(LINK_BITS),
                "address": In(ADDRESS_BITS),
                "tx": Out(FrameBus(parameters)),
                "tx_ready": In(1),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        """Compare the request as it comes, keep who sent it; then put the answer out byte by byte."""
        if self._parameters.bus_bytes != 1:
            raise Fatal(f"ARP is answered on a bus of 1 byte, not of {self._parameters.bus_bytes}")
        m = Module()
        asked, sender = self._listen(m)
        asker, rest = Signal.like(sender), Signal(REST_BITS)
        with m.If(rest != 0):
            m.d.sync += rest.eq(rest - 1)
        start = asked & (rest == 0)
        with m.If(start):
            m.d.sync += [asker.eq(sender), rest.eq(rest - 1)]
        self._answer(m, start, asker)
        return m

    def _listen(self, m: Module) -> tuple[Signal, Signal]:
        """A strobe for a whole request for our address, and its sender: link address, then IPv4 address."""
        rx, enough = self.rx, _PACKET_END + _SEQUENCE_BYTES
        at, place = Signal(range(enough + 1)), Signal(range(enough + 1))
        expected, compared, fits = Signal(8), Signal(), Signal()
        ended, unspoiled = Signal(), Signal()
        remainder, sender, asked = Signal(REMAINDER_BITS), Signal(LINK_BITS + ADDRESS_BITS), Signal()
        fixed = {_TYPE_AT + number: Const(octet, 8) for number, octet in enumerate(_ETHERTYPE + _PROTOCOL + _REQUEST)}
        fixed |= {_TARGET_AT + number: octet for number, octet in enumerate(_octets(self.address))}
        m.d.comb += place.eq(Mux(rx.first, 0, at))
        with m.Switch(place):
            for number, octet in fixed.items():
                with m.Case(number):
                    m.d.comb += [compared.eq(1), expected.eq(octet)]
        m.d.sync += [ended.eq(rx.valid & rx.last), unspoiled.eq(~rx.error)]
        with m.If(rx.valid):
            m.d.sync += [
                at.eq(Mux(place == enough, place, place + 1)),
                fits.eq((rx.first | fits) & (~compared | (rx.data == expected))),
                remainder.eq(next_remainder(Mux(rx.first, INITIAL_REMAINDER, remainder), rx.data)),
            ]
            with m.If((place >= _SENDER_AT) & (place < _SENDER_AT + _SENDER_BYTES)):
                m.d.sync += sender.eq(Cat(rx.data, sender[:-8]))
        is_whole = (remainder == GOOD_REMAINDER) & (at == enough)
        m.d.sync += asked.eq(ended & unspoiled & fits & is_whole)
        return asked, sender

    def _answer(self, m: Module, start: Value, asker: Signal) -> None:
        """The byte behind the one on ``tx`` is in a register, so that the remainder is not behind the choice."""
        tx, link, address = self.tx, _octets(self.link), _octets(self.address)
        who = _octets(asker)
        content = [*who[:6], *link, *_constants(_ETHERTYPE + _PROTOCOL + _ANSWER), *link, *address, *who]
        content += _constants((0,) * (_LEAST_BYTES - len(content)))
        number, octet, remainder = Signal(range(_LEAST_BYTES + _SEQUENCE_BYTES)), Signal(8), Signal(REMAINDER_BITS)
        chosen, move = Signal(8), Signal()
        with m.Switch(number):
            for at, each in enumerate(content):
                with m.Case(at):
                    m.d.comb += chosen.eq(each)
        m.d.comb += [move.eq(~tx.valid | self.tx_ready), tx.count.eq(1)]
        with m.FSM(name="answer"):
            with m.State("REST"):
                m.d.sync += [number.eq(0), remainder.eq(INITIAL_REMAINDER)]
                with m.If(start):
                    m.next = "CHOOSE"
            with m.State("CHOOSE"):
                m.d.sync += [octet.eq(chosen), number.eq(1)]
                m.next = "CONTENT"
            with m.State("CONTENT"), m.If(move):
                m.d.sync += [
                    tx.valid.eq(1),
                    tx.data.eq(octet),
                    tx.first.eq(number == 1),
                    remainder.eq(next_remainder(remainder, octet)),
                    octet.eq(chosen),
                    number.eq(number + 1),
                ]
                with m.If(number == len(content)):
                    m.d.sync += number.eq(0)
                    m.next = "SEQUENCE"
            with m.State("SEQUENCE"), m.If(move):
                m.d.sync += [
                    tx.data.eq(~remainder[:8]),
                    tx.last.eq(number == _SEQUENCE_BYTES - 1),
                    remainder.eq(remainder >> 8),
                    number.eq(number + 1),
                ]
                with m.If(number == _SEQUENCE_BYTES - 1):
                    m.next = "END"
            with m.State("END"), m.If(move):
                m.d.sync += [tx.valid.eq(0), tx.last.eq(0)]
                m.next = "REST"


def _octets(number: Value) -> list[Value]:
    """Bytes of a number, the most significant first."""
    return [number[at : at + 8] for at in reversed(range(0, len(number), 8))]


def _constants(octets: tuple[int, ...]) -> list[Value]:
    return [Const(octet, 8) for octet in octets]
