"""What a writer of frames, of either bus width, is told and tells."""

from __future__ import annotations

from typing import Any, Final

from amaranth.hdl import Module, Signal
from amaranth.lib.wiring import In, Out

from hdl.egress.settings import FIXED_WORDS, address_words, egress_layout, header_octets
from hdl.ethernet.headers import HEADER_BYTES, UDP_HEADER_BYTES
from hdl.parameters import CoreParameters
from hdl.records import WORD_BITS, FrameBus

WORD_BYTES: Final = WORD_BITS // 8
PAYLOAD_WORDS_BITS: Final = 8


def writer_members(parameters: CoreParameters) -> dict[str, Any]:
    """Members of a component that writes frames whose payloads are whole words.

    ``start`` is a strobe while ``free``: a frame of ``words`` words to ``port`` begins, its first beat on ``tx`` in the
    next cycle. ``word`` is its next word, while ``there``; ``take`` is a strobe. A word that is not there when it is
    needed spoils the frame, and so does the strobe ``spoil`` before the check sequence has begun: the frame then ends
    at once, with an inverted check sequence and ``error``. ``done`` is a strobe in the cycle after the last beat was
    chosen, with ``good`` for a whole frame. A beat of ``tx`` passes in a cycle of ``valid`` and ``tx_ready``; within a
    frame ``valid`` stays set.
    """
    return {
        "settings": In(egress_layout),
        "start": In(1),
        "words": In(PAYLOAD_WORDS_BITS),
        "port": In(16),
        "free": Out(1),
        "word": In(WORD_BITS),
        "there": In(1),
        "take": Out(1),
        "spoil": In(1),
        "done": Out(1),
        "good": Out(1),
        "tx": Out(FrameBus(parameters)),
        "tx_ready": In(1),
    }


def started_headers(
    m: Module, settings: Any, start: Signal, words: Signal, port: Signal, checksum_domain: str
) -> list[Any]:
    """The bytes of a frame's headers: lengths and ports from the cycle after ``start``, the checksum two cycles after,
    or three if its domain is ``sync``."""
    sent_port, total_length, udp_length = Signal(16), Signal(16), Signal(16)
    with m.If(start):
        m.d.sync += [
            sent_port.eq(port),
            total_length.eq(words * WORD_BYTES + HEADER_BYTES + UDP_HEADER_BYTES),
            udp_length.eq(words * WORD_BYTES + UDP_HEADER_BYTES),
        ]
    addresses = address_words(settings)
    pairs, addresses_sum, folded = (Signal(17), Signal(17)), Signal(19), Signal(17)
    fixed, header_sum, checksum = Signal(16), Signal(17), Signal(16)
    m.d.sync += [
        pairs[0].eq(addresses[0] + addresses[1]),
        pairs[1].eq(addresses[2] + addresses[3]),
        addresses_sum.eq(pairs[0] + pairs[1] + FIXED_WORDS),
        folded.eq(addresses_sum[:16] + addresses_sum[16:]),
        fixed.eq(folded[:16] + folded[16]),
        header_sum.eq(fixed + total_length),
    ]
    m.d[checksum_domain] += checksum.eq(~(header_sum[:16] + header_sum[16]))
    return header_octets(settings, total_length, checksum, sent_port, udp_length)
