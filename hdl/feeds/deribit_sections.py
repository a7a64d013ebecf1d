"""Walks through packets of Deribit's legacy multicast, whose messages do not say how long they are, byte by byte."""

from __future__ import annotations

from enum import IntEnum
from typing import Any, Final

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.parameters import BYTE
from hdl.records import LENGTH_BITS
from hdl.sbe.packet import is_any_of
from hdl.sbe.places import Place, header_places, place_of
from market.wire.sbe import load_schema, stride_of
from market.wire.schemas import DERIBIT_MULTICAST

SCHEMA: Final = load_schema(DERIBIT_MULTICAST)
PACKET_HEADER: Final = 8
AT_BITS: Final = 8
_HEADER: Final = SCHEMA.header.size
_DIMENSION: Final = SCHEMA.message("Book").groups["changes"].dimension


class Section(IntEnum):
    """What a byte of a packet belongs to."""

    PACKET = 0
    """The packet header."""
    MESSAGE = 1
    """A message header."""
    BLOCK = 2
    GROUP = 3
    """The header of a group."""
    ENTRY = 4
    TEXT_LENGTH = 5
    TEXT = 6


def _places(names: tuple[str, ...]) -> dict[str, Place]:
    return dict(zip(names, header_places(SCHEMA, names), strict=True))


_MESSAGE: Final = _places(("blockLength", "templateId", "schemaId", "numGroups", "numVarDataFields"))
_GROUP: Final = {name: place_of(field) for name, field in _DIMENSION.fields.items()}
_NAMES: Final = ("Ticker", "Book", "Trades")
_STRIDES: Final = {"Book": stride_of(SCHEMA, "Book", "changes"), "Trades": stride_of(SCHEMA, "Trades", "trades")}


