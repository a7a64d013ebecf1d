"""Frames: every check from the FCS inwards, and the lookup of the channel."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from market.fastpath.conformance.case import Case, Frame
from market.fastpath.conformance.frame_builder import ADDRESS, Wrapping, best_bid_ask, frame, trades, with_fcs
from market.fastpath.conformance.rules import Rule
from market.fastpath.conformance.scenario import TWO_VENUES, Scenario
from market.fastpath.specification import EngineSizes, Feed, Kind

PORT_0, PORT_1 = 30_000, 30_001


def cases() -> Iterator[Case]:
    yield _longest()
    yield _fcs()
    yield _ethertype()
    yield _addresses()
    yield _ip()
    yield _udp()
    yield _udp_checksum()
    yield _first_check()
    yield _dropped_is_no_step()


def channel(scenario: Scenario, number: int, venue: int, **changes: int) -> None:
    """A channel row: Binance messages of instrument 0 on the corpus's group, port 30,000 + venue."""
    fields = {"address": ADDRESS, "port": PORT_0 + venue, "channel": number, "instrument": 0, "venue": venue}
    scenario.control("ChannelRow", **(fields | {"feed": int(Feed.BINANCE_SBE), "enabled": 1} | changes))


def start(name: str, about: str, *rules: Rule, sizes: EngineSizes = TWO_VENUES) -> Scenario:
    """Two venues on channels 0 and 1, ARB on."""
    scenario = Scenario(name, about, *rules, sizes=sizes)
    scenario.set_up(Kind.ARB)
    channel(scenario, 0, 0)
    channel(scenario, 1, 1)
    return scenario


def quote(update_id: int, bid: int, ask: int) -> bytes:
    """A quote with ten on both sides, exponents -9."""
    return best_bid_ask(-9, -9, update_id, bid, 10, ask, 10)


def send(scenario: Scenario, octets: bytes) -> None:
    """Feed one frame."""
    scenario.give(Frame(octets))


def _longest() -> Case:
    scenario = start(
        "frame-longest",
        "57 trades and a symbol of 14 bytes fill a packet of 1,500 bytes; one byte more is BAD_IP",
        Rule.FRAME_IP,
        Rule.BINANCE_TRADES,
    )
    entries = [(1_000, number + 1, number % 2) for number in range(57)]
    for symbol in (b"S" * 14, b"S" * 15):
        send(scenario, frame(trades(-9, -9, entries, symbol), Wrapping(udp_checksum=None)))
    scenario.control("StatusRequest")
    return scenario.case()


def _fcs() -> Case:
    scenario = start(
        "frame-fcs",
        "good; one bit wrong in body or FCS; FCS in the other byte order; shorter than an FCS; an FCS alone",
        Rule.FRAME_FCS,
    )
    good = frame(quote(1, 999, 1_001), Wrapping(port=PORT_1))
    send(scenario, good)
    body = bytearray(frame(quote(2, 999, 1_001), Wrapping(port=PORT_1)))
    for position in (0, 60, len(body) - 1):
        spoiled = bytearray(body)
        spoiled[position] ^= 0x10
        send(scenario, bytes(spoiled))
    send(scenario, bytes(body[:-4]) + bytes(body[:-5:-1]))
    for length in (0, 1, 3):
        send(scenario, good[:length])
    send(scenario, with_fcs(b""))
    send(scenario, with_fcs(b"")[:3] + b"\1")
    return scenario.case()


def _ethertype() -> Case:
    scenario = start(
        "frame-ethertype",
        "one tag is stepped over; two, other types and frames that end before the type are NOT_OURS",
        Rule.FRAME_ETHERTYPE,
    )
    payload = quote(1, 999, 1_001)
    send(scenario, frame(payload, Wrapping(tags=(5,))))
    send(scenario, frame(quote(2, 999, 1_001), Wrapping(tags=(0x0800,))))
    send(scenario, frame(payload, Wrapping(tags=(5, 6))))
    for ethertype in (0x0806, 0x86DD, 0x88A8, 0x0008):
        send(scenario, frame(payload, Wrapping(ethertype=ethertype)))
    plain, tagged = frame(payload, Wrapping())[:-4], frame(payload, Wrapping(tags=(5,)))[:-4]
    for body, length in ((plain, 0), (plain, 12), (plain, 13), (tagged, 14), (tagged, 16), (tagged, 17)):
        send(scenario, with_fcs(body[:length]))
    # with nothing behind the type there is no packet: BAD_IP
    send(scenario, with_fcs(plain[:14]))
    send(scenario, with_fcs(tagged[:18]))
    return scenario.case()


def _addresses() -> Case:
    scenario = start(
        "frame-addresses",
        "protocol, address or port of nobody; a disabled row; the row enabled",
        Rule.CHANNEL_LOOKUP,
    )
    payload = quote(1, 999, 1_001)
    for wrapping in (
        Wrapping(protocol=6),
        Wrapping(address=ADDRESS + 1),
        Wrapping(port=PORT_1 + 1),
        Wrapping(port=0),
        Wrapping(address=0),
    ):
        send(scenario, frame(payload, wrapping))
    channel(scenario, 1, 1, enabled=0)
    send(scenario, frame(payload, Wrapping(port=PORT_1)))
    channel(scenario, 1, 1)
    send(scenario, frame(payload, Wrapping(port=PORT_1)))
    return scenario.case()


