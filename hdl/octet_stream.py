"""Messages as bytes, one per cycle."""

from __future__ import annotations

from typing import Final

from amaranth.hdl import unsigned
from amaranth.lib import data, stream

octet_layout: Final = data.StructLayout({"data": unsigned(8), "last": unsigned(1)})


def octet_stream() -> stream.Signature:
    """Messages as bytes, ``last`` on each one's last byte."""
    return stream.Signature(octet_layout)
