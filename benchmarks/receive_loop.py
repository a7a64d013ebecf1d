"""The receive loop on loopback beside a C program that only echoes: datagram out, trigger back.

Every datagram is a quote that makes a trigger, so the loop decodes, decides, passes the gate and sends; the C program
makes the same socket calls and answers with as many bytes. A probe in C measures round trips from a core of its own.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.compiled import SOURCES, load_library
from benchmarks.harness import Report, take_turns
from market.errors import MissingInput
from market.fastpath.engine import CpuEngine
from market.fastpath.layout import SCHEMA, TRIGGER_SIZE
from market.fastpath.specification import Feed, Kind
from market.pipeline.journal import quantile
from market.pipeline.layout import HISTOGRAM_WORDS
from market.receive import layout
from market.receive.layout import Counter
from market.receive.log_ring import LogRing
from market.receive.words import ChannelSocket, Endpoint, counter, new_loop
from market.wire.sbe import encode, load_schema
from market.wire.schemas import BINANCE_STREAM
from orchestrator.clock import SystemClock
from orchestrator.loop.sockets import endpoint_of, open_channel, open_control, open_sender
from orchestrator.loop.thread import LoopThread, pin
from sim.replay.arming import FIRST_SEQUENCE, arm

TARGET: Final = 1 / 1.25
"""Ours takes at most 1.25 times as long as the echo."""
DATAGRAMS: Final = 4_000
PAUSE_NS: Final = 20_000
WAIT_MS: Final = 10
_UNIT: Final = 10**9
_DAY_NS: Final = 86_400 * 10**9
_BUFFER_BYTES: Final = 1 << 20
_LOOPBACK: Final = IPv4Address("127.0.0.1")
_SEQUENCE_AT: Final = 16
"""Where a BestBidAsk message has its bookUpdateId, header included."""


@dataclass
class Trips:
    """Round trips of one contender, in us."""

    p99: list[float] = field(default_factory=list)


def measure(report: Report) -> None:
    """Median and 99th percentile of round trips, the loop spinning, and sleeping between datagrams."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        raise MissingInput(f"the receive loop and its probe need two cores; this process may use {cores}")
    before = os.sched_getaffinity(0)
    pin(cores[0])
    try:
        for name, wait_ms in (("spinning", 0), ("sleeping", WAIT_MS)):
            _compare(report, name, wait_ms, cores[-1])
    finally:
        os.sched_setaffinity(0, before)


def _compare(report: Report, name: str, wait_ms: int, core: int) -> None:
    with _bench(wait_ms, core) as bench:
        ours, echo = Trips(), Trips()
        trips = {"ours": lambda: bench.ours(ours), "echo": lambda: bench.echo(echo)}
        taken = take_turns(trips, report.rounds)
        report.compare(f"{name}, p50", "us/round trip", taken["ours"], "C echo", taken["echo"], target=TARGET)
        report.compare(f"{name}, p99", "us/round trip", ours.p99[1:], "C echo", echo.p99[1:])
        report.note(f"{name}: {bench.inside()}")
    report.note("C echo: the same socket calls, kernel receive times read, nothing decoded or decided")


class Bench:
    """The sockets that both contenders share, the loop's engine, and the C library."""

    def __init__(self, stack: ExitStack, wait_ms: int, core: int) -> None:
        at = Endpoint(_LOOPBACK, 0)
        self.library = load_library([SOURCES / "udp_echo" / "udp_echo.c"], standard="gnu11")
        self.market = stack.enter_context(open_channel(at, buffer_bytes=_BUFFER_BYTES))
        self.second = stack.enter_context(open_channel(at, buffer_bytes=_BUFFER_BYTES))
        self.control = stack.enter_context(open_control(at))
        self.gateway = stack.enter_context(open_control(at))
        self.sender = stack.enter_context(open_sender())
        self.wait_ms = wait_ms
        self.core = core
        self.sequence = 1
        self.engine = _armed_engine(endpoint_of(self.market), endpoint_of(self.second))
        self.engine.push_datagram(_quote(1, 104, 105), 1, SystemClock().now_ns())
        self.engine.outputs()
        self.words = new_loop(
            [ChannelSocket(self.market.fileno(), endpoint_of(self.market))],
            control_fd=self.control.fileno(),
            host=endpoint_of(self.second),
            trigger_fd=self.sender.fileno(),
            trigger_to=endpoint_of(self.gateway),
            wait_ms=wait_ms,
        )

    def ours(self, trips: Trips) -> float:
        """One round of the receive loop; p50 in us."""
        self.words[layout.STOP] = 0
        before = counter(self.words, Counter.TRIGGERS_SENT)
        thread = LoopThread(self.engine, self.words, LogRing(0).words, None, core=self.core)
        thread.start()
        p50 = self._probe(trips)
        thread.stop()
        thread.join()
        sent = counter(self.words, Counter.TRIGGERS_SENT) - before
        if sent != DATAGRAMS:
            raise MissingInput(f"{DATAGRAMS} datagrams made {sent} triggers; expected one each")
        return p50

    def echo(self, trips: Trips) -> float:
        """One round of the C program; p50 in us."""
        stop = ctypes.c_int64(0)
        port = ctypes.c_int(endpoint_of(self.gateway).port)
        sizes = (ctypes.c_int64(TRIGGER_SIZE), ctypes.c_int64(self.wait_ms))
        with ThreadPoolExecutor(max_workers=1) as executor:
            executor.submit(pin, self.core).result()
            sockets = (self.market.fileno(), self.sender.fileno())
            running = executor.submit(self.library.udp_echo, *sockets, port, *sizes, ctypes.byref(stop))
            p50 = self._probe(trips)
            stop.value = 1
            if running.result():
                raise MissingInput("the kernel gave no receive times: is this Linux with SO_TIMESTAMPNS?")
        return p50

    def inside(self) -> str:
        """What the loop itself measured."""
        found = []
        for what, at in (("the kernel's receive time", layout.FROM_KERNEL), ("its own entry", layout.FROM_ENTRY)):
            counts = self.words[at : at + HISTOGRAM_WORDS]
            found.append(f"from {what} p50 {quantile(counts, 0.5):,}, p99 {quantile(counts, 0.99):,} ns")
        return "to the sent trigger, " + "; ".join(found)

    def _probe(self, trips: Trips) -> float:
        payloads = _quotes(self.sequence)
        self.sequence += DATAGRAMS
        taken: NDArray[np.int64] = np.zeros(DATAGRAMS, dtype=np.int64)
        answered = self.library.udp_probe(
            self.second.fileno(),
            endpoint_of(self.market).port,
            payloads.ctypes.data_as(ctypes.c_void_p),
            ctypes.c_int64(payloads.shape[1]),
            ctypes.c_int64(DATAGRAMS),
            self.gateway.fileno(),
            ctypes.c_int64(PAUSE_NS),
            taken.ctypes.data_as(ctypes.c_void_p),
        )
        if answered != DATAGRAMS:
            raise MissingInput(f"datagram {answered} of {DATAGRAMS} was not answered within a second")
        p50, p99 = np.percentile(taken, (50, 99)) / 1e3
        trips.p99.append(float(p99))
        return float(p50)


