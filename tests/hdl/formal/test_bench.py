"""What a bench says about a subject: rows of memories, parts taken out, first states, cycles without claims."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("amaranth", reason="the fpga extra is not installed: make test installs it")

from amaranth.hdl import Module, Signal
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from hdl.formal.bench import Bench
from hdl.formal.solver import Mode, Question, Verdict, ask
from hdl.formal.twin import Change, TwinBench, registers_of

LIMIT_S = 600


class Inner(wiring.Component):
    """Says 0."""

    def __init__(self) -> None:
        super().__init__({"value": Out(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        stays = Signal()
        m.d.sync += stays.eq(stays)
        m.d.comb += self.value.eq(stays)
        return m


class Outer(wiring.Component):
    """Says what its part says, and keeps what is written to two rows."""

    def __init__(self) -> None:
        super().__init__({"value": Out(1), "write": In(1), "row": In(1), "content": In(4), "read": Out(4)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.inner = inner = Inner()
        m.submodules.store = store = memory.Memory(shape=4, depth=2, init=[])
        port, read = store.write_port(), store.read_port(domain="comb")
        m.d.comb += [
            self.value.eq(inner.value),
            port.en.eq(self.write),
            port.addr.eq(self.row),
            port.data.eq(self.content),
            read.addr.eq(self.row),
            self.read.eq(read.data),
        ]
        return m


def bench_of_outer() -> tuple[Bench, Any]:
    bench = Bench(Outer())
    bench.free_inputs()
    return bench, bench.subject


def verdict(bench: Bench, mode: Mode = Mode.BOUNDED, depth: int = 4, **options: Any) -> Verdict:
    return ask(Question(bench.design(), mode, depth, **options), limit_s=LIMIT_S).verdict


def test_a_register_keeps_its_first_value_unless_the_state_is_any() -> None:
    bench, outer = bench_of_outer()
    bench.claim(~outer.value)
    assert verdict(bench) is Verdict.PASS
    assert verdict(bench, any_state=True) is Verdict.FAIL


def test_an_instance_that_is_cut_says_anything() -> None:
    bench, outer = bench_of_outer()
    bench.cut("inner")
    bench.claim(~outer.value)
    assert verdict(bench) is Verdict.FAIL


def test_a_row_of_a_memory_is_seen() -> None:
    bench, outer = bench_of_outer()
    row = bench.peek("store[1]", 4)
    written = bench.past(outer.write & outer.row & (outer.content == 5))
    bench.claim_after(~written | (row == 5))
    bench.reach(row == 5)
    assert verdict(bench, Mode.PROVE, 2) is Verdict.PASS
    assert verdict(bench, Mode.COVER, 3) is Verdict.PASS


def test_what_is_claimed_before_the_first_claim_is_not_looked_at() -> None:
    bench, _ = bench_of_outer()
    cycle = Signal(range(4))
    bench.m.d.sync += cycle.eq(cycle + (cycle != 3))
    bench.claim(cycle >= 2)
    assert verdict(bench) is Verdict.FAIL
    assert verdict(bench, first_claim=2) is Verdict.PASS


class Adder(wiring.Component):
    """Keeps the last sum."""

    def __init__(self) -> None:
        super().__init__({"one": In(4), "other": In(4), "sum": Out(4)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.sync += self.sum.eq(self.one + self.other)
        return m


def test_registers_and_rows_are_found_by_their_names() -> None:
    assert registers_of(Outer()) == {"store[0]": 4, "store[1]": 4, "inner.stays": 1}


@pytest.mark.parametrize(
    ("change", "expected"),
    [(Change("$2", "inv", "Y", 4), Verdict.PASS), (Change("$2", "inv", "Y", 3), Verdict.FAIL)],
    ids=["a bit that is not read", "a bit that is"],
)
def test_a_twin_is_alike_but_for_its_change(change: Change, expected: Verdict) -> None:
    bench = TwinBench(Adder, change)
    bench.claim_alike()
    assert verdict(bench) is expected


def test_what_differs_is_seen() -> None:
    bench = TwinBench(Adder, Change("$2", "inv", "Y", 3))
    bench.claim_after(bench.differs("sum") == 8)
    assert verdict(bench) is Verdict.PASS
