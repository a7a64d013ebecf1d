"""What is measured of feeds, gateways and this machine, for the guards to judge."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from market.errors import MissingInput


@dataclass(frozen=True, slots=True)
class FeedReading:
    """One venue's market data.

    Parameters
    ----------
    latency_ns: delay of the last messages against the venue's clock, None when it is not known.
    heard_ns: when anything was last heard of it.
    """

    venue: int
    connected: bool
    latency_ns: int | None
    heard_ns: int


@dataclass(frozen=True, slots=True)
class GatewayReading:
    """One venue's order path.

    Parameters
    ----------
    broken: why the circuit breaker lets nothing pass, empty when it does.
    """

    venue: int
    connected: bool
    broken: str = ""


@dataclass(frozen=True, slots=True)
class HostReading:
    """This machine and process.

    Parameters
    ----------
    clock_error_ns: how wrong the clock is, either way; None when nobody knows.
    """

    resident_bytes: int
    clock_error_ns: int | None


class Probe(Protocol):
    """Takes readings; must not wait."""

    def feeds(self) -> Sequence[FeedReading]:
        """Every venue's feed."""

    def gateways(self) -> Sequence[GatewayReading]:
        """Every venue's order path."""

    def host(self) -> HostReading:
        """Machine and process."""


_STATM: Final = Path("/proc/self/statm")
_STATUS_NANO: Final = 0x2000
_STATUS_UNSYNCHRONISED: Final = 0x0040
_PAST_FIELDS: Final = 64


class _Timex(ctypes.Structure):
    """``struct timex`` of adjtimex(2), up to the fields that are read here."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_long * _PAST_FIELDS),
    )


def resident_bytes() -> int:
    """Memory of this process that is held in RAM; raises MissingInput where the system does not say."""
    try:
        pages = int(_STATM.read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError) as error:
        raise MissingInput(f"{_STATM} could not be read: {error}; the watchdog needs a Linux /proc") from error
    return pages * os.sysconf("SC_PAGE_SIZE")


def kernel_clock_error_ns() -> int | None:
    """The clock's offset from its time servers, as the kernel knows it; None when nothing synchronises the clock."""
    timex = _Timex()
    library = ctypes.CDLL(None, use_errno=True)
    if library.adjtimex(ctypes.byref(timex)) < 0 or timex.status & _STATUS_UNSYNCHRONISED:
        return None
    offset = abs(int(timex.offset))
    return offset if timex.status & _STATUS_NANO else offset * 1_000