@contextmanager
def _bench(wait_ms: int, core: int) -> Iterator[Bench]:
    with ExitStack() as stack:
        yield Bench(stack, wait_ms, core)


def _quote(sequence: int, bid: int, ask: int) -> bytes:
    fields = {"bidPrice": bid * _UNIT, "bidQty": _UNIT, "askPrice": ask * _UNIT, "askQty": _UNIT}
    fields |= {"eventTime": 1, "bookUpdateId": sequence, "priceExponent": -9, "qtyExponent": -9}
    return encode(load_schema(BINANCE_STREAM), "BestBidAskStreamEvent", {**fields, "symbol": "BTCUSDT"})


def _quotes(first_sequence: int) -> NDArray[np.uint8]:
    """Quotes of venue 0, above and below venue 1's in turn, so that each makes a trigger: uint8[n, size]."""
    pair = np.frombuffer(_quote(0, 110, 111) + _quote(0, 98, 99), dtype=np.uint8).reshape(2, -1)
    quotes = np.ascontiguousarray(np.tile(pair, (DATAGRAMS // 2, 1)))
    sequences = np.arange(first_sequence, first_sequence + DATAGRAMS, dtype="<i8")
    quotes[:, _SEQUENCE_AT : _SEQUENCE_AT + 8] = sequences.view(np.uint8).reshape(-1, 8)
    return quotes


def _armed_engine(*channels: Endpoint) -> CpuEngine:
    """An engine without fees, ages and cooldowns whose channel v is instrument 0 on venue v."""
    engine = CpuEngine()
    rows: list[tuple[str, dict[str, Any]]] = [
        ("EngineRow", {"rateInterval": 2_048, "rateTolerance": 62 * 2_048, "lease": _DAY_NS}),
        ("InstrumentRow", _INSTRUMENT | {"leads": [{"mask": 0}] * engine.sizes.venues}),
    ]
    for venue, to in enumerate(channels):
        rows += [
            ("VenueRow", {"venue": venue, "enabled": 1, "fee": 0, "maximumAge": _DAY_NS, "maximumSilence": _DAY_NS}),
            ("ScalingRow", {"venue": venue, "instrument": 0, **_EXPONENTS}),
            ("ChannelRow", _channel(venue, to)),
        ]
    tables = [
        encode(SCHEMA, name, {"sequence": sequence, **fields})
        for sequence, (name, fields) in enumerate(rows, start=FIRST_SEQUENCE + 1)
    ]
    arm(engine, tables, SystemClock().now_ns())
    return engine


def _channel(venue: int, to: Endpoint) -> dict[str, int]:
    where = {"address": int(to.address), "port": to.port, "channel": venue}
    return {**where, "instrument": 0, "venue": venue, "feed": Feed.BINANCE_SBE, "enabled": 1}


_EXPONENTS: Final = {"priceExponent": -9, "quantityExponent": -9, "priceShift": 0, "quantityShift": 0}
_INSTRUMENT: Final[dict[str, int]] = {
    "instrument": 0,
    "enabled": 1,
    "kinds": Kind.ARB.mask,
    "basisShift": 0,
    "imbalanceThreshold": 32_767,
    "minimumEdge": 1,
    "basisThreshold": 1,
    "basisInterval": 0,
    "basisWarmUp": 0,
    "maximumSpread": 0,
    "cooldown": 0,
    "minimumQuantity": 1,
    "maximumQuantity": 1,
    "priceLow": 1,
    "priceHigh": 1_000 * _UNIT,
    "maximumNotionalLow": (1 << 64) - 1,
    "maximumNotionalHigh": (1 << 32) - 1,
    "positionLimit": 1 << 40,
}
