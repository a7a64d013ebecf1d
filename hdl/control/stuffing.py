"""Messages on a serial line, as the host sends them: without zero bytes, and a zero byte behind each."""

from __future__ import annotations

from typing import Final

LONGEST_RUN: Final = 0xFF
"""A run that fills its length byte has no zero behind it."""


def stuffed(message: bytes) -> bytes:
    """A message as it goes over the line: without zero bytes but the one at its end.

    Ref: S. Cheshire, M. Baker, "Consistent Overhead Byte Stuffing", IEEE/ACM Transactions on Networking, 1999.
    """
    out = bytearray()
    parts = message.split(b"\0")
    for number, part in enumerate(parts):
        runs = [part[at : at + LONGEST_RUN - 1] for at in range(0, len(part), LONGEST_RUN - 1)] or [b""]
        if len(runs[-1]) == LONGEST_RUN - 1 and number + 1 < len(parts):
            runs.append(b"")
        for run in runs:
            out += bytes([len(run) + 1]) + run
    return bytes(out) + b"\0"
