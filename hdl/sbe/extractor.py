"""From a schema to hardware: the fields of one message, when its header is right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.parameters import BYTE
from hdl.records import ahead_members
from hdl.sbe.beats import lane_shape
from hdl.sbe.capture import BlockCapture
from hdl.sbe.match import PatternMatch, number_pattern
from hdl.sbe.places import root_places, struct_of
from market.wire.sbe import Schema


def header_pattern(schema: Schema, message: str, names: Sequence[str] | None = None) -> dict[int, int]:
    """The bytes of a message's header that the schema fixes: template, block length, schema and version.

    ``names`` restricts it to those fields.
    """
    layout = schema.message(message)
    fixed = {
        "blockLength": layout.block_length,
        "templateId": layout.template_id,
        "schemaId": schema.id,
        "version": schema.version,
    }
    wanted = fixed if names is None else {name: fixed[name] for name in names}
    pattern: dict[int, int] = {}
    for name, value in wanted.items():
        field = schema.header.fields.get(name)
        if field is not None:
            pattern |= number_pattern(field.offset, field.size, value)
    return pattern


class MessageExtractor(wiring.Component):
    """Fields of the root block of one message of a schema, on a bus that begins with the message's header.

    Parameters
    ----------
    schema, message, fields: what to take; fields by their names in the schema.
    bus_bytes: 1 or 8. narrow, ahead_bytes: see ``BlockCapture``.

    Members
    -------
    valid, start, data: the bus; ``start`` with the message's first beat. ahead: see ``BlockCapture``.
    matched: level: the header is that of this message, of the schema's own version and block length; from the cycle
        after the header's last byte to the cycle after the next ``start``.
    fields: registers by field name; right when ``loaded`` comes, until the next message's fields arrive.
    loaded: strobe, one cycle after the last byte of the last field is shown, only for messages that matched.
    tail: strobe, only for messages that matched: the byte behind the root block is ``tail_byte``, in lane
        ``tail_lane`` of the beat on the bus, if the message is so long.

    Latency: 1 cycle from the last byte's beat to ``loaded``.
    """

    def __init__(
        self,
        schema: Schema,
        message: str,
        fields: Sequence[str],
        *,
        bus_bytes: int,
        narrow: Mapping[str, int] | None = None,
        ahead_bytes: int = 0,
    ) -> None:
        self._places = root_places(schema, message, fields)
        self._pattern = header_pattern(schema, message)
        self._tail = schema.header.size + schema.message(message).block_length
        self._bus_bytes, self._narrow, self._ahead_bytes = bus_bytes, narrow, ahead_bytes
        super().__init__(
            {
                "valid": In(1),
                "start": In(1),
                "data": In(bus_bytes * BYTE),
                **ahead_members(In, ahead_bytes),
                "matched": Out(1),
                "fields": Out(struct_of(self._places)),
                "loaded": Out(1),
                "tail": Out(1),
                "tail_byte": Out(BYTE),
                "tail_lane": Out(lane_shape(bus_bytes)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Header and fields are looked at side by side."""
        m = Module()
        width = self._bus_bytes
        m.submodules.match = match = PatternMatch({"header": self._pattern}, bus_bytes=width)
        m.submodules.capture = capture = BlockCapture(
            self._places, bus_bytes=width, mark=self._tail, narrow=self._narrow, ahead_bytes=self._ahead_bytes
        )
        if self._ahead_bytes:
            m.d.comb += capture.ahead.eq(self.ahead)
        for part in (match, capture):
            m.d.comb += [part.valid.eq(self.valid), part.start.eq(self.start), part.data.eq(self.data)]
        m.d.comb += [
            self.matched.eq(match.matched.header),
            self.fields.eq(capture.fields),
            self.loaded.eq(capture.loaded & match.matched.header),
            self.tail.eq(capture.marked & match.matched.header),
            self.tail_byte.eq(self.data.word_select(capture.mark_lane, BYTE)),
            self.tail_lane.eq(capture.mark_lane),
        ]
        return m
