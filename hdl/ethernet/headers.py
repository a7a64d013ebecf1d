"""What a reader of headers, of either bus width, says about a frame."""

from __future__ import annotations

from typing import Any, Final

from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.parameters import CoreParameters
from hdl.records import LENGTH_BITS, FrameBus, PayloadBus, ahead_members

SIZE_BITS: Final = 12
"""Width of a frame's size in bytes; readers count up to 2,040 or more and stay there."""
PACKET_AT: Final = 14
"""Where a packet begins in a frame without a tag."""
HEADER_BYTES: Final = 20
"""Length of an IPv4 header without options."""
UDP_HEADER_BYTES: Final = 8
PAYLOAD_AT: Final = HEADER_BYTES + UDP_HEADER_BYTES
"""Where a UDP payload begins in a packet."""
ETHERTYPE_IPV4: Final = 0x0800
ETHERTYPE_TAG: Final = 0x8100
PROTOCOL_UDP: Final = 17
FIRST_BYTE: Final = 0x45
"""IPv4 with a header of 20 bytes."""


class HeaderReport(wiring.Signature):
    """A frame at its end.

    ``ended`` is a strobe; with it come ``size`` (of the frame with its check sequence, without a tag) and
    ``check_sequence_good``. The rest are levels that hold from then to the cycle after, and may have any value where
    the frame has no such bytes: the ethertype ``is_ipv4``; ``plain_header``: IPv4 with a header of 20 bytes;
    ``whole``: no fragment; ``is_udp``; both lengths. ``header_sum_good`` and ``payload_sum_good`` (set for an absent
    checksum, too) must be right in the cycle after ``ended``.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "ended": Out(1),
                "size": Out(SIZE_BITS),
                "check_sequence_good": Out(1),
                "is_ipv4": Out(1),
                "plain_header": Out(1),
                "whole": Out(1),
                "is_udp": Out(1),
                "total_length": Out(16),
                "udp_length": Out(16),
                "header_sum_good": Out(1),
                "payload_sum_good": Out(1),
            }
        )


def reader_members(parameters: CoreParameters) -> dict[str, Any]:
    """Members of a component that reads headers; as those of ``FrameReceiver`` with the same names."""
    return {
        "rx": In(FrameBus(parameters)),
        "payload": Out(PayloadBus(parameters)),
        **ahead_members(Out, parameters.ahead_bytes),
        "lookup": Out(1),
        "address": Out(32),
        "port": Out(16),
        "header": Out(1),
        "length": Out(LENGTH_BITS),
        "report": Out(HeaderReport()),
    }
