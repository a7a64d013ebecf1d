"""Whose bytes these are: the schema by which they decode completely."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from market.errors import Rejected
from market.wire.sbe import Decoded, Schema, decode, decode_composite, decode_packet
from market.wire.sbe.decoder import MESSAGE_LENGTHS


@dataclass(frozen=True)
class Reading:
    """Bytes as messages of one schema.

    Parameters
    ----------
    packet: values of the packet header; None if the bytes are messages without one.
    starts: where each message begins.
    """

    name: str
    schema: Schema
    packet: Mapping[str, Any] | None
    messages: tuple[Decoded, ...]
    starts: tuple[int, ...]

    @property
    def kind(self) -> str:
        """What the bytes are, for people."""
        return f"{self.name} {'packet' if self.packet is not None else 'message'}"


def read(payload: bytes, schemas: Mapping[str, Schema], *, packet: bool) -> Reading:
    """Decode bytes by the one schema that fits.

    Parameters
    ----------
    packet: only packets are looked for; else messages and packets.

    Raises Rejected when none fits, saying why of each, or when several do.
    """
    readings: list[Reading] = []
    failures: list[str] = []
    for name, schema in schemas.items():
        for kind, attempt in _ATTEMPTS.items():
            if (schema.packet is None and kind == "packet") or (packet and kind != "packet"):
                continue
            try:
                readings.append(attempt(name, schema, payload))
            except Rejected as error:
                failures.append(f"  {name} {kind}: {error}")
    if not readings:
        reasons = "\n".join(failures) or "  none of the schemas has packets"
        raise Rejected(f"{len(payload)} bytes fit no schema:\n{reasons}")
    # Many bytes can be taken for the header of a packet without messages: that is the last guess.
    readings = [reading for reading in readings if reading.messages] or readings
    if len(readings) > 1:
        kinds = ", ".join(reading.kind for reading in readings)
        hint = "name one with --schema, packets with --packet"
        raise Rejected(f"{len(payload)} bytes fit several schemas ({kinds}): {hint}")
    return readings[0]


def _read_messages(name: str, schema: Schema, payload: bytes) -> Reading:
    """Messages one behind the other, up to the last byte."""
    messages: list[Decoded] = []
    starts: list[int] = []
    position = 0
    while position < len(payload) or not messages:
        messages.append(decode(schema, payload, position))
        starts.append(position)
        position += messages[-1].length
    return Reading(name, schema, None, tuple(messages), tuple(starts))


def _read_packet(name: str, schema: Schema, payload: bytes) -> Reading:
    found = decode_packet(schema, payload)
    if not found.messages and found.skipped:
        raise Rejected(f"all {found.skipped} messages are of unknown templates")
    return Reading(name, schema, found.header, found.messages, tuple(_starts(schema, payload)))


def _starts(schema: Schema, payload: bytes) -> Iterator[int]:
    """Where each message of a known template begins, in a packet that has been decoded."""
    position = schema.packet.size if schema.packet is not None else 0
    while position < len(payload):
        header = decode_composite(schema, schema.header, payload, position)
        if header["templateId"] in schema.templates:
            yield position
            position += decode(schema, payload, position).length
        else:
            position += next(header[name] for name in MESSAGE_LENGTHS if name in header)


_ATTEMPTS: Final[dict[str, Callable[[str, Schema, bytes], Reading]]] = {
    "message": _read_messages,
    "packet": _read_packet,
}
