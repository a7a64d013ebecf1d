"""What a board's core is told: its constants, and the control messages of its ways in."""

from __future__ import annotations

from typing import Any, Final

from amaranth.hdl import Module, Value
from amaranth.lib import wiring

from hdl.boards.guarded_core import GuardedCore
from hdl.boards.network import BoardNetwork
from hdl.control.seal import BoardSeal
from hdl.control.uart import SerialMessages
from hdl.control.whole_messages import WholeMessages
from hdl.message_merger import MessageMerger
from hdl.octet_stream import octet_layout
from hdl.records import sizes_values
from market.fastpath.specification import EngineSizes

SERIAL_BAUD: Final = 115_200
SERIAL_BYTES: Final = 511
"""Of sealed messages from the serial line that may wait; the longest one that a board needs has some 250."""


def set_constants(m: Module, core: GuardedCore, network: BoardNetwork, seal: BoardSeal, sizes: EngineSizes) -> None:
    """Sizes, addresses and the key of a build."""
    for name, value in {
        "source_link": network.link,
        "destination_link": network.host_link,
        "source_address": int(network.address),
        "destination_address": int(network.host),
        "source_port": network.control_port,
        "message_port": network.message_port,
        "log_port": network.log_port,
        "key": int.from_bytes(seal.key, "little"),
        "floor": seal.floor,
    }.items():
        m.d.comb += core.settings[name].eq(value)
    m.d.comb += [core.sizes[name].eq(value) for name, value in sizes_values(sizes).items()]


def merge_control(m: Module, core: GuardedCore, octets: Any, serial_line: Value, serial_divisor: int) -> Value:
    """Sealed messages of the serial line before those of the stream ``octets``; a strobe for each of the former lost.

    ``serial_divisor``: cycles per bit of the serial line.
    """
    m.submodules.serial_messages = serial = SerialMessages(serial_divisor)
    m.submodules.serial_ring = ring = WholeMessages(SERIAL_BYTES)
    m.submodules.control = control = MessageMerger(octet_layout)
    wiring.connect(m, serial.octets, ring.octets)
    wiring.connect(m, ring.whole, control.preferred)
    wiring.connect(m, octets, control.other)
    wiring.connect(m, control.merged, core.control)
    m.d.comb += serial.line.eq(serial_line)
    return Value.cast(ring.lost)
