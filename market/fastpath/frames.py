"""Ethernet frames: which are ours, and where their payload is.

A frame is Ethernet II with at most one 802.1Q tag, IPv4 without options or fragments, and UDP; its
last four bytes are the frame check sequence. Every check reads only bytes that are there.
"""

from __future__ import annotations

from typing import Final

from market.fastpath import state
from market.fastpath.datagrams import count_drop, datagram
from market.fastpath.event_log import PAYLOAD_LIMIT
from market.fastpath.parity import crc32
from market.fastpath.specification import DropReason
from market.native.kernel import inline, part
from market.native.memory import byte_swap, get, load_u8, load_u16, load_u32

_BAD_FCS: Final = int(DropReason.BAD_FCS)
_NOT_OURS: Final = int(DropReason.NOT_OURS)
_BAD_IP: Final = int(DropReason.BAD_IP)
_BAD_UDP: Final = int(DropReason.BAD_UDP)

FCS_SIZE: Final = 4
ETHERTYPE: Final = 12
TAG_SIZE: Final = 4
IP_SIZE: Final = 20
UDP_SIZE: Final = 8
TOTAL_LENGTH_LIMIT: Final = IP_SIZE + UDP_SIZE + PAYLOAD_LIMIT
"""An IP packet of a frame that is not a jumbo frame: 1,500 bytes."""
# numbers in network byte order, as the little-endian words that a load gives
_ETHERTYPE_TAG: Final = 0x0081
_ETHERTYPE_IP: Final = 0x0008
_FRAGMENT_MASK: Final = 0xFF3F
_UDP_PROTOCOL_WORD: Final = 0x1100
_VERSION_AND_LENGTH: Final = 0x45
_UDP: Final = 17
_IP_LENGTH: Final = 2
_IP_FRAGMENT: Final = 6
_IP_PROTOCOL: Final = 9
_IP_ADDRESSES: Final = 12
_IP_DESTINATION: Final = 16
_UDP_PORT: Final = 2
_UDP_LENGTH: Final = 4
_UDP_CHECKSUM: Final = 6


@inline
def load_u16_swapped(base: int, offset: int) -> int:
    """A 16-bit number in network byte order."""
    return load_u8(base, offset) << 8 | load_u8(base, offset + 1)


@inline
def load_u32_swapped(base: int, offset: int) -> int:
    """A 32-bit number in network byte order."""
    return byte_swap(load_u32(base, offset)) >> 32 & 0xFFFFFFFF


@inline
def has_checksum(total: int) -> bool:
    """Whether a sum of 16-bit words, their checksum among them, is right; the same in either byte order.

    ``total`` may be a sum of 32-bit words, as 2^16 is 1 modulo 2^16 - 1 (RFC 1071).
    """
    while total >> 16:
        total = (total >> 16) + (total & 0xFFFF)
    return total == 0xFFFF


@part
def sum_words(base: int, length: int) -> int:
    """Sum of ``length`` bytes as little-endian words, the last one filled up with zeros; below 2^48 for a packet."""
    total = 0
    at = 0
    while at + 4 <= length:
        total += load_u32(base, at)
        at += 4
    if at + 2 <= length:
        total += load_u16(base, at)
        at += 2
    if at < length:
        total += load_u8(base, at)
    return total


@inline
def find_channel(engine: int, key: int) -> int:
    """The lowest enabled channel row with that destination, or -1."""
    row = state.channel_row(engine, 0)
    for channel in range(get(engine, state.CHANNELS_IN_USE)):
        if get(row, state.CHANNEL_KEY) == key:
            return channel
        row += state.CHANNEL_WORDS * state.WORD
    return -1


@inline
def good_ip(packet: int, length: int) -> bool:
    """Whether a packet, ``length`` bytes with padding, has a right header without options, and is no fragment."""
    total = load_u16_swapped(packet, _IP_LENGTH)
    return (
        load_u8(packet, 0) == _VERSION_AND_LENGTH
        and IP_SIZE <= total <= min(length, TOTAL_LENGTH_LIMIT)
        and load_u16(packet, _IP_FRAGMENT) & _FRAGMENT_MASK == 0
        and has_checksum(sum_words(packet, IP_SIZE))
    )


@inline
def good_udp(packet: int) -> bool:
    """Whether the UDP header in a good IP packet says the packet's length, and its checksum is absent or right."""
    udp = packet + IP_SIZE
    length = load_u16_swapped(packet, _IP_LENGTH) - IP_SIZE
    if length < UDP_SIZE or load_u16_swapped(udp, _UDP_LENGTH) != length:
        return False
    if load_u16(udp, _UDP_CHECKSUM) == 0:
        return True
    pseudo_header = sum_words(packet + _IP_ADDRESSES, 8) + _UDP_PROTOCOL_WORD + load_u16(udp, _UDP_LENGTH)
    return has_checksum(pseudo_header + sum_words(udp, length))


@part
def open_packet(engine: int, packet: int, length: int) -> tuple[int, int]:
    """The channel of an IP packet of ``length`` bytes with padding, or -1 and the ``DropReason``."""
    if length < IP_SIZE:
        return -1, _BAD_IP
    if load_u8(packet, _IP_PROTOCOL) != _UDP:
        return -1, _NOT_OURS
    channel = -1
    if length >= IP_SIZE + UDP_SIZE:
        address = load_u32_swapped(packet, _IP_DESTINATION)
        channel = find_channel(engine, address << 16 | load_u16_swapped(packet, IP_SIZE + _UDP_PORT))
        if channel < 0:
            return -1, _NOT_OURS
    if not good_ip(packet, length):
        return -1, _BAD_IP
    if length < IP_SIZE + UDP_SIZE or not good_udp(packet):
        return -1, _BAD_UDP
    return channel, 0


@inline
def good_fcs(engine: int, frame: int, length: int) -> bool:
    """Whether a frame ends in the check sequence of the bytes before it."""
    if length < FCS_SIZE:
        return False
    table = engine + get(engine, state.CRC_TABLE)
    return crc32(table, frame, length - FCS_SIZE, 0) == load_u32(frame, length - FCS_SIZE)


@inline
def packet_at(frame: int, length: int) -> int:
    """Offset of the IP packet in a frame of ``length`` bytes without its check sequence, or -1 if it has none."""
    at = ETHERTYPE
    if at + 2 <= length and load_u16(frame, at) == _ETHERTYPE_TAG:
        at += TAG_SIZE
    return at + 2 if at + 2 <= length and load_u16(frame, at) == _ETHERTYPE_IP else -1


@part
def frame_event(engine: int, frame: int, length: int, time_ns: int) -> int:
    """One frame of ``length`` bytes, its check sequence included, received at ``time_ns``.

    Returns ``TAKEN`` or a ``DropReason``. Appends at most what ``datagram`` does.
    """
    state.bump(engine, state.FRAMES)
    if not good_fcs(engine, frame, length):
        return count_drop(engine, _BAD_FCS)
    content = length - FCS_SIZE
    at = packet_at(frame, content)
    if at < 0:
        return count_drop(engine, _NOT_OURS)
    packet = frame + at
    channel, reason = open_packet(engine, packet, content - at)
    if channel < 0:
        return count_drop(engine, reason)
    payload_length = load_u16_swapped(packet, _IP_LENGTH) - IP_SIZE - UDP_SIZE
    return datagram(engine, channel, packet + IP_SIZE + UDP_SIZE, payload_length, time_ns)
