"""What a trader keeps over a restart, as bytes."""

from __future__ import annotations

from typing import Final

import msgspec

from market.errors import Rejected
from orchestrator.strategies.flash_crash.holding import Holding

VERSION: Final = 1


class TraderState(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a trader goes on with.

    Parameters
    ----------
    detector: see ``market.detector.persistence``. volumes, second: of ``Seconds``. ranges: of ``RangeDistribution``.
    """

    version: int
    detector: bytes
    volumes: tuple[int, ...]
    second: int
    ranges: tuple[int, ...]
    holdings: list[Holding]
    entered_ns: int
    lost_ns: int
    rejections: dict[int, int]


def state_bytes(state: TraderState) -> bytes:
    """A state as MessagePack; as JSON where money has outgrown 64 bits."""
    try:
        return msgspec.msgpack.encode(state)
    except OverflowError:
        return msgspec.json.encode(state)


def read_state(content: bytes) -> TraderState:
    """A saved state; raises Rejected for bytes that are none, or of another version."""
    try:
        if content.startswith(b"{"):
            state = msgspec.json.decode(content, type=TraderState)
        else:
            state = msgspec.msgpack.decode(content, type=TraderState)
    except msgspec.DecodeError as error:
        raise Rejected(f"the flash-crash trader's saved state is damaged: {error}") from error
    if state.version != VERSION:
        raise Rejected(
            f"the flash-crash trader's saved state has version {state.version}, this program reads {VERSION}: "
            "let the detector warm up anew, or go on with the program that saved it"
        )
    return state
