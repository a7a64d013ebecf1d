"""The reference's frames against published examples and numbers worked out by hand."""

from __future__ import annotations

import zlib

import pytest

from market.errors import Rejected
from market.fastpath.conformance.case import SCHEMA, Frame
from market.fastpath.conformance.frame_builder import Wrapping, frame, internet_checksum
from market.fastpath.reference import ReferenceEngine
from market.fastpath.reference.frames import ones_complement_sum
from market.fastpath.specification import EngineSizes
from market.wire.sbe import decode
from tests.market.fastpath.conformance_results import case, counted, edges, payloads, triggers

# an IPv4 header that is often used as an example: its checksum is b861
EXAMPLE_HEADER = bytes.fromhex("45000073000040004011b861c0a80001c0a800c7")


def frame_counters(name: str) -> dict[str, int]:
    """The frame counters at a case's end that are not zero, without the step."""
    fields = decode(SCHEMA, bytes.fromhex(case(name).end.frame_counters)).fields
    return {key: value for key, value in fields.items() if value and key != "step"}


def test_checksums_of_a_known_header() -> None:
    assert ones_complement_sum(EXAMPLE_HEADER) == 0xFFFF
    assert internet_checksum(EXAMPLE_HEADER[:10] + b"\0\0" + EXAMPLE_HEADER[12:]) == 0xB861
    assert ones_complement_sum(b"\xff") == ones_complement_sum(b"\xff\0") == 0xFF00


def test_built_frames_have_the_residue_of_a_good_fcs() -> None:
    built = frame(b"payload", Wrapping())
    assert zlib.crc32(built) == 0x2144DF1C
    assert built[12:16] == b"\x08\x00\x45\x00"
    assert built[14 + 16 : 14 + 20] == bytes([239, 0, 0, 1])


def test_published_messages() -> None:
    # 61,784.00 - 61,774.00; both display more than 1.0
    assert edges("frame-best-bid-ask") == [10_000_000_000]
    (trigger,) = payloads("frame-best-bid-ask", "Trigger")
    assert (trigger["firstPrice"], trigger["secondPrice"]) == (61_784_000_000_000, 61_774_000_000_000)
    assert trigger["causeSequence"] == 5
    assert counted("frame-best-bid-ask")["rejectOldSequence"] == 1
    last = payloads("frame-trades", "Status")[-1]
    # sales 1,000 + 2,000 + 7, buys 5, times 10; two of neither kind
    assert (last["buyVolume"], last["sellVolume"], last["tradeCount"]) == (50, 30_070, 6)


def test_the_longest_packet() -> None:
    lengths = [len(step.input.octets) for step in case("frame-longest").steps if isinstance(step.input, Frame)]
    assert lengths == [14 + 1_500 + 4, 14 + 1_501 + 4]
    last = payloads("frame-longest", "Status")[-1]
    assert (last["buyVolume"], last["sellVolume"]) == (29 * 29, 28 * 29)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("frame-fcs", {"frames": 10, "badFcs": 8, "notOurs": 1, "messages": 1}),
        ("frame-ethertype", {"frames": 15, "notOurs": 11, "badIp": 2, "messages": 2}),
        ("frame-addresses", {"frames": 7, "notOurs": 6, "messages": 1}),
        ("frame-ip", {"frames": 20, "badIp": 16, "messages": 4}),
        ("frame-udp", {"frames": 14, "badUdp": 9, "badMessage": 1, "messages": 4}),
        ("frame-udp-checksum", {"frames": 8, "badUdp": 3, "messages": 5}),
        (
            "frame-first-check",
            {"frames": 8, "badFcs": 1, "notOurs": 2, "badIp": 1, "badUdp": 2, "badMessage": 1, "messages": 1},
        ),
        ("frame-dropped", {"frames": 4, "badIp": 1, "badMessage": 1, "messages": 2}),
        ("frame-skipped", {"frames": 7, "messages": 2, "skippedMessages": 5}),
        ("frame-bad-best-bid-ask", {"frames": 11, "badMessage": 9, "messages": 2}),
        ("frame-bad-trades", {"frames": 18, "badMessage": 17, "messages": 1}),
        ("frame-bad-header", {"frames": 14, "badMessage": 14}),
        ("frame-other-feed", {"frames": 2, "badMessage": 2}),
        ("frame-no-instrument", {"frames": 2, "messages": 2}),
    ],
)
def test_frame_counters(name: str, expected: dict[str, int]) -> None:
    assert frame_counters(name) == expected


def test_a_checksum_that_computes_to_zero_is_among_the_good_ones() -> None:
    frames = [step.input.octets for step in case("frame-udp-checksum").steps if isinstance(step.input, Frame)]
    assert [octets[14 + 26 : 14 + 28] for octets in frames].count(b"\xff\xff") == 2
    assert frames[3][14 + 26 : 14 + 28] == b"\xff\xff"


def test_an_accepted_frame_is_one_step() -> None:
    shown = [(s["step"], s["tradeEvents"]) for s in payloads("frame-one-step", "Status")]
    assert shown[-2:] == [(12, 3), (14, 6)]
    assert payloads("frame-one-step", "Status")[-1]["timeBackwards"] == 2


def test_a_dropped_frame_is_none() -> None:
    assert triggers("frame-dropped") == []
    assert payloads("frame-dropped", "Status")[-1]["step"] == 15
    assert payloads("frame-dropped", "Status")[-1]["time"] == 1_000_002_000


def test_skipped_messages_make_a_venue_heard() -> None:
    assert [t["causeTime"] for t in payloads("frame-skipped", "Trigger")] == [1_000_004_000]


def test_the_lowest_enabled_channel_row_wins() -> None:
    assert [(t.first[0], t.first[2], t.second[0]) for t in triggers("frame-channel-rows")] == [
        (0, 1_010, 1),
        (0, 1_020, 1),
    ]


def test_each_frame_needs_a_time() -> None:
    with pytest.raises(Rejected, match="1 frames came with 2 receive times"):
        ReferenceEngine(EngineSizes()).push([b""], [1, 2])


def test_events_count_as_frames_of_one_message() -> None:
    engine = ReferenceEngine(EngineSizes())
    engine.push_quotes([(0, 0, -9, -9, 1, 1, 1, 2, 1, 5)])
    engine.trade(0, 0, -9, -9, 1, 1, 1, 6)
    fields = decode(SCHEMA, engine.frame_counters()).fields
    assert (fields["frames"], fields["messages"], fields["step"]) == (2, 2, 2)
