"""Capture files of every kind give the same packets; damaged ones are refused with the place of the damage."""

from __future__ import annotations

import gzip
import struct
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from market.errors import MissingInput, Rejected
from sim.capture import LinkType, Packet, read_packets

TIME_NS = 1_723_161_255_030_314_159
FRAMES = [b"first frame", b"", b"x" * 61]


def pcap_file(order: str, nanoseconds: bool, link_type: int = LinkType.ETHERNET) -> bytes:
    magic = 0xA1B23C4D if nanoseconds else 0xA1B2C3D4
    divisor = 1 if nanoseconds else 1000
    content = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 65535, link_type)
    for index, frame in enumerate(FRAMES):
        seconds, fraction = divmod(TIME_NS + 1000 * index, 10**9)
        content += struct.pack(order + "IIII", seconds, fraction // divisor, len(frame), len(frame) + 4) + frame
    return content


def block(order: str, kind: int, body: bytes) -> bytes:
    length = 12 + len(body) + -len(body) % 4
    return struct.pack(order + "II", kind, length) + body.ljust(length - 12, b"\0") + struct.pack(order + "I", length)


def option(order: str, code: int, value: bytes) -> bytes:
    return struct.pack(order + "HH", code, len(value)) + value.ljust(len(value) + -len(value) % 4, b"\0")


def section(order: str) -> bytes:
    return block(order, 0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1))


def interface(order: str, options: bytes, link_type: int = LinkType.ETHERNET) -> bytes:
    return block(order, 1, struct.pack(order + "HHI", link_type, 0, 0) + options + option(order, 0, b""))


def enhanced(order: str, number: int, ticks: int, frame: bytes) -> bytes:
    head = struct.pack(order + "IIIII", number, ticks >> 32, ticks & 0xFFFFFFFF, len(frame), len(frame) + 4)
    return block(order, 6, head + frame)