def _ip() -> Case:
    scenario = start(
        "frame-ip",
        "version, header length, total length, fragments, header checksum; the other two flags do not matter",
        Rule.FRAME_IP,
    )
    payload = quote(1, 999, 1_001)
    length = len(payload) + 28
    for wrapping in (
        Wrapping(first_byte=0x44),
        Wrapping(first_byte=0x46),
        Wrapping(first_byte=0x65),
        Wrapping(total_length=19),
        Wrapping(total_length=0),
        Wrapping(total_length=length + 1),
        Wrapping(total_length=65_535),
        Wrapping(flags_and_offset=0x2000),
        Wrapping(flags_and_offset=0x0001),
        Wrapping(flags_and_offset=0x1FFF),
        Wrapping(header_checksum=0),
        Wrapping(header_checksum=0xFFFF),
        Wrapping(padding=bytes(2_000), total_length=1_501),
        Wrapping(packet_end=0),
        Wrapping(packet_end=19),
        Wrapping(packet_end=length - 1),
    ):
        send(scenario, frame(payload, wrapping))
    for number, flags in enumerate((0x0000, 0x4000, 0x8000, 0xC000)):
        send(scenario, frame(quote(number, 999, 1_001), Wrapping(flags_and_offset=flags)))
    return scenario.case()


def _udp() -> Case:
    scenario = start(
        "frame-udp",
        "UDP lengths, packets that end before or in the UDP header; padding of any length is good",
        Rule.FRAME_UDP,
    )
    payload = quote(1, 999, 1_001)
    length = len(payload) + 28
    for wrapping in (
        Wrapping(udp_length=len(payload) + 7),
        Wrapping(udp_length=len(payload) + 9),
        Wrapping(udp_length=0),
        Wrapping(total_length=length - 1),
        Wrapping(total_length=27, udp_length=7),
        Wrapping(total_length=20, udp_length=0),
        Wrapping(packet_end=20, total_length=20),
        Wrapping(packet_end=27, total_length=27),
        Wrapping(packet_end=27, total_length=27, port=9),
    ):
        send(scenario, frame(payload, wrapping))
    for number, padding in enumerate((1, 3, 46, 1_700)):
        send(scenario, frame(quote(number, 999, 1_001), Wrapping(padding=bytes(padding))))
    # a whole datagram of nothing is BAD_MESSAGE
    send(scenario, frame(b"", Wrapping(padding=bytes(18))))
    return scenario.case()


def _udp_checksum() -> Case:
    scenario = start(
        "frame-udp-checksum",
        "absent, right, right where it computes to 0 and is sent as 65,535, over an odd length; wrong by one",
        Rule.FRAME_UDP,
    )
    update_id = _update_id_with_checksum_of_zero()
    for number, payload in enumerate(
        (quote(1, 999, 1_001), quote(2, 999, 1_001), trades(-9, -9, ((1, 1, 0),)), quote(update_id, 999, 1_001))
    ):
        send(scenario, frame(payload, Wrapping(udp_checksum=0 if number == 0 else None)))
    right = frame(quote(update_id + 1, 999, 1_001), Wrapping(udp_checksum=None))
    (checksum,) = struct.unpack_from(">H", right, 14 + 26)
    for wrong in (checksum + 1, checksum ^ 0xFFFF, 0xFFFF):
        send(scenario, frame(quote(update_id + 1, 999, 1_001), Wrapping(udp_checksum=wrong & 0xFFFF)))
    send(scenario, right)
    return scenario.case()


def _update_id_with_checksum_of_zero() -> int:
    """The first update id above 2 whose datagram's checksum computes to 0."""
    for update_id in range(3, 1 << 17):
        built = frame(quote(update_id, 999, 1_001), Wrapping(udp_checksum=None))
        if built[14 + 26 : 14 + 28] == b"\xff\xff":
            return update_id
    raise AssertionError("no update id below 2^17 makes the checksum 0; the frame must have changed")


def _first_check() -> Case:
    scenario = start(
        "frame-first-check",
        "a frame that fails everything counts under the first check; each next one mends that",
        Rule.FRAME_FIRST_CHECK,
    )
    payload = quote(1, 999, 1_001) + b"\0"
    everything = frame(payload, Wrapping(port=9, header_checksum=1, udp_length=3))
    send(scenario, everything[:-1] + bytes([everything[-1] ^ 1]))
    send(scenario, everything)
    send(scenario, frame(payload, Wrapping(header_checksum=1, udp_length=3)))
    send(scenario, frame(payload, Wrapping(udp_length=3)))
    send(scenario, frame(payload, Wrapping()))
    send(scenario, frame(payload[:-1], Wrapping()))
    # a packet of 20 to 27 bytes has no port: of nobody's address it is BAD_UDP, with another protocol NOT_OURS
    send(scenario, frame(b"", Wrapping(packet_end=24, total_length=24, address=1)))
    send(scenario, frame(b"", Wrapping(packet_end=24, total_length=24, protocol=6)))
    return scenario.case()


def _dropped_is_no_step() -> Case:
    scenario = start(
        "frame-dropped",
        "a dropped frame moves neither T nor the step number, makes nobody heard, and sends no status",
        Rule.FRAME_STEP,
        Rule.STEP_NUMBERING,
        Rule.HEARD,
    )
    scenario.venue_row(1, maximumSilence=1_000)
    send(scenario, frame(quote(1, 999, 1_001), Wrapping(port=PORT_1)))
    scenario.wait(2_000)
    send(scenario, frame(quote(2, 999, 1_001)[:-1], Wrapping(port=PORT_1)))
    scenario.wait(50_000_000)
    send(scenario, frame(quote(2, 999, 1_001), Wrapping(port=PORT_1, header_checksum=3)))
    scenario.wait(-50_000_000)
    send(scenario, frame(quote(1, 1_010, 1_012), Wrapping()))
    scenario.control("StatusRequest")
    return scenario.case()