class DeribitSections(wiring.Component):
    """Says of every byte where it stands, and of a packet whether its messages fill it and have the shape they must.

    Members
    -------
    valid, first, last, data: the bytes of a packet.
    section, at: what the byte on the bus belongs to, a ``Section``, and its place in it, modulo 256.
    message: strobe: the byte on the bus is the last of a message.
    is_ticker, is_trades: levels, from the cycle after a message's template to that of the next.
    whole: level, from the cycle after the last byte to that after the next packet's first: rule 66, but for the
        packet's length.

    Numbers of sections and their bytes are kept as far as a payload has room for them; larger ones are faults.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "valid": In(1),
                "first": In(1),
                "last": In(1),
                "data": In(BYTE),
                "section": Out(Section),
                "at": Out(AT_BITS),
                "message": Out(1),
                "is_ticker": Out(1),
                "is_trades": Out(1),
                "whole": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """One counter to the end of a section; at the end, the next section that has bytes."""
        m = Module()
        self._previous = Signal(BYTE)
        self._number = Signal(2 * BYTE)
        names = ("groups", "entries", "texts", "block", "stride")
        self._groups, self._entries, self._texts, self._block, self._stride = (
            Signal(LENGTH_BITS, name=name) for name in names
        )
        section, at, remaining, ends = Signal(Section), Signal(AT_BITS), Signal(LENGTH_BITS), Signal()
        left = Mux(self.first, PACKET_HEADER, remaining)
        following, length = Signal(Section), Signal(LENGTH_BITS)
        m.d.comb += [
            self.section.eq(Mux(self.first, Section.PACKET, section)),
            self.at.eq(Mux(self.first, 0, at)),
            self._number.eq(Cat(self._previous, self.data)),
            ends.eq(left == 1),
            self.message.eq(
                self.valid & ends & (following == Section.MESSAGE) & (self.section != Section.PACKET),
            ),
        ]
        self._follow(m, following, length)
        with m.If(self.valid):
            m.d.sync += [
                self._previous.eq(self.data),
                section.eq(Mux(ends, following, self.section)),
                at.eq(Mux(ends, 0, self.at + 1)),
                remaining.eq(Mux(ends, length, left - 1)),
            ]
            self._keep(m, ends)
        self._conclude(m, ends & (following == Section.MESSAGE))
        return m

    def _follow(self, m: Module, following: Signal, length: Signal) -> None:
        """The section behind the one that ends, and its bytes."""
        behind_block, texts = Signal(Section), Signal()
        m.d.comb += [
            texts.eq(Mux(self.section == Section.MESSAGE, self._number != 0, self._texts != 0)),
            behind_block.eq(Mux(texts, Section.TEXT_LENGTH, Section.MESSAGE)),
            following.eq(behind_block),
        ]
        with m.If(self._groups != 0):
            m.d.comb += behind_block.eq(Section.GROUP)
        with m.Switch(self.section):
            with m.Case(Section.PACKET):
                m.d.comb += following.eq(Section.MESSAGE)
            with m.Case(Section.MESSAGE), m.If(self._block != 0):
                m.d.comb += following.eq(Section.BLOCK)
            with m.Case(Section.GROUP), m.If(self._entries != 0):
                m.d.comb += following.eq(Section.ENTRY)
            with m.Case(Section.ENTRY), m.If(self._entries != 1):
                m.d.comb += following.eq(Section.ENTRY)
            with m.Case(Section.TEXT_LENGTH):
                with m.If(self.data != 0):
                    m.d.comb += following.eq(Section.TEXT)
                with m.Elif(self._texts == 1):
                    m.d.comb += following.eq(Section.MESSAGE)
        with m.Switch(following):
            with m.Case(Section.BLOCK):
                m.d.comb += length.eq(self._block)
            with m.Case(Section.GROUP):
                m.d.comb += length.eq(_DIMENSION.size)
            with m.Case(Section.ENTRY):
                m.d.comb += length.eq(self._stride)
            with m.Case(Section.TEXT_LENGTH):
                m.d.comb += length.eq(1)
            with m.Case(Section.TEXT):
                m.d.comb += length.eq(self.data)
            with m.Default():
                m.d.comb += length.eq(_HEADER)

    def _keep(self, m: Module, ends: Signal) -> None:
        """Numbers of headers, in the cycle of their last bytes, and counting down."""
        self._shapes = {name: Signal(name=f"has_block_of_{name}") for name in _NAMES}
        self._is = {"Ticker": self.is_ticker, "Book": Signal(name="is_book"), "Trades": self.is_trades}
        self._no_group, self._one_group, self._stride_fits = Signal(), Signal(), Signal()
        number = self._number
        with m.Switch(self.section):
            with m.Case(Section.MESSAGE):
                with m.If(self._passed(_MESSAGE["blockLength"])):
                    m.d.sync += self._block.eq(number)
                    for name, shape in self._shapes.items():
                        m.d.sync += shape.eq(number == SCHEMA.message(name).block_length)
                with m.If(self._passed(_MESSAGE["templateId"])):
                    m.d.sync += [self._is[name].eq(number == SCHEMA.message(name).template_id) for name in _NAMES]
                with m.If(self._passed(_MESSAGE["numGroups"])):
                    m.d.sync += [
                        self._groups.eq(number),
                        self._no_group.eq(number == 0),
                        self._one_group.eq(number == 1),
                    ]
                with m.If(self._passed(_MESSAGE["numVarDataFields"])):
                    m.d.sync += self._texts.eq(number)
            with m.Case(Section.GROUP):
                with m.If(self.at == 0):
                    m.d.sync += self._groups.eq(self._groups - 1)
                with m.If(self._passed(_GROUP["blockLength"])):
                    fits = (number != 0) & ~number[LENGTH_BITS:].any()
                    m.d.sync += [self._stride.eq(number), self._stride_fits.eq(fits)]
                with m.If(self._passed(_GROUP["numInGroup"])):
                    m.d.sync += self._entries.eq(number)
            with m.Case(Section.ENTRY), m.If(ends):
                m.d.sync += self._entries.eq(self._entries - 1)
            with m.Case(Section.TEXT_LENGTH):
                m.d.sync += self._texts.eq(self._texts - 1)

    def _passed(self, place: Place) -> Any:
        """Whether the byte on the bus is the last of a place of its section."""
        return self.at == place.end - 1

    def _conclude(self, m: Module, closes: Any) -> None:
        number, is_too_large = self._number, self._number[LENGTH_BITS:].any()
        fault, closed, wrong = Signal(), Signal(), Signal()
        with m.Switch(self.section):
            with m.Case(Section.MESSAGE):
                with m.If(is_any_of(self.at, [_MESSAGE[name].end - 1 for name in ("blockLength", "numGroups")])):
                    m.d.comb += fault.eq(is_too_large)
                with m.If(self._passed(_MESSAGE["schemaId"])):
                    m.d.comb += fault.eq(number != SCHEMA.id)
                with m.If(self._passed(_MESSAGE["numVarDataFields"])):
                    m.d.comb += fault.eq(is_too_large | self._has_wrong_shape(number))
            with m.Case(Section.GROUP):
                with m.If(self._passed(_GROUP["blockLength"])):
                    wrong_strides = [self._is[name] & (number != stride) for name, stride in _STRIDES.items()]
                    m.d.comb += fault.eq(Cat(*wrong_strides).any())
                with m.If(self._passed(_GROUP["numInGroup"])):
                    m.d.comb += fault.eq(is_too_large | ((number != 0) & ~self._stride_fits))
                with m.If(is_any_of(self.at, [_GROUP[name].end - 1 for name in ("numGroups", "numVarDataFields")])):
                    m.d.comb += fault.eq(number != 0)
        with m.If(self.valid):
            m.d.sync += [closed.eq(self.last & closes), wrong.eq(~self.first & (wrong | fault))]
        m.d.comb += self.whole.eq(closed & ~wrong)

    def _has_wrong_shape(self, texts: Any) -> Any:
        """Of a message whose template is known: a block of another length, another number of groups, or texts."""
        wrong = [
            self._is[name]
            & (~self._shapes[name] | (texts != 0) | ~(self._one_group if name in _STRIDES else self._no_group))
            for name in _NAMES
        ]
        return Cat(*wrong).any()
