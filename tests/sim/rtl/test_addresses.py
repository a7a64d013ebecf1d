"""Addresses on the core's port, and datagrams taken out of frames."""

from __future__ import annotations

import struct
from dataclasses import asdict
from ipaddress import IPv4Address

import pytest

from hdl.egress.settings import egress_layout
from market.errors import Rejected
from market.fastpath.conformance.frame_builder import ADDRESS, Wrapping, frame
from sim.rtl.addresses import BoardAddresses, Datagram, addresses_port, datagram_of


def test_every_address_has_its_place() -> None:
    addresses = BoardAddresses(1 << 47, 7, IPv4Address("1.2.3.4"), IPv4Address("255.0.0.1"), 1, 65_535, 3)
    port = egress_layout.from_bits(int.from_bytes(addresses_port(addresses), "little"))
    assert {name: port[name] for name in egress_layout.members} == {
        name: int(value) for name, value in asdict(addresses).items()
    }


@pytest.mark.parametrize("padding", [0, 30])
def test_a_datagram_is_taken_out_of_its_frame(padding: int) -> None:
    framed = frame(b"payload", Wrapping(port=4_000, udp_checksum=None, padding=bytes(padding)))
    assert datagram_of(framed) == Datagram(IPv4Address(ADDRESS), 40_000, 4_000, b"payload")


@pytest.mark.parametrize(
    "wrapping",
    [
        Wrapping(tags=(5,)),
        Wrapping(ethertype=0x86DD),
        Wrapping(total_length=60),
        Wrapping(udp_length=40),
        Wrapping(udp_length=7),
    ],
    ids=["tagged", "other ethertype", "packet cut", "datagram longer than packet", "length below header"],
)
def test_other_frames_are_refused(wrapping: Wrapping) -> None:
    with pytest.raises(Rejected, match="no whole UDP datagram"):
        datagram_of(frame(b"payload", wrapping))


def test_short_frames_are_refused() -> None:
    for length in (0, 13, 45):
        with pytest.raises(Rejected, match=f"a frame of {length} bytes"):
            datagram_of(struct.pack(f"{length}x"))
