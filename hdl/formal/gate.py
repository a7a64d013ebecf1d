"""The gate: what must hold for a candidate to pass."""

from __future__ import annotations

from typing import Final

from amaranth.hdl import Cat, Signal

from hdl.decision.gate import Gate
from hdl.decision.schedule import Stage
from hdl.formal.bench import Bench, Design
from hdl.formal.proof import Proof
from hdl.formal.small import SMALL
from hdl.formal.solver import Mode

_FLAGS: Final = {"killed": 0, "leased": 1, "enabled": 1, "cool": 1, "rate_free": 1}
"""The gate's flags, and what each of them is when triggers may leave."""


def _build(mutation: str) -> Design:
    """A mutation ``ignores FLAG`` lets the gate see that flag as it should be, whatever it is."""
    subject = Gate(SMALL)
    bench = Bench(subject)
    bench.free_inputs(*_FLAGS)
    flags = {name: bench.free(name) for name in _FLAGS}
    for name, good in _FLAGS.items():
        seen = good if mutation == f"ignores {name}" else flags[name]
        bench.m.d.comb += getattr(subject, name).eq(seen)
    allowed = Cat(flags[name] == good for name, good in _FLAGS.items())
    gates = subject.at.event[Stage.GATE]
    allowed_then = Signal(len(allowed))
    with bench.m.If(gates):
        bench.m.d.sync += allowed_then.eq(allowed)
    was_gate = bench.past(gates)
    for flag in allowed_then:
        bench.claim(~subject.early | flag)
        bench.claim(~subject.fires | flag)
    bench.claim(~subject.early | was_gate)
    bench.reach(subject.early)
    return bench.design()


GATE: Final = Proof(
    name="gate flags",
    statement=(
        "no trigger passes unless, in the cycle of the gate, the engine is not killed, the lease runs, the instrument "
        "is enabled, its cooldown is over and the rate allows one; inputs and strobes in any order; 2 venues"
    ),
    build=_build,
    mutations=tuple(f"ignores {name}" for name in _FLAGS),
    mode=Mode.PROVE,
    depth=2,
    mutation_depth=4,
    cover_depth=4,
)
