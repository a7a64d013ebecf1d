"""What a core is given and what it must answer with, as the reference says it: recorded once, asked of every core."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from itertools import islice
from typing import Final

from market.fastpath import layout
from market.fastpath.conformance.case import Case, Input
from market.fastpath.conformance.random_host import RandomHost
from market.fastpath.conformance.runner import feed
from market.fastpath.reference import ReferenceEngine
from market.fastpath.specification import EngineSizes
from sim.rtl.addresses import BoardAddresses
from sim.rtl.model import LOG_BACKLOG_BYTES

ADDRESSES: Final = BoardAddresses(
    source_link=0x02_57_A1_3C_90_E5,
    destination_link=0x06_C8_0E_B2_6D_1B,
    source_address=IPv4Address("172.29.131.7"),
    destination_address=IPv4Address("10.198.84.233"),
    source_port=31_901,
    message_port=27_306,
    log_port=52_841,
)
"""Of no two equal bytes next to each other, so that a byte in the wrong place shows."""
_ALL_LINK_BITS: Final = (1 << 48) - 1
_ALL_ADDRESS_BITS: Final = (1 << 32) - 1
_ALL_PORT_BITS: Final = (1 << 16) - 1
BATCH: Final = 64
"""Inputs between two comparisons; frames next to each other follow each other on the line."""
Given = tuple[int, Input]


def inverted(addresses: BoardAddresses) -> BoardAddresses:
    """Addresses and ports of which no bit is the same."""
    return BoardAddresses(
        source_link=addresses.source_link ^ _ALL_LINK_BITS,
        destination_link=addresses.destination_link ^ _ALL_LINK_BITS,
        source_address=IPv4Address(int(addresses.source_address) ^ _ALL_ADDRESS_BITS),
        destination_address=IPv4Address(int(addresses.destination_address) ^ _ALL_ADDRESS_BITS),
        source_port=addresses.source_port ^ _ALL_PORT_BITS,
        message_port=addresses.message_port ^ _ALL_PORT_BITS,
        log_port=addresses.log_port ^ _ALL_PORT_BITS,
    )


@dataclass(frozen=True, slots=True)
class Conditions:
    """How a core is fed and drained.

    Parameters
    ----------
    gap: idle cycles between frames; None: those of a full line.
    tx_pace, words_pace, log_pace: of 256 cycles how many an output has to wait in.
    backlog: bytes of the log that may wait in the core before inputs wait, too.
    addresses: what is set as the core's own, and the host's.
    """

    gap: int | None = None
    tx_pace: int = 0
    words_pace: int = 0
    log_pace: int = 0
    backlog: int = LOG_BACKLOG_BYTES
    addresses: BoardAddresses = ADDRESSES


FREE: Final = Conditions()


@dataclass(frozen=True, slots=True)
class Batch:
    """Inputs with their times, and what they must lead to: messages in order, and the log.

    Parameters
    ----------
    kill: the kill pin is raised and released before the inputs.
    messages: triggers, acknowledgements and statuses, with the frame counters behind each status.
    """

    inputs: tuple[Given, ...]
    kill: bool
    messages: tuple[bytes, ...]
    log: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Recording:
    """A run of the reference, for a core of these sizes: batches, and what holds behind the last of them."""

    name: str
    sizes: EngineSizes
    conditions: Conditions
    batches: tuple[Batch, ...]
    counters: dict[str, int]
    frame_counters: bytes
    parity: int
    last_id: int
    killed: bool


@dataclass(slots=True)
class Recorder:
    """The reference, with everything that it is given and answers written down."""

    name: str
    sizes: EngineSizes
    conditions: Conditions = FREE
    engine: ReferenceEngine = field(init=False)
    _batches: list[Batch] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.engine = ReferenceEngine(self.sizes)

    def give(self, inputs: Iterable[Given], *, kill: bool = False) -> None:
        """Feed a batch; the inputs may be made as they are fed."""
        if kill:
            self.engine.state.killed = True
        given: list[Given] = []
        messages: list[bytes] = []
        for at_ns, each in inputs:
            given.append((at_ns, each))
            feed(self.engine, each, at_ns)
            messages += self._sent()
        self._batches.append(Batch(tuple(given), kill, tuple(messages), tuple(self.engine.event_log())))

    def recording(self) -> Recording:
        """What has been written down."""
        engine = self.engine
        return Recording(
            self.name,
            self.sizes,
            self.conditions,
            tuple(self._batches),
            dict(engine.counters),
            engine.frame_counters(),
            engine.parity,
            engine.state.last_id,
            engine.state.killed,
        )

    def _sent(self) -> list[bytes]:
        """The outputs; behind a status come the frame counters, which hardware sends by itself."""
        messages = self.engine.outputs()
        if messages and _template(messages[-1]) == layout.TEMPLATE_STATUS:
            return [*messages, self.engine.frame_counters()]
        return messages


def _template(message: bytes) -> int:
    return int.from_bytes(message[layout.HEADER_TEMPLATE : layout.HEADER_SCHEMA], "little")


def of_case(case: Case) -> Recording:
    """A case of the corpus, one input at a time."""
    recorder = Recorder(case.name, case.sizes)
    for step in case.steps:
        recorder.give([(step.at_ns, step.input)])
    return recorder.recording()


def of_random_run(
    name: str,
    sizes: EngineSizes,
    events: int,
    host_of: Callable[[ReferenceEngine], RandomHost],
    conditions: Conditions = FREE,
    pin_every: int = 0,
) -> Recording:
    """A run of inputs that a random host makes up as it sees the reference's state.

    ``pin_every``: the kill pin is raised before each so many batches; 0: never.
    """
    recorder = Recorder(name, sizes, conditions)
    host = host_of(recorder.engine)
    for number in range(-(-events // BATCH)):
        kill = pin_every > 0 and number % pin_every == pin_every - 1
        recorder.give(islice(_inputs(host), BATCH), kill=kill)
    return recorder.recording()


def _inputs(host: RandomHost) -> Iterator[Given]:
    while True:
        yield host.next_input()
