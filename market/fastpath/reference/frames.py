"""Frames, from the FCS inwards to the UDP payload: what is accepted, and under which check the rest is dropped."""

from __future__ import annotations

import struct
import zlib
from typing import NamedTuple

from market.fastpath.reference.state import State
from market.fastpath.reference.tables import ChannelRow
from market.fastpath.specification import DropReason

IPV4, VLAN_TAG, UDP = 0x0800, 0x8100, 17
LONGEST_PACKET = 1_500


class Datagram(NamedTuple):
    """An accepted UDP payload, and the channel row that it arrived on."""

    channel: int
    row: ChannelRow
    payload: bytes


def read_frame(state: State, frame: bytes) -> Datagram | DropReason:
    """The datagram of a frame, or the first check that fails: BAD_FCS, NOT_OURS, BAD_IP, BAD_UDP."""
    body, fcs = frame[:-4], frame[-4:]
    if len(frame) < 4 or zlib.crc32(body) != int.from_bytes(fcs, "little"):
        return DropReason.BAD_FCS
    packet = _packet(body)
    if packet is None:
        return DropReason.NOT_OURS
    if len(packet) < 20:
        return DropReason.BAD_IP
    if packet[9] != UDP:
        return DropReason.NOT_OURS
    # a packet that ends before its UDP header does has no port to look up
    found = _channel(state, packet) if len(packet) >= 28 else None
    if len(packet) >= 28 and found is None:
        return DropReason.NOT_OURS
    total_length = int.from_bytes(packet[2:4], "big")
    if not _is_good_ip(packet, total_length):
        return DropReason.BAD_IP
    if found is None or not _is_good_udp(packet, total_length):
        return DropReason.BAD_UDP
    channel, row = found
    return Datagram(channel, row, packet[28:total_length])


def _packet(body: bytes) -> bytes | None:
    """What follows an ethertype of IPv4 at byte 12, or at 16 behind one tag."""
    start = 12
    if body[12:14] == VLAN_TAG.to_bytes(2, "big"):
        start = 16
    if body[start : start + 2] != IPV4.to_bytes(2, "big"):
        return None
    return body[start + 2 :]


def _channel(state: State, packet: bytes) -> tuple[int, ChannelRow] | None:
    """The lowest enabled row with the packet's destination address and port."""
    address, port = struct.unpack_from(">I2xH", packet, 16)
    for channel in sorted(state.channels):
        row = state.channels[channel]
        if row.enabled and (row.address, row.port) == (address, port):
            return channel, row
    return None


def _is_good_ip(packet: bytes, total_length: int) -> bool:
    flags_and_offset = int.from_bytes(packet[6:8], "big")
    return (
        packet[0] == 0x45
        and 20 <= total_length <= min(LONGEST_PACKET, len(packet))
        and flags_and_offset & 0x3FFF == 0
        and ones_complement_sum(packet[:20]) == 0xFFFF
    )


def _is_good_udp(packet: bytes, total_length: int) -> bool:
    if total_length < 28:
        return False
    udp_length, checksum = struct.unpack_from(">HH", packet, 24)
    if udp_length != total_length - 20:
        return False
    if checksum == 0:
        return True
    pseudo_header = packet[12:20] + struct.pack(">BBH", 0, UDP, udp_length)
    return ones_complement_sum(pseudo_header + packet[20:total_length]) == 0xFFFF


def ones_complement_sum(octets: bytes) -> int:
    """Sum of 16-bit big-endian words with end-around carry (RFC 1071); an odd last byte counts as the high one."""
    if len(octets) % 2:
        octets += b"\0"
    total = sum(int.from_bytes(octets[at : at + 2], "big") for at in range(0, len(octets), 2))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total
