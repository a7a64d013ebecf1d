"""Streams keep their protocol: an offer stays, with what it offers, until it is taken."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from amaranth.hdl import Cat, Signal, Value

from hdl.account.payloads import Payloads
from hdl.control.authority import Authority
from hdl.control.uart import QUEUE_DEPTH as SERIAL_DEPTH
from hdl.control.uart import Unstuffer
from hdl.decision.late import LateValues
from hdl.decision.trades import TradeCounter
from hdl.egress.byte_writer import ByteWriter
from hdl.egress.reports import Reports
from hdl.egress.word_writer import WordWriter
from hdl.ethernet.inbox import DEPTH as INBOX_DEPTH
from hdl.ethernet.inbox import Inbox
from hdl.feeds.trial_queue import TrialQueue
from hdl.formal.bench import Bench, Design
from hdl.formal.proof import Proof
from hdl.formal.small import SMALL
from hdl.formal.solver import Mode
from hdl.log.event_log import EventLog
from hdl.records import trade_layout
from hdl.steps.intake import QUEUE_DEPTH, Intake

_DROPS: Final = "a reader that takes without being ready"
_FREE: Final = 0
"""State of a writer of frames between them."""
_ROWS: Final = 4
_HERTZ: Final = 125_000_000


@dataclass(frozen=True, slots=True)
class _Source:
    """Who offers.

    Parameters
    ----------
    name: of the proof; offered: what it offers, as a member of the subject.
    build: the subject.
    tell: claims what induction has to be told about registers.
    cuts: instances that may do anything.
    offers_within: cycles from power-on in which it offers something.
    """

    name: str
    offered: str
    build: Callable[[], Any]
    offers_within: int
    tell: Callable[[Bench], None] = lambda bench: None
    cuts: tuple[str, ...] = ()


def _protocol(source: _Source, mutation: str) -> Design:
    """The mutation takes what the claim does not see taken."""
    subject = source.build()
    bench = Bench(subject)
    bench.cut(*source.cuts)
    bench.free_inputs(source.offered)
    offered = getattr(subject, source.offered)
    ready = bench.free("ready")
    taken = bench.free("taken_unseen") if mutation == _DROPS else 0
    bench.m.d.comb += offered.ready.eq(ready | taken)
    _keeps(bench, offered.valid, Value.cast(offered.payload), ready)
    if not mutation:
        source.tell(bench)
    return bench.design()


def _keeps(bench: Bench, valid: Any, payload: Value, ready: Any) -> None:
    waits = bench.past(valid & ~ready)
    held = Signal(len(payload), name="held")
    bench.m.d.sync += held.eq(payload)
    bench.claim_after(~waits | (valid & (payload == held)))
    bench.reach(waits & valid & (payload != 0))


def _frames(build: Callable[[], Any], mutation: str) -> Design:
    """Beats stay until they are taken; within a frame one follows the other; frames begin and end by turns."""
    subject = build()
    bench = Bench(subject)
    m = bench.m
    bench.free_inputs("tx_ready")
    tx, ready = subject.tx, bench.free("ready")
    taken = bench.free("taken_unseen") if mutation == _DROPS else 0
    m.d.comb += subject.tx_ready.eq(ready | taken)
    _keeps(bench, tx.valid, Cat(tx.first, tx.last, tx.error, tx.count, tx.data), ready)
    inside = Signal()
    with m.If(tx.valid & ready):
        m.d.sync += inside.eq(~tx.last)
    bench.claim(~inside | tx.valid)
    bench.claim(~tx.valid | (tx.first == ~inside))
    bench.claim(~(tx.valid & tx.error) | tx.last)
    if not mutation:
        is_free, begun = bench.peek("frame_state", 2) == _FREE, bench.peek("begun")
        bench.claim(is_free == ~begun)
        bench.claim(begun == (tx.valid & ~tx.last))
    return bench.design()


def _tell_trial(bench: Bench) -> None:
    state_of_offer = 2
    bench.claim(bench.subject.kept.valid == (bench.peek("fsm_state", 2) == state_of_offer))


def _tell_queue(depth: int, bench: Bench, queue: str = "queue") -> None:
    """A queue of the library, where it lies in the subject: how many it holds is what lies between its ends."""
    bits = (depth - 1).bit_length()
    produce, consume = bench.peek(f"{queue}.produce", bits), bench.peek(f"{queue}.consume", bits)
    level = bench.peek(f"{queue}.level", bits + 1)
    bench.claim((level <= depth) & (produce == (consume + level)[:bits]))


def _tell_inbox(bench: Bench) -> None:
    """What is written lies behind what is kept, and that behind what is taken, around the ring."""
    bits = (INBOX_DEPTH - 1).bit_length()
    written, kept, taken = (bench.peek(name, bits) for name in ("written", "kept", "taken"))
    bench.claim((kept - taken)[:bits] <= (written - taken)[:bits])
    bench.claim(~bench.subject.octets.valid | (taken != kept))


_SOURCES: Final = (
    _Source("trial queue", "kept", partial(TrialQueue, trade_layout, 7, depth=_ROWS), 10, _tell_trial),
    _Source("account words", "words", partial(Payloads, SMALL), 6),
    _Source("board reports", "words", partial(Reports, _HERTZ), 8),
    _Source("event log", "log", partial(EventLog, SMALL, 64, _ROWS), 14, cuts=("queue", "datagrams", "controls")),
    _Source("late values", "late", partial(LateValues, SMALL), 18, partial(_tell_queue, 32)),
    _Source("intake items", "items", Intake, 6, partial(_tell_queue, QUEUE_DEPTH, queue="queue.queue")),
    _Source("trade outcomes", "outcome", partial(TradeCounter, SMALL), 8),
    _Source("inbox octets", "octets", partial(Inbox, SMALL), 8, _tell_inbox, ("receiver",)),
    _Source("serial octets", "octets", Unstuffer, 8, partial(_tell_queue, SERIAL_DEPTH)),
)
_WRITERS: Final = {"frames out, 8 bits": partial(ByteWriter, SMALL), "frames out, 64 bits": partial(WordWriter, SMALL)}


def _proof(name: str, statement: str, build: Callable[[str], Design], within: int) -> Proof:
    return Proof(
        name=name,
        statement=statement,
        build=build,
        mutations=(_DROPS,),
        mode=Mode.PROVE,
        depth=3,
        mutation_depth=within,
        cover_depth=within,
        is_long=True,
    )


_AUTHORITY: Final = Proof(
    name="authority octets",
    statement="what is offered stays as it is until it is taken, whatever comes in",
    build=partial(
        _protocol, _Source("authority", "octets", partial(Authority, SMALL), 4, cuts=("hash", "ratchet", "store"))
    ),
    mutations=(_DROPS,),
    mode=Mode.BOUNDED,
    depth=4,
    mutation_depth=4,
    cover_depth=4,
    any_state=True,
    first_claim=2,
    is_long=True,
)
"""From any state: from power-on to the first byte that it offers there are too many cycles to search."""

STREAMS: Final = (
    _AUTHORITY,
    *(
        _proof(
            source.name,
            "what is offered stays as it is until it is taken, whatever comes in",
            partial(_protocol, source),
            source.offers_within,
        )
        for source in _SOURCES
    ),
    *(
        _proof(
            name,
            "a beat stays as it is until it is taken; frames have one first and one last beat, and no gap between "
            "them; only a last beat is in error",
            partial(_frames, build),
            12,
        )
        for name, build in _WRITERS.items()
    ),
)
