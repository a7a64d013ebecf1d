"""What a memory may be written while nothing is put into a queue without anything following from it.

The row at which a ``TrialQueue`` writes next is no entry of it, and it is written whole before it becomes one. So a
queue that writes a bit there in every other cycle, too, gives out what one gives out that does not.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from amaranth.hdl import Signal, Value

from hdl.feeds.trial_queue import TrialQueue
from hdl.formal.bench import Design
from hdl.formal.proof import Proof
from hdl.formal.solver import Mode
from hdl.formal.twin import Change, TwinBench

WRITES_WHILE_IDLE: Final = Change("rows", "cnot0", "WR_EN", 63, 251)
"""A bit's enable is inverted where another bit's, which is the same, is 0: as the memory of a wide queue has it."""
_BITS, _ROWS = 4, 4
_WRITER: Final = "$52"
"""Of a narrow queue's memory."""
_NARROW: Final = Change(_WRITER, "cnot0", "EN", 1, 3)
_OTHERS: Final = {
    "the bit is not written with its entry": Change(_WRITER, "cnot1", "EN", 1, 3),
    "an entry goes to a row that is none": Change(_WRITER, "inv", "ADDR", 0),
}
_GIVEN_OUT: Final = 1
"""State of what gives entries out: the row has been read, and is given up."""


def _queued(mutation: str) -> Design:
    """All registers are alike, and of the memory the rows from the one to be read to the one to be written."""
    bench = TwinBench(partial(TrialQueue, _BITS, 3, depth=_ROWS), _OTHERS.get(mutation, _NARROW))
    queue = bench.subject
    rows = [f"rows[{at}]" for at in range(_ROWS)]
    was_put = bench.past(queue.put)
    bench.assume(~queue.put | ~was_put)
    taken, written, counting, state = (
        bench.pair(name)[0] for name in ("read__addr", "$signature__addr", "counting", "fsm_state")
    )

    def behind(place: Value | int) -> Signal:
        """How far behind the row to be read."""
        distance = Signal(range(_ROWS))
        bench.m.d.comb += distance.eq(place - taken)
        return distance

    entries = behind(written)
    full = bench.pair("$signal")[0]
    bench.claim(behind(counting) <= entries)
    bench.claim((state != _GIVEN_OUT) | (counting != taken))
    bench.claim(full | was_put | (entries != _ROWS - 1))
    bench.claim_alike(rows)
    for at, row in enumerate(rows):
        bench.claim((behind(at) >= entries) | (bench.differs(row) == 0))
    bench.reach((bench.differs(rows[0]) != 0) & queue.kept.valid & (written == 1) & (taken == 1))
    return bench.design()


IDLE_ROW: Final = Proof(
    name="idle rows",
    statement=(
        "a queue that takes entries on trial gives out, counts and says the same if one bit of the row at which it "
        "writes next is written while no entry is put in; entries not in two cycles that follow one another; for "
        f"{_ROWS} entries of {_BITS} bits, of which none is treated differently"
    ),
    build=_queued,
    mutations=tuple(_OTHERS),
    mode=Mode.PROVE,
    depth=2,
    mutation_depth=8,
    cover_depth=24,
)
"""Of a memory's row that nobody reads."""