def pcapng_file(order: str, options: bytes, ticks_per_second: int) -> bytes:
    content = section(order) + interface(order, options) + block(order, 0x0BAD, b"to be skipped")
    for index, frame in enumerate(FRAMES):
        content += enhanced(order, 0, (TIME_NS + 1000 * index) * ticks_per_second // 10**9, frame)
    return content


def read(path: Path, content: bytes) -> list[Packet]:
    path.write_bytes(content)
    return list(read_packets(path))


def expected(resolution_ns: int) -> list[Packet]:
    times = [(TIME_NS + 1000 * index) // resolution_ns * resolution_ns for index in range(len(FRAMES))]
    return [Packet(time, 1, frame, len(frame) + 4) for time, frame in zip(times, FRAMES, strict=True)]


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("nanoseconds", [False, True])
def test_pcap_of_both_orders_and_resolutions(tmp_path: Path, order: str, nanoseconds: bool) -> None:
    assert read(tmp_path / "capture", pcap_file(order, nanoseconds)) == expected(1 if nanoseconds else 1000)


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize(("resolution", "ticks_per_second"), [(None, 10**6), (9, 10**9), (6, 10**6), (3, 10**3)])
def test_pcapng_takes_the_resolution_of_the_interface(
    tmp_path: Path, order: str, resolution: int | None, ticks_per_second: int
) -> None:
    options = b"" if resolution is None else option(order, 9, bytes([resolution]))
    content = pcapng_file(order, options, ticks_per_second)
    assert read(tmp_path / "capture", content) == expected(10**9 // ticks_per_second)


def test_pcapng_resolution_may_be_a_power_of_two(tmp_path: Path) -> None:
    ticks = 5 * 2**20 + 2**19
    content = section("<") + interface("<", option("<", 9, bytes([0x80 | 20]))) + enhanced("<", 0, ticks, b"x")
    assert [packet.time_ns for packet in read(tmp_path / "capture", content)] == [5_500_000_000]


def test_pcapng_time_offset_is_added(tmp_path: Path) -> None:
    content = section("<") + interface("<", option("<", 14, struct.pack("<q", 100))) + enhanced("<", 0, 7, b"x")
    assert [packet.time_ns for packet in read(tmp_path / "capture", content)] == [100_000_007_000]


def test_pcapng_sections_have_their_own_interfaces_and_order(tmp_path: Path) -> None:
    second = section(">") + interface(">", option(">", 9, b"\x09"), LinkType.RAW_IP) + enhanced(">", 0, 42, b"y")
    packets = read(tmp_path / "capture", pcapng_file("<", b"", 10**6) + second)
    assert packets[:-1] == expected(1000)
    assert packets[-1] == Packet(42, LinkType.RAW_IP, b"y", 5)


def test_obsolete_packet_blocks_are_read(tmp_path: Path) -> None:
    body = struct.pack("<HHIIII", 0, 0, 0, 1_000_000, 3, 3) + b"old"
    packets = read(tmp_path / "capture", section("<") + interface("<", b"") + block("<", 2, body))
    assert packets == [Packet(1_000_000_000, 1, b"old", 3)]


@pytest.mark.parametrize("compress", [gzip.compress, zstandard.ZstdCompressor().compress])
@pytest.mark.parametrize("content", [pcap_file("<", True), pcapng_file("<", b"", 10**6)])
def test_compressed_captures_are_read_as_they_are(tmp_path: Path, compress: object, content: bytes) -> None:
    assert callable(compress)
    assert read(tmp_path / "packed", compress(content)) == read(tmp_path / "plain", content)


def test_an_absent_file_is_missing_input(tmp_path: Path) -> None:
    with pytest.raises(MissingInput, match="cannot be read"):
        list(read_packets(tmp_path / "absent.pcap"))


DAMAGED = {
    "empty": b"",
    "another format": b"PK\x03\x04" + bytes(100),
    "no file header": pcap_file("<", False)[:10],
    "impossible record length": pcap_file("<", False)[:32] + b"\xff" * 8,
    "fraction of a second": pcap_file("<", False)[:28] + struct.pack("<III", 10**6, 0, 0),
    "version": block("<", 0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 9, 0, -1)),
    "byte-order magic": block("<", 0x0A0D0D0A, struct.pack("<IHHq", 0x11111111, 1, 0, -1)),
    "block length of 0": section("<") + struct.pack("<II", 6, 0) + bytes(20),
    "odd block length": section("<") + struct.pack("<II", 6, 33) + bytes(40),
    "enormous block length": section("<") + struct.pack("<II", 6, 0xFFFFFFFC) + bytes(40),
    "two different block lengths": section("<") + struct.pack("<III", 0xBAD, 12, 16),
    "unknown interface": section("<") + enhanced("<", 0, 1, b"x"),
    "packet behind its block": section("<")
    + interface("<", b"")
    + block("<", 6, struct.pack("<IIIII", 0, 0, 0, 50, 50)),
    "short packet block": section("<") + interface("<", b"") + block("<", 6, bytes(8)),
    "short interface block": section("<") + block("<", 1, bytes(4)),
    "option behind its block": section("<") + block("<", 1, bytes(8) + struct.pack("<HH", 9, 60)),
    "resolution of two bytes": section("<") + interface("<", option("<", 9, b"\x09\x09")),
    "packet without time": section("<") + interface("<", b"") + block("<", 3, struct.pack("<I", 1) + b"x"),
    "cut gzip": gzip.compress(pcap_file("<", True) * 50)[:60],
    "cut zstandard": zstandard.ZstdCompressor().compress(pcap_file("<", True))[:40],
    "damaged gzip": b"\x1f\x8b" + bytes(60),
    "damaged zstandard": b"\x28\xb5\x2f\xfd" + b"\xff" * 60,
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_a_damaged_capture_is_refused(tmp_path: Path, damage: str) -> None:
    with pytest.raises(Rejected, match=r"capture .*, byte \d+: .*expected"):
        read(tmp_path / "capture", DAMAGED[damage])


@pytest.mark.parametrize("content", [pcap_file(">", True), pcapng_file("<", b"", 10**6)])
def test_a_capture_cut_anywhere_gives_its_packets_and_is_then_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "capture"
    whole = read(path, content)
    for length in range(4, len(content)):
        path.write_bytes(content[:length])
        found: list[Packet] = []
        with suppress(Rejected):
            found.extend(read_packets(path))
        assert found == whole[: len(found)]
        assert len(found) < len(whole)


@given(seed=st.integers(0, 2**32), kind=st.integers(0, 3))
@settings(derandomize=True, deadline=None, max_examples=300)
def test_random_damage_is_refused_or_read(tmp_path_factory: pytest.TempPathFactory, seed: int, kind: int) -> None:
    random = np.random.default_rng(seed)
    content = [pcap_file("<", True), pcap_file(">", False), pcapng_file("<", b"", 10**6), pcapng_file(">", b"", 10**6)]
    damaged = bytearray(content[kind])
    for place in random.integers(0, len(damaged), int(random.integers(1, 6))):
        damaged[place] = int(random.integers(0, 256))
    path = tmp_path_factory.getbasetemp() / "damaged"
    path.write_bytes(gzip.compress(bytes(damaged)) if random.random() < 0.2 else bytes(damaged))
    with suppress(Rejected):
        assert all(len(packet.frame) <= len(damaged) for packet in read_packets(path))
