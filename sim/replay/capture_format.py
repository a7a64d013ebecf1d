"""Which venue's packets a capture file holds, and the instruments that they define."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Final

from market.book.continuity import Rule
from market.errors import Rejected
from market.wire import coinbase_derivatives, deribit_legacy, deribit_starbase
from market.wire.binary import OK, PACKET_REASON, PACKET_ROWS, PACKET_SKIPPED, BinaryBatch, Bytes, Words, pack
from market.wire.definitions import Definition, coinbase_definitions, deribit_definitions, starbase_definitions
from sim.capture import read_datagrams

HEAD_PACKETS: Final = 256
PACKETS_PER_CALL: Final = 512


class CaptureFormat(StrEnum):
    """Packets that can be replayed, by their venue's name in settings."""

    DERIBIT = "deribit"
    STARBASE = "starbase"
    COINBASE_DERIVATIVES = "coinbase-derivatives"


@dataclass(frozen=True)
class _Wire:
    """How packets of a format are read."""

    new_batch: Callable[[], BinaryBatch]
    decode_packets: Callable[[Bytes, Words, BinaryBatch], int]
    definitions: Callable[[Iterable[bytes]], Iterator[Definition]]


_WIRES: Final = {
    CaptureFormat.DERIBIT: _Wire(deribit_legacy.new_batch, deribit_legacy.decode_packets, deribit_definitions),
    CaptureFormat.COINBASE_DERIVATIVES: _Wire(
        coinbase_derivatives.new_batch, coinbase_derivatives.decode_packets, coinbase_definitions
    ),
    CaptureFormat.STARBASE: _Wire(deribit_starbase.new_batch, deribit_starbase.decode_packets, starbase_definitions),
}


def rule_of(form: CaptureFormat) -> Rule:
    """How a format numbers the updates of a book; formats of single orders bring quotes of books of their own."""
    return Rule.CHAINED if form is CaptureFormat.DERIBIT else Rule.UNNUMBERED


def _decoded(wire: _Wire, batch: BinaryBatch, payloads: list[bytes]) -> Iterator[tuple[bytes, int, int]]:
    """Payload, messages with rows and other messages of every packet that is whole."""
    start = 0
    while start < len(payloads):
        buffer, bounds = pack(payloads[start:])
        count = wire.decode_packets(buffer, bounds, batch)
        for payload, packet in zip(payloads[start : start + count], batch.packets[:count], strict=True):
            if packet[PACKET_REASON] == OK:
                yield payload, int(packet[PACKET_ROWS]), int(packet[PACKET_SKIPPED])
        start += count


def _readable(path: Path) -> Iterator[bytes]:
    """Payloads up to where the file is damaged; whoever reads its records reports the damage."""
    try:
        for datagram in read_datagrams(path):
            yield datagram.payload
    except Rejected:
        return


def capture_format(path: Path) -> CaptureFormat | None:
    """The format that most packets at the beginning of a capture are whole in, None if there is none.

    Heartbeats, which are packets without messages, say nothing. Raises MissingInput if the file cannot be opened.
    """
    payloads = list(islice(_readable(path), HEAD_PACKETS))
    fits = {
        form: sum(rows + others > 0 for _, rows, others in _decoded(wire, wire.new_batch(), payloads))
        for form, wire in _WIRES.items()
    }
    best = max(fits, key=lambda form: fits[form])
    return best if fits[best] else None


def _in_lists(payloads: Iterable[bytes]) -> Iterator[list[bytes]]:
    remaining = iter(payloads)
    while taken := list(islice(remaining, PACKETS_PER_CALL)):
        yield taken


def capture_definitions(path: Path, form: CaptureFormat) -> Iterator[Definition]:
    """The instruments that a capture defines, each once, in order of appearance.

    Raises MissingInput if the file cannot be opened.
    """
    wire = _WIRES[form]
    batch = wire.new_batch()
    seen: set[int] = set()
    for payloads in _in_lists(_readable(path)):
        candidates = [payload for payload, _, others in _decoded(wire, batch, payloads) if others]
        for definition in wire.definitions(candidates):
            if definition.identity not in seen:
                seen.add(definition.identity)
                yield definition
