"""The seam behind which every build of the fast loop stands: compiled, reference, soft FPGA, board.

Ordering: what is pushed or controlled first is a step first; calls are never reordered or merged, and a control
message takes effect between frames, whole or not at all. Whether an engine answers at once or later is its own affair:
only the order and the bytes of ``outputs`` are part of the contract, so a caller drains them until it has seen what it
waits for.

Time: an engine reads no clock. Every frame, event and message comes with its receive time in nanoseconds, taken at the
frame's start; times may go backwards, and the engine then keeps its own (``T = max(T, time)``) and counts the fact.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

QUOTE_COLUMNS = (
    "instrument",
    "venue",
    "price_exponent",
    "quantity_exponent",
    "sequence",
    "bid_price",
    "bid_quantity",
    "ask_price",
    "ask_quantity",
    "time_ns",
)
"""Columns of the int64 array that ``push_quotes`` takes; prices and quantities are mantissas."""


class Engine(Protocol):
    """One fast loop: inputs go in as steps, payloads come out; see docs/fastpath.md for its rules."""

    def push(self, frames: Sequence[bytes], receive_ns: Sequence[int]) -> None:
        """Take Ethernet frames, FCS included, in the order of their ends, one receive time each.

        An accepted frame is one step with one time, whatever number of events it holds; a dropped one changes nothing
        but a counter. Raises ``Rejected`` if the two sequences differ in length.
        """

    def push_quotes(self, events: NDArray[np.int64]) -> None:
        """Take top-of-book events, shape (n, 10), columns ``QUOTE_COLUMNS``; each row is a step of its own."""

    def trade(
        self,
        instrument: int,
        venue: int,
        price_exponent: int,
        quantity_exponent: int,
        aggressor: int,
        price: int,
        quantity: int,
        time_ns: int,
    ) -> None:
        """Take one trade (``aggressor`` is a ``Side``; mantissas) as a step of its own; trades only count."""

    def control(self, message: bytes, time_ns: int) -> None:
        """Take one control message, header included.

        It is a step if it is applied or refused; a repeated or out-of-order one is only acknowledged, and one too short
        for a sequence number is ignored.
        """

    def outputs(self) -> list[bytes]:
        """Payloads made since the last call, in order: of each step its triggers, acknowledgement, status."""

    def event_log(self) -> list[bytes]:
        """One ``LogStep`` message per step since the last call, in order; a shadow engine is fed from these alone."""

    @property
    def counters(self) -> Mapping[str, int]:
        """Counters by the names of the fields of ``Status``, from ``quoteEvents`` on, each 0..2^64 - 1."""

    @property
    def parity(self) -> int:
        """CRC-32 over all trigger payloads so far."""

    @property
    def decision_hash(self) -> str:
        """SHA-256, as hex, over all trigger and status payloads so far, in order."""

    def frame_counters(self) -> bytes:
        """A ``FrameCounters`` message, header included: what became of the frames so far, naming the last step."""
