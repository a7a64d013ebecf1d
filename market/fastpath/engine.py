"""The CPU engine as Python sees it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from struct import Struct
from typing import Final

import numpy as np
from numpy.typing import NDArray

from market.errors import Rejected
from market.fastpath import entries, layout, state
from market.fastpath.books.status import BookStatus, book_statuses
from market.fastpath.event_log import PAYLOAD_LIMIT
from market.fastpath.specification import DEFAULT_SIZES, NO_INSTRUMENT, NO_VENUE, EngineSizes

OUTPUT_BYTES: Final = 1 << 18
EVENT_LOG_BYTES: Final = 1 << 20
_UNSIGNED: Final = (1 << 64) - 1
_HASHED: Final = frozenset({layout.TEMPLATE_TRIGGER, layout.TEMPLATE_STATUS})
_QUOTE: Final = Struct(f"<{entries.QUOTE_COLUMNS}q")


class CpuEngine:
    """One fast loop in compiled code on this machine's processor.

    Parameters
    ----------
    sizes: sizes of the build.
    event_log: keep the log of steps that a shadow engine follows; ``event_log()`` drains it.

    Attributes
    ----------
    state: the engine's whole state, ``int64[words]``; larger kernels work on its address.

    It reads no clock: every call says when its input was received, in ns. It is not safe to share
    between threads.
    """

    def __init__(self, sizes: EngineSizes = DEFAULT_SIZES, *, event_log: bool = False) -> None:
        self.sizes = sizes
        self.state: NDArray[np.int64] = state.new_state(sizes, OUTPUT_BYTES, EVENT_LOG_BYTES if event_log else 0)
        self._waiting = self.state.data.cast("B")[state.INPUT * state.WORD :]
        self._push_waiting = entries.push_waiting_quote.direct()
        self._outputs: list[bytes] = []
        self._log: list[bytes] = []
        self._hash = hashlib.sha256()

    def push(self, frames: Sequence[bytes], receive_ns: Sequence[int]) -> None:
        """Feed Ethernet frames, their check sequences included, in the order of their ends.

        ``receive_ns`` has each frame's receive time in ns, taken at its start. An accepted frame is one
        step, a dropped one only counts. Raises ``Rejected`` if there is not one time per frame.
        """
        if len(frames) != len(receive_ns):
            raise Rejected(f"{len(frames)} frames came with {len(receive_ns)} receive times; expected one per frame")
        buffer = np.frombuffer(bytearray(b"".join(frames)), dtype=np.uint8)
        offsets: NDArray[np.int64] = np.zeros(len(frames) + 1, dtype=np.int64)
        np.cumsum([len(frame) for frame in frames], out=offsets[1:])
        times: NDArray[np.int64] = np.array(receive_ns, dtype=np.int64)
        while len(times):
            taken = entries.push_frames(self.state, buffer, offsets, times)
            offsets, times = offsets[taken:], times[taken:]
            if len(times):
                self._collect()

    def push_datagram(self, payload: bytes, channel: int, time_ns: int) -> None:
        """Feed the UDP payload of a frame that another engine accepted on that channel row: a step of its log.

        Raises ``Rejected`` for a channel row that was never written, or more payload than a frame carries.
        """
        taken = entries.push_datagram(self.state, payload, channel, time_ns)
        if taken == 0:
            self._collect()
            taken = entries.push_datagram(self.state, payload, channel, time_ns)
        if taken < 0:
            known = int(self.state[state.CHANNELS_IN_USE])
            seen = f"a datagram of {len(payload)} bytes on channel {channel}"
            raise Rejected(f"{seen}; expected at most {PAYLOAD_LIMIT} bytes on one of the {known} rows in use")

    def push_quotes(self, events: NDArray[np.int64]) -> None:
        """Feed quote events, each a step of its own.

        ``events`` is ``int64[n, 10]``, C-contiguous: instrument, venue, price exponent, quantity exponent,
        sequence, bid price, bid quantity, ask price, ask quantity (mantissas), receive time in ns. Raises
        ``Rejected`` for another shape or layout, or for numbers that a QuoteEvent message cannot carry
        while an event log is kept.
        """
        self._push_events(entries.push_quotes, events, entries.QUOTE_COLUMNS)

    def push_trades(self, events: NDArray[np.int64]) -> None:
        """Feed trade events, each a step of its own.

        ``events`` is ``int64[n, 8]``, C-contiguous: instrument, venue, price exponent, quantity exponent,
        price, quantity (mantissas), aggressor (``Side``), receive time in ns. Raises as ``push_quotes``.
        """
        self._push_events(entries.push_trades, events, entries.TRADE_COLUMNS)

    def push_quote(self, event: tuple[int, ...]) -> int:
        """Feed one quote event: the ten numbers of a row of ``push_quotes``; returns how many bytes wait to be sent.

        The quickest way to feed a single event; the ranges of a row are not checked.
        """
        _QUOTE.pack_into(self._waiting, 0, *event)
        waiting = self._push_waiting(self.state)
        if waiting < 0:
            self._collect()
            waiting = self._push_waiting(self.state)
        return waiting

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
        """Feed one trade event (mantissas; ``aggressor`` is a ``Side``) as a step; raises as ``push_quotes``."""
        row = (instrument, venue, price_exponent, quantity_exponent, price, quantity, aggressor, time_ns)
        self.push_trades(np.array([row], dtype=np.int64))

    def control(self, message: bytes, time_ns: int) -> None:
        """Feed one control message: a whole SBE message with its header."""
        while not entries.push_control(self.state, message, time_ns):
            self._collect()

    def outputs(self) -> list[bytes]:
        """Drain what the engine sent, in order: Trigger, Acknowledge and Status messages with their headers."""
        self._collect()
        outputs, self._outputs = self._outputs, []
        return outputs

    def event_log(self) -> list[bytes]:
        """Drain the log of steps, in order: LogStep messages with their headers; empty if no log is kept."""
        self._collect()
        log, self._log = self._log, []
        return log

    def frame_counters(self) -> bytes:
        """A FrameCounters message with its header: what became of the frames so far."""
        step = int(self.state[state.STEP])
        counters = self.state[state.FRAME_COUNTERS : state.FRAME_COUNTERS + state.FRAME_COUNTER_COUNT]
        words = np.concatenate(([layout.FRAME_COUNTERS_HEADER, step], counters)).astype("<i8")
        return words.tobytes()

    @property
    def counters(self) -> dict[str, int]:
        """The counters of a Status message by their names in it (``gateKill``), each 0..2^64 - 1."""
        values = self.state[state.COUNTERS : state.COUNTERS + state.COUNTER_COUNT].tolist()
        return {name: value & _UNSIGNED for name, value in zip(layout.STATUS_COUNTERS, values, strict=True)}

    @property
    def decision_hash(self) -> str:
        """SHA-256 of all Trigger and Status messages so far, in order, in hexadecimal."""
        self._collect()
        return self._hash.hexdigest()

    @property
    def parity(self) -> int:
        """CRC-32 of all Trigger messages so far."""
        return int(self.state[state.PARITY])

    @property
    def books(self) -> list[BookStatus]:
        """Where the order books stand: a host loads those that are not live."""
        return list(book_statuses(self.state))

    @property
    def trigger_count(self) -> int:
        """How many triggers this engine has sent."""
        kinds = (state.Counter.TRIGGER_ARB, state.Counter.TRIGGER_BASIS, state.Counter.TRIGGER_IMBALANCE)
        return sum(int(self.state[state.COUNTERS + kind]) & _UNSIGNED for kind in kinds)

    def _push_events(
        self, push: Callable[[NDArray[np.int64], NDArray[np.int64]], int], events: NDArray[np.int64], columns: int
    ) -> None:
        if events.dtype != np.int64 or events.ndim != 2 or events.shape[1] != columns or not events.flags.c_contiguous:
            seen = f"{events.dtype}{list(events.shape)}"
            raise Rejected(f"events are {seen}; expected a C-contiguous int64 array of {columns} columns")
        if self.state[state.EVENT_LOG_CAPACITY]:
            _check_loggable(events)
        while len(events):
            taken = push(self.state, events)
            events = events[taken:]
            if len(events):
                self._collect()

    def _collect(self) -> None:
        for message in self._drain(state.OUTPUT, state.OUTPUT_USED):
            self._outputs.append(message)
            if int.from_bytes(message[layout.HEADER_TEMPLATE : layout.HEADER_SCHEMA], "little") in _HASHED:
                self._hash.update(message)
        self._log.extend(self._drain(state.EVENT_LOG, state.EVENT_LOG_USED))

    def _drain(self, area: int, used: int) -> Iterator[bytes]:
        first = int(self.state[area]) // state.WORD
        records = self.state[first : first + int(self.state[used]) // state.WORD].tobytes()
        self.state[used] = 0
        return split_records(records)


def split_records(records: bytes) -> Iterator[bytes]:
    """The messages of an area's records: each a word with its length, then the message, padded to whole words."""
    at = 0
    while at < len(records):
        length = int.from_bytes(records[at : at + state.WORD], "little")
        at += state.WORD
        yield records[at : at + length]
        at += -(-length // state.WORD) * state.WORD


def _check_loggable(events: NDArray[np.int64]) -> None:
    """Refuse what the narrow fields of a logged event would change into something else."""
    for column, low, high in ((0, 0, NO_INSTRUMENT), (1, 0, NO_VENUE), (2, -128, 127), (3, -128, 127)):
        values = events[:, column]
        outside = values[(values < low) | (values > high)]
        if len(outside):
            raise Rejected(f"an event has {outside[0]} in column {column}; the event log can carry {low} to {high}")
