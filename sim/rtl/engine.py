"""``SoftFpga``: the simulated hardware behind the ``Engine`` protocol."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hdl.control.seal import BoardSeal
from hdl.parameters import CoreParameters
from market.engine import QUOTE_COLUMNS
from market.errors import Fatal, Rejected
from market.fastpath import layout
from market.fastpath.engine import split_records
from market.fastpath.specification import DEFAULT_SIZES, EngineSizes, Feed
from market.fastpath.state import Counter, FrameCounter
from sim.rtl.addresses import LOOPBACK, BoardAddresses, addresses_port
from sim.rtl.build import core_library
from sim.rtl.guarded import guarded_library
from sim.rtl.host_events import quote_messages, trade_messages
from sim.rtl.library import Say, say_on_standard_error
from sim.rtl.lines import DEFAULT_LINES, Line
from sim.rtl.model import LOG_BACKLOG_BYTES, Area, Model, Value
from sim.rtl.sizes import parameters_for, sizes_port

FRAME_COUNTERS_AT: Final = 32
_HASHED: Final = frozenset({layout.TEMPLATE_TRIGGER, layout.TEMPLATE_STATUS})
_REPORTS: Final = frozenset(layout.SCHEMA.message(name).template_id for name in ("LatencyCounters", "BoardCounters"))


@dataclass(frozen=True, slots=True)
class CoreBuild:
    """A core as a library: what it was built for, where it lies, and whether it takes sealed messages only."""

    parameters: CoreParameters
    library: Path
    guarded: bool = False


def build_core(
    sizes: EngineSizes = DEFAULT_SIZES,
    *,
    bus_bytes: int = 8,
    feeds: frozenset[Feed] = frozenset(Feed),
    paced: bool = False,
    guarded: bool = False,
    trace: bool = False,
    say: Say = say_on_standard_error,
) -> CoreBuild:
    """The usual core where the sizes fit into it, else one made for them; compiled at the first use.

    Parameters
    ----------
    bus_bytes: bytes of a frame per cycle, 1 or 8; both decide alike.
    feeds: those whose frames will come; a core without order books runs two to three times as fast.
    paced: for a line that takes several cycles for a beat of the bus, as boards have it.
    guarded: as boards have it: only sealed control messages count, and it tells latencies and refusals.
    trace: able to write waveforms, and several times slower.
    say: told about what takes long.

    Raises MissingExtra without the extra ``fpga`` or a C++ compiler.
    """
    parameters = parameters_for(sizes, bus_bytes=bus_bytes, feeds=feeds, paced=paced)
    library_for = guarded_library if guarded else core_library
    return CoreBuild(parameters, library_for(parameters, trace=trace, say=say), guarded)


class SoftFpga:
    """One fast loop in simulated hardware; bit for bit what the CPU engine decides.

    Parameters
    ----------
    build: the core.
    sizes: sizes in use, at most the core's capacity.
    event_log: keep the log of steps that a shadow engine follows; ``event_log()`` drains it.
    addresses: where what it sends comes from and goes to.
    seal: key and lowest counter of a guarded core; its control messages are sealed (``hdl.control.seal.seal``).
    keep: what the model collects besides, for ``sent`` and ``model.take``.
    line: what the frames come over; None: the usual one of the core's bus, which brings a beat per cycle.
    gap: idle cycles between two frames of one call; None: those of a full line.
    backlog: bytes of the event log that may wait in the core before further input waits, too; more than the core's ring
        holds: frames never wait, as on a line, and steps that found no room are missing from the log.

    Attributes
    ----------
    model: the simulated core; it takes its inputs at once and answers in its own time.

    Quotes and trades that are not in frames go in as host events, which only a core that was built for simulation
    takes. Raises Fatal for sizes above the core's capacity, and for a guarded core without a seal or a seal without
    one, and a line of another bus; every call does if the core stops answering.
    """

    def __init__(
        self,
        build: CoreBuild,
        sizes: EngineSizes = DEFAULT_SIZES,
        *,
        event_log: bool = False,
        addresses: BoardAddresses = LOOPBACK,
        seal: BoardSeal | None = None,
        keep: Sequence[Area] = (),
        line: Line | None = None,
        gap: int | None = None,
        backlog: int = LOG_BACKLOG_BYTES,
    ) -> None:
        if build.guarded == (seal is None):
            expected = "a key" if build.guarded else "no key"
            raise Fatal(
                f"a core of {build.library.name} {'without' if seal is None else 'with'} a key; expected {expected}"
            )
        self.sizes = sizes
        self.parameters = build.parameters
        paced = build.parameters.paced
        self.line = line or (Line.GEARED if paced else DEFAULT_LINES[build.parameters.bus_bytes])
        is_its_pace = not paced or self.line.beat_cycles == build.parameters.beat_cycles
        if self.line.bus_bytes != build.parameters.bus_bytes or not is_its_pace:
            raise Fatal(f"{build.parameters} on a line of {self.line.title}, which is of another pace or width")
        self.gap = self.line.gap_cycles if gap is None else gap
        kept = [*keep, *([Area.LOG] if event_log else [])]
        ports = sizes_port(build.parameters, sizes), addresses_port(addresses, seal)
        self.model = Model(build.library, *ports, keep=kept, backlog=backlog)
        self.model.pace(self.line.hertz, self.line.bytes_per_s)
        self._outputs: list[bytes] = []
        self._frame_counters: list[bytes] = []
        self._reports: list[bytes] = []
        self._hash = hashlib.sha256()

    def push(self, frames: Sequence[bytes], receive_ns: Sequence[int]) -> None:
        """Feed Ethernet frames, their check sequences included; raises ``Rejected`` if there is not one time each."""
        if len(frames) != len(receive_ns):
            raise Rejected(f"{len(frames)} frames came with {len(receive_ns)} receive times; expected one per frame")
        self.model.frames(frames, receive_ns, self.gap)

    def push_quotes(self, events: NDArray[np.int64]) -> None:
        """Feed quote events, each a step of its own: ``int64[n, 10]``, columns ``QUOTE_COLUMNS``.

        Raises ``Rejected`` for another shape, or for numbers that a QuoteEvent message cannot carry.
        """
        if events.ndim != 2 or events.shape[1] != len(QUOTE_COLUMNS) or events.dtype != np.int64:
            seen = f"{events.dtype}{list(events.shape)}"
            raise Rejected(f"events are {seen}; expected an int64 array of {len(QUOTE_COLUMNS)} columns")
        self.model.control_rows(quote_messages(events), events[:, -1])

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
        row = (instrument, venue, price_exponent, quantity_exponent, aggressor, price, quantity)
        messages = trade_messages(np.array([row], dtype=np.int64))
        self.model.control_rows(messages, np.array([time_ns], dtype=np.int64))

    def control(self, message: bytes, time_ns: int) -> None:
        """Feed one control message: a whole SBE message with its header; one without bytes is nothing at all."""
        if message:
            self.model.control([message], [time_ns])

    def outputs(self) -> list[bytes]:
        """Drain what the core sent, in order: Trigger, Acknowledge and Status messages with their headers."""
        self._collect()
        outputs, self._outputs = self._outputs, []
        return outputs

    def event_log(self) -> list[bytes]:
        """Drain the log of steps, in order: LogStep messages with their headers; empty if no log is kept."""
        self.model.settle()
        return list(split_records(self.model.take(Area.LOG)))

    def sent(self) -> list[bytes]:
        """Drain the frames that the core sent, check sequences included; needs ``Area.SENT`` to be kept."""
        self.model.settle()
        return list(split_records(self.model.take(Area.SENT)))

    def sent_frame_counters(self) -> list[bytes]:
        """Drain the FrameCounters messages that the core sends after its periodic statuses."""
        self._collect()
        sent, self._frame_counters = self._frame_counters, []
        return sent

    def sent_reports(self) -> list[bytes]:
        """Drain the LatencyCounters and BoardCounters messages that a guarded core sends behind its statuses."""
        self._collect()
        sent, self._reports = self._reports, []
        return sent

    def frame_counters(self) -> bytes:
        """A FrameCounters message with its header: what became of the frames so far."""
        self.model.settle()
        counters = self.model.probe(FRAME_COUNTERS_AT, len(FrameCounter))
        head = np.array([layout.FRAME_COUNTERS_HEADER, self.model.value(Value.LAST_STEP)], dtype="<u8")
        return head.tobytes() + counters.astype("<u8").tobytes()

    @property
    def counters(self) -> dict[str, int]:
        """The counters of a Status message by their names in it (``gateKill``), each 0..2^64 - 1."""
        self.model.settle()
        values = self.model.probe(0, len(Counter)).tolist()
        return dict(zip(layout.STATUS_COUNTERS, values, strict=True))

    @property
    def decision_hash(self) -> str:
        """SHA-256 of all Trigger and Status messages so far, in order, in hexadecimal."""
        self._collect()
        return self._hash.hexdigest()

    @property
    def parity(self) -> int:
        """CRC-32 of all Trigger messages so far."""
        self.model.settle()
        return self.model.value(Value.PARITY)

    @property
    def cycles(self) -> int:
        """Clock cycles since reset."""
        return self.model.value(Value.CYCLE)

    def kill(self, level: bool = True) -> None:
        """Set the kill pin; it acts at once, and holds while it is set."""
        self.model.kill(level)

    def close(self) -> None:
        """Free the simulated core."""
        self.model.close()

    def _collect(self) -> None:
        self.model.settle()
        for message in split_records(self.model.take(Area.OUTPUTS)):
            template = int.from_bytes(message[layout.HEADER_TEMPLATE : layout.HEADER_SCHEMA], "little")
            if template == layout.TEMPLATE_FRAME_COUNTERS:
                self._frame_counters.append(message)
            elif template in _REPORTS:
                self._reports.append(message)
            else:
                self._outputs.append(message)
                if template in _HASHED:
                    self._hash.update(message)
