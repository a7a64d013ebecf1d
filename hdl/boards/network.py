"""Addresses that a board is built with."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Final

ANY_LINK: Final = 0xFFFF_FFFF_FFFF
"""The broadcast link address: whoever has the IP address of the host takes the frame."""


@dataclass(frozen=True, slots=True)
class BoardNetwork:
    """Ours and the host's: link (MAC) addresses as numbers of 48 bits, IPv4 addresses, UDP ports.

    The board takes control messages at ``address`` and ``control_port`` and sends from there; triggers,
    acknowledgements and status messages go to the host's ``message_port``, the log to its ``log_port``.
    """

    address: IPv4Address
    host: IPv4Address
    link: int = 0x02_00_00_00_00_01
    host_link: int = ANY_LINK
    control_port: int = 31_901
    message_port: int = 31_900
    log_port: int = 31_902
