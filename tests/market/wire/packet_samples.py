"""Random packets of a schema, and the comparison of a compiled packet decoder with the schema's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from market.errors import Rejected
from market.wire.binary import (
    FIRST_FIELD,
    PACKET_FIRST_ROW,
    PACKET_REASON,
    PACKET_ROWS,
    PACKET_SEQUENCE,
    PACKET_SKIPPED,
    ROW_LENGTH,
    ROW_OFFSET,
    ROW_PACKET,
    ROW_TEMPLATE,
    BinaryBatch,
    BinaryReject,
    Bytes,
    Words,
)
from market.wire.sbe import Decoded, DecodedPacket, Schema, decode_packet, encode, encode_packet
from tests.market.wire.guarded import GuardedBuffer
from tests.market.wire.sbe.sample import mutated, random_leaf, random_values, row_of


class PacketDecoder(Protocol):
    """``decode_packets`` of a compiled decoder's module."""

    def __call__(self, buffer: Bytes, bounds: Words, batch: BinaryBatch) -> int: ...


@dataclass(frozen=True)
class PacketFormat:
    """A compiled decoder beside its schema: the messages that have rows, the slot of each group, the sequence field."""

    schema: Schema
    decode_packets: PacketDecoder
    decoded: tuple[str, ...]
    skipped: tuple[str, ...]
    slots: Mapping[str, int]
    sequence: str


def random_packet(form: PacketFormat, random: np.random.Generator, names: Sequence[str], most: int = 5) -> bytes:
    """A packet of up to ``most`` messages of the given names."""
    schema = form.schema
    assert schema.packet is not None
    messages = []
    for name in random.choice(list(names), int(random.integers(0, most + 1))):
        members = {key: leaf for key, leaf in schema.header.fields.items() if key not in ("version", "blockLength")}
        extra = {key: random_leaf(leaf, random) for key, leaf in members.items()}
        messages.append(encode(schema, name, random_values(schema.message(name), random), extra))
    header = {key: random_leaf(leaf, random) for key, leaf in schema.packet.fields.items()}
    return encode_packet(schema, header, messages)


def assert_packet_equals(form: PacketFormat, batch: BinaryBatch, index: int, start: int, packet: DecodedPacket) -> None:
    """Packet ``index`` of a batch, whose payload begins at ``start``, has the rows of the decoded packet."""
    with_rows = [message for message in packet.messages if message.name in form.decoded]
    columns = batch.packets[index]
    assert columns[PACKET_REASON] == BinaryReject.NONE
    assert columns[PACKET_ROWS] == len(with_rows)
    assert columns[PACKET_SKIPPED] == len(packet.messages) + packet.skipped - len(with_rows)
    assert columns[PACKET_SEQUENCE] == packet.header[form.sequence]
    first = int(columns[PACKET_FIRST_ROW])
    for row, message in zip(batch.rows[first : first + len(with_rows)].tolist(), with_rows, strict=True):
        assert row[ROW_PACKET] == index
        assert row[ROW_OFFSET] >= start
        assert_row_equals(form, batch, row, message)


def assert_row_equals(form: PacketFormat, batch: BinaryBatch, row: list[int], message: Decoded) -> None:
    assert (row[ROW_TEMPLATE], row[ROW_LENGTH]) == (message.template_id, message.length)
    expected = row_of(message.layout.fields, message.fields)
    assert row[FIRST_FIELD : FIRST_FIELD + len(expected)] == expected
    column = FIRST_FIELD + len(expected)
    for name, group in message.layout.groups.items():
        first, count = row[column : column + 2]
        entries = batch.entries[form.slots[name]][first : first + count].tolist()
        assert entries == [row_of(group.fields, entry) for entry in message.groups[name]]
        column += 2


def assert_damage_is_refused_alike(form: PacketFormat, batch: BinaryBatch, seed: int, count: int) -> set[BinaryReject]:
    """Mutated packets at the end of readable memory are refused exactly where the schema refuses them."""
    random = np.random.default_rng(seed)
    guarded = GuardedBuffer(1 << 16)
    reasons = set()
    for _ in range(count):
        payload = mutated(random_packet(form, random, form.decoded, 3), random)
        assert form.decode_packets(guarded.holding(payload), np.array([0, len(payload)]), batch) == 1
        reason = BinaryReject(int(batch.packets[0, PACKET_REASON]))
        reasons.add(reason)
        if reason != BinaryReject.NONE:
            assert batch.packets[0, PACKET_ROWS] == 0
            assert all(batch.used(slot) == 0 for slot in form.slots.values())
        if batch.packets[0, PACKET_SKIPPED]:
            continue
        packet = decoded_or_none(form.schema, payload)
        assert (packet is None) == (reason != BinaryReject.NONE)
        if packet is not None:
            assert_packet_equals(form, batch, 0, 0, packet)
    return reasons


def decoded_or_none(schema: Schema, payload: bytes) -> DecodedPacket | None:
    """The packet, or None if the schema's own decoder refuses it."""
    try:
        return decode_packet(schema, payload)
    except Rejected:
        return None
