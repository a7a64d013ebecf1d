"""Reading a capture file, whatever its format."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sim.capture import pcap, pcapng
from sim.capture.datagram import Datagram, udp_payload
from sim.capture.packet import Packet
from sim.capture.source import open_source


def read_packets(path: Path) -> Iterator[Packet]:
    """The packets of a pcap or pcapng file in file order; gzip and Zstandard are decompressed on the way.

    Both byte orders, microsecond and nanosecond files, and any ``if_tsresol`` are read. Raises MissingInput if the
    file cannot be opened, and Rejected where it is cut off, damaged or of another format; what came before is yielded.
    """
    with open_source(path) as source:
        magic = source.read(4, "file")
        if pcap.is_pcap(magic):
            yield from pcap.packets(magic, source)
        elif magic == pcapng.MAGIC:
            yield from pcapng.packets(source)
        else:
            source.fail(f"file begins with {magic.hex()}", "the magic of pcap or pcapng")


def read_datagrams(path: Path) -> Iterator[Datagram]:
    """The UDP datagrams of a capture file in file order; frames without one are skipped. Raises as ``read_packets``."""
    for packet in read_packets(path):
        datagram = udp_payload(packet)
        if datagram is not None:
            yield datagram
