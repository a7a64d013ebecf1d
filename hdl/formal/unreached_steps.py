"""A bit of a step's number that no run reaches: a step takes a cycle, and 2^53 cycles of 8 ns are 2.28 years.

Where a status is sent, the bit may be wrong as long as it is not set; and it is not while fewer cycles have passed.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from amaranth.hdl import Signal

from hdl.account.payloads import Payloads
from hdl.formal.bench import SUBJECT, Bench, Design
from hdl.formal.proof import Proof
from hdl.formal.solver import Mode
from hdl.formal.twin import Change, TwinBench
from hdl.parameters import CoreParameters
from hdl.records import WORD_BITS, RecordKind
from hdl.steps.clock import StepClock

LATE_BIT: Final = 53
SPOILED_STEP: Final = Change("$213", "cnot1", "B", LATE_BIT, 4)
"""The bit of the step in a status is masked where the word is chosen."""
_OTHERS: Final = {
    "a bit that steps reach": Change("$213", "cnot1", "B", 20, 4),
    "the bit, whatever it is": Change("$213", "inv", "A", LATE_BIT),
}
_PLACES: Final = {RecordKind.TRIGGER: (0, 13), RecordKind.ACKNOWLEDGE: (13, 18)}
"""Where the words of these records are among the places of all; behind them are those of a status."""
_SKIPS: Final = "a bit of the next number is inverted"
_NEXT: Final = Change("$20", "inv", "Y", LATE_BIT)


def _status(mutation: str) -> Design:
    """Whatever is sent is as it is; the record stays until it is sent, as it must."""
    bench = TwinBench(partial(Payloads, CoreParameters()), _OTHERS.get(mutation, SPOILED_STEP))
    payloads: Any = bench.subject
    record, at = payloads.record, bench.pair("$signal$14")[0]
    known = [record.kind == kind for kind in _PLACES]
    bench.assume(known[0] | known[1] | ~record.body.status.step[LATE_BIT])
    was_busy = bench.past(payloads.busy | payloads.start)
    bench.assume(~was_busy | (record.as_value() == bench.past(record.as_value())))
    bench.assume(~payloads.start | ~payloads.busy)
    first_of_status = max(end for _, end in _PLACES.values())
    for is_kind, (begin, end) in zip(known, _PLACES.values(), strict=True):
        bench.claim(~payloads.busy | ~is_kind | ((at[:begin] == 0) & (at[end:] == 0)))
    bench.claim(~payloads.busy | known[0] | known[1] | (at[:first_of_status] == 0))
    bench.claim_alike()
    bench.reach(payloads.words.valid & payloads.words.payload.last)
    return bench.design()


def _clock(mutation: str) -> Design:
    """Cycles since power-on, counted up to where they would not fit any more."""
    clock = StepClock(registered=True)
    bench = Bench(clock)
    bench.free_inputs()
    cycles = Signal(WORD_BITS)
    if mutation:
        bench.change(_NEXT.command(SUBJECT))
    bench.m.d.sync += cycles.eq(cycles + 1)
    bench.assume(~cycles.all())
    bench.claim(clock.step <= cycles)
    bench.claim((cycles >= 1 << LATE_BIT) | ~clock.step[LATE_BIT])
    bench.reach(clock.step == 3)
    return bench.design()


_STATUS: Final = Proof(
    name="steps in a status",
    statement=(
        f"every word that is sent is as it is if bit {LATE_BIT} of a status' step is masked, as long as it is 0; of a "
        "record that stays until it is sent"
    ),
    build=_status,
    mutations=tuple(_OTHERS),
    mode=Mode.PROVE,
    depth=2,
    mutation_depth=8,
    cover_depth=12,
    is_long=True,
)
_CLOCK: Final = Proof(
    name="steps and cycles",
    statement=f"there are no more steps than cycles, so bit {LATE_BIT} of a step is 0 for 2^{LATE_BIT} cycles",
    build=_clock,
    mutations=(_SKIPS,),
    mode=Mode.PROVE,
    depth=2,
    mutation_depth=4,
    cover_depth=6,
    is_long=True,
)
UNREACHED_STEPS: Final = (_STATUS, _CLOCK)
