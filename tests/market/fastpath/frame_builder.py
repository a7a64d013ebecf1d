"""Builds Ethernet frames with right or deliberately wrong parts, and Binance messages for them."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace
from struct import pack
from typing import Any

from market.fastpath.specification import Feed
from market.wire.sbe import encode, load_schema
from market.wire.schemas import BINANCE_STREAM
from tests.market.fastpath.engine_driver import Driver

BINANCE = load_schema(BINANCE_STREAM)
GROUP = 0xEFC00001
PORT = 31_001


def checksum_of(words: bytes) -> int:
    """The Internet checksum of bytes, summed as big-endian 16-bit words."""
    padded = words + bytes(len(words) % 2)
    total = sum(int.from_bytes(padded[at : at + 2], "big") for at in range(0, len(padded), 2))
    while total >> 16:
        total = (total >> 16) + (total & 0xFFFF)
    return ~total & 0xFFFF


@dataclass(frozen=True)
class Frame:
    """Parts of a frame; ``None`` means: what is right."""

    payload: bytes
    address: int = GROUP
    port: int = PORT
    ethertype: int = 0x0800
    tags: int = 0
    first_byte: int = 0x45
    total_length: int | None = None
    fragment: int = 0x4000
    protocol: int = 17
    header_checksum_error: int = 0
    udp_length: int | None = None
    udp_checksum: str = "absent"
    padding: int = 0

    def udp(self) -> bytes:
        length = 8 + len(self.payload) if self.udp_length is None else self.udp_length
        header = pack(">HHHH", 4_000, self.port, length, 0)
        if self.udp_checksum == "absent":
            return header + self.payload
        pseudo_header = pack(">IIBBH", 0x0A000001, self.address, 0, self.protocol, length)
        checksum = checksum_of(pseudo_header + header + self.payload) or 0xFFFF
        if self.udp_checksum == "wrong":
            checksum ^= 0x0100
        return header[:6] + pack(">H", checksum) + self.payload

    def packet(self) -> bytes:
        udp = self.udp()
        total = 20 + len(udp) if self.total_length is None else self.total_length
        fields = (self.first_byte, 0, total, 1, self.fragment, 8, self.protocol, 0, 0x0A000001, self.address)
        header = pack(">BBHHHBBHII", *fields)
        checksum = checksum_of(header) ^ self.header_checksum_error
        return header[:10] + pack(">H", checksum) + header[12:] + udp

    def content(self) -> bytes:
        """The frame without its check sequence."""
        tags = pack(">HH", 0x8100, 5) * self.tags
        addresses = bytes.fromhex("01005e400001020000000001")
        return addresses + tags + pack(">H", self.ethertype) + self.packet() + bytes(self.padding)

    def bytes(self) -> bytes:
        return with_fcs(self.content())

    def but(self, **changes: Any) -> Frame:
        return replace(self, **changes)


def with_fcs(content: bytes) -> bytes:
    return content + pack("<I", zlib.crc32(content))


def best_bid_ask(sequence: int, bid: int, ask: int, bid_quantity: int, ask_quantity: int, exponent: int = -9) -> bytes:
    fields = {"bidPrice": bid, "bidQty": bid_quantity, "askPrice": ask, "askQty": ask_quantity}
    exponents = {"priceExponent": exponent, "qtyExponent": exponent}
    values = {"eventTime": 1, "bookUpdateId": sequence, **exponents, **fields, "symbol": "BTCUSDT"}
    return encode(BINANCE, "BestBidAskStreamEvent", values)


def trades(*entries: tuple[int, int, int], exponent: int = -9) -> bytes:
    """A Trades message of (price, quantity, buyer is maker)."""
    group = [
        {"id": at, "price": price, "qty": quantity, "isBuyerMaker": maker}
        for at, (price, quantity, maker) in enumerate(entries)
    ]
    exponents = {"priceExponent": exponent, "qtyExponent": exponent}
    values = {"eventTime": 1, "transactTime": 1, **exponents, "trades": group, "symbol": "BTCUSDT"}
    return encode(BINANCE, "TradesStreamEvent", values)


def write_channel(driver: Driver, venue: int, *, channel: int | None = None, **changes: int) -> None:
    """A row for Binance messages of instrument 0, on ``GROUP`` and ``PORT`` plus the venue."""
    row = {"address": GROUP, "port": PORT + venue, "channel": venue if channel is None else channel}
    row |= {"instrument": 0, "venue": venue, "feed": Feed.BINANCE_SBE, "enabled": 1}
    driver.apply("ChannelRow", **{**row, **changes})
