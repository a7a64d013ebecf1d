"""Builds the frames of the corpus: Binance messages in UDP, IPv4 and Ethernet, whole or spoiled in named places."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass

ADDRESS = 0xEF000001
"""239.0.0.1, the multicast group of the corpus's channels."""
SOURCE_ADDRESS = 0x0A000001
SYMBOL = b"BTCUSDT"


@dataclass(frozen=True)
class Wrapping:
    """Everything around a UDP payload; None means the right value.

    ``udp_checksum``: 0 (absent) unless given; None computes it. ``total_length`` and ``udp_length`` go into the headers
    and into the checksums, but never move a byte.
    """

    address: int = ADDRESS
    port: int = 30_000
    ethertype: int = 0x0800
    tags: tuple[int, ...] = ()
    first_byte: int = 0x45
    protocol: int = 17
    total_length: int | None = None
    flags_and_offset: int = 0x4000
    header_checksum: int | None = None
    udp_length: int | None = None
    udp_checksum: int | None = 0
    padding: bytes = b""
    packet_end: int | None = None


def internet_checksum(octets: bytes) -> int:
    """The checksum of RFC 1071: complement of the ones' complement sum of 16-bit words."""
    padded = octets + b"\0" * (len(octets) % 2)
    words: tuple[int, ...] = struct.unpack(f">{len(padded) // 2}H", padded)
    total = sum(words)
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def frame(payload: bytes, wrapping: Wrapping) -> bytes:
    """An Ethernet frame with its FCS."""
    udp_length = len(payload) + 8 if wrapping.udp_length is None else wrapping.udp_length
    total_length = len(payload) + 28 if wrapping.total_length is None else wrapping.total_length
    addresses = struct.pack(">II", SOURCE_ADDRESS, wrapping.address)
    pseudo_header = addresses + struct.pack(">HH", wrapping.protocol, udp_length)
    udp = struct.pack(">HHHH", 40_000, wrapping.port, udp_length, 0)
    checksum = wrapping.udp_checksum
    if checksum is None:
        checksum = internet_checksum(pseudo_header + udp + payload) or 0xFFFF
    udp = udp[:6] + struct.pack(">H", checksum)
    start = struct.pack(
        ">BBHHHBB", wrapping.first_byte, 0, total_length, 0, wrapping.flags_and_offset, 16, wrapping.protocol
    )
    header_checksum = wrapping.header_checksum
    if header_checksum is None:
        header_checksum = internet_checksum(start + addresses)
    packet = start + struct.pack(">H", header_checksum) + addresses + udp + payload + wrapping.padding
    tags = b"".join(struct.pack(">HH", 0x8100, tag) for tag in wrapping.tags)
    ethernet = b"\x01\x00\x5e\x00\x00\x01" + b"\x02\x00\x00\x00\x00\x01" + tags + struct.pack(">H", wrapping.ethertype)
    return with_fcs(ethernet + packet[: wrapping.packet_end])


def with_fcs(body: bytes) -> bytes:
    """The body and its CRC-32, least significant byte first."""
    return body + struct.pack("<I", zlib.crc32(body))


def best_bid_ask(
    price_exponent: int,
    quantity_exponent: int,
    update_id: int,
    bid_price: int,
    bid_quantity: int,
    ask_price: int,
    ask_quantity: int,
    symbol: bytes = SYMBOL,
) -> bytes:
    """A BestBidAsk message (template 10001)."""
    root = struct.pack(
        "<qqbbqqqq",
        1_723_161_255_030_314,
        update_id,
        price_exponent,
        quantity_exponent,
        bid_price,
        bid_quantity,
        ask_price,
        ask_quantity,
    )
    return struct.pack("<HHHH", 50, 10_001, 1, 0) + root + _symbol(symbol)


def trades(
    price_exponent: int, quantity_exponent: int, entries: Iterable[tuple[int, int, int]], symbol: bytes = SYMBOL
) -> bytes:
    """A Trades message (template 10000); entries are (price, quantity, isBuyerMaker)."""
    listed = list(entries)
    root = struct.pack("<qqbb", 1_723_161_255_208_000, 1_723_161_255_207_999, price_exponent, quantity_exponent)
    group = struct.pack("<HI", 25, len(listed))
    group += b"".join(struct.pack("<qqqB", 7 + number, *entry) for number, entry in enumerate(listed))
    return struct.pack("<HHHH", 18, 10_000, 1, 0) + root + group + _symbol(symbol)


def _symbol(symbol: bytes) -> bytes:
    return bytes([len(symbol)]) + symbol
