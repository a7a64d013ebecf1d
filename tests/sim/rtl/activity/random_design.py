"""Designs of random logic with registers at their inputs: what a simulator may meet, without any meaning."""

from __future__ import annotations

import random
from typing import Any, Final

from amaranth.hdl import Cat, ClockDomain, ClockSignal, Module, Mux, Signal
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

WIDTHS: Final = (1, 2, 7, 8, 16, 31, 32, 48, 64, 65, 100)
INPUTS: Final = 6
OUTPUTS: Final = 8
_ROWS: Final = 16


class RandomDesign(wiring.Component):
    """Some hundred operations between registers, most of which have an enable, and a memory for every fifteen of them.

    Parameters
    ----------
    seed: of what it is. operations: how many.
    """

    def __init__(self, seed: int, operations: int = 150) -> None:
        self._seed, self._operations = seed, operations
        rng = random.Random(seed)
        self.input_bits = [1, 1, *(rng.choice(WIDTHS) for _ in range(INPUTS - 2))]
        ports = {f"in_{number}": In(bits) for number, bits in enumerate(self.input_bits)}
        super().__init__({"clk": In(1)} | ports | {f"out_{number}": Out(64) for number in range(OUTPUTS)})

    def elaborate(self, platform: object) -> Module:
        """Each operation takes values from before it; those in registers keep them while they are not enabled."""
        m, rng = Module(), random.Random(self._seed + 1)
        m.domains.sync = ClockDomain(reset_less=True)
        m.d.comb += ClockSignal().eq(self.clk)
        values: list[Any] = []
        for number in range(INPUTS):
            held = Signal.like(getattr(self, f"in_{number}"), name=f"held_{number}")
            m.d.sync += held.eq(getattr(self, f"in_{number}"))
            values.append(held)
        # registers that are fed back: counters, and states that hold
        loops = [Signal(rng.choice(WIDTHS), name=f"loop_{number}") for number in range(12)]
        values += loops
        for number in range(self._operations):
            if number % 15 == 10:
                values.append(self._stored(m, rng, values, number))
                continue
            value = Signal(rng.choice(WIDTHS), name=f"value_{number}")
            made = self._made(rng, values, len(value))
            if rng.random() < 0.4:
                with m.If(rng.choice(values).any() & ~rng.choice(values)[0]):
                    m.d.sync += value.eq(made)
            else:
                m.d.comb += value.eq(made)
            values.append(value)
        for loop in loops:
            with m.If(rng.choice(values)[0]):
                m.d.sync += loop.eq(loop + rng.choice(values) if rng.random() < 0.5 else rng.choice(values) ^ loop)
        for number in range(OUTPUTS):
            taken = Cat(*rng.sample(values, 12))
            m.d.sync += getattr(self, f"out_{number}").eq(taken[:64] ^ taken[64:128])
        return m

    def _made(self, rng: random.Random, values: list[Any], bits: int) -> Any:
        """One operation on some of the values, each of so many bits: constant bits would be wires in a circle."""
        a, b, c = (_wide(rng.choice(values), bits) for _ in range(3))
        made = (
            lambda: a + b,
            lambda: a - b,
            lambda: a & b,
            lambda: a | ~b,
            lambda: a ^ b,
            lambda: Mux(c[0], a, b),
            lambda: Cat(a == b, a < b, c.any(), c.xor()) ^ c,
            lambda: (a << b[:3]) ^ c,
            lambda: (a >> b[:3]) ^ c,
            lambda: (a.as_signed() < b.as_signed()) ^ c,
        )
        return rng.choice(made)()

    def _stored(self, m: Module, rng: random.Random, values: list[Any], number: int) -> Any:
        """A row of a memory that some of the values write and read."""
        bits = rng.choice(WIDTHS)
        m.submodules[f"rows_{number}"] = rows = memory.Memory(shape=bits, depth=_ROWS, init=[])
        write, read = rows.write_port(), rows.read_port(domain="comb")
        at, into, data, enable = (rng.choice(values) for _ in range(4))
        m.d.comb += [write.addr.eq(into), write.data.eq(data), write.en.eq(enable[0]), read.addr.eq(at)]
        found = Signal(bits, name=f"row_{number}")
        m.d.sync += found.eq(read.data)
        return found


def _wide(value: Any, bits: int) -> Any:
    """A value over and over again, until it has so many bits."""
    return Cat(*[value] * -(-bits // len(value)))[:bits]
