"""Checks the fields of a control message one after the other, by a program that comes from the rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from hdl.control.product import ProductOrder
from hdl.control.program import LEASTS, REACHES, WORD_INDEX_BITS, Operation, Program, Size, row_layout
from hdl.control.rules import LIMITS, Condition, Limit, Span
from hdl.parameters import BYTE, CoreParameters
from hdl.records import DURATION_BITS, TIME_BITS, WORD_BITS, sizes_layout
from market.fastpath.specification import BASIS_FRACTION_BITS, FEE_LIMIT, IMBALANCE_FRACTION_BITS

REFUSAL_BITS: Final = 4
LIMIT_BITS: Final = 17
EDGE_ROOM_BITS: Final = 2
"""An edge or a basis threshold lies within four times the largest price."""
_SHORT_BITS: Final = 16


class Checker(wiring.Component):
    """The first refusal of a message, by the order of refusals.

    Parameters
    ----------
    parameters: the build.
    program: the checks.

    Members
    -------
    start: strobe: check the message whose rows of the program begin at ``begin``.
    word_index, word: a word of the message, read in the same cycle.
    conditions: whether each ``Condition`` holds; a level.
    sizes: sizes in use.
    done: strobe; then ``refusal`` is the first one, 0 if there is none, until the next start.

    Latency
    -------
    ``done`` 3 cycles after ``start``, and 4 more per row of the program up to the one that fails, and 64 or 96 more per
    product.
    """

    def __init__(self, parameters: CoreParameters, program: Program) -> None:
        self._program = program
        super().__init__(
            {
                "start": In(1),
                "begin": In(range(len(program.rows))),
                "word_index": Out(WORD_INDEX_BITS),
                "word": In(WORD_BITS),
                "conditions": In(len(Condition)),
                "sizes": In(sizes_layout(parameters)),
                "done": Out(1),
                "refusal": Out(REFUSAL_BITS),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        """Four cycles per row: its word, its field, what is true of it, and what follows, with the next row."""
        m = Module()
        init = [row.bits() for row in self._program.rows]
        # as logic: a block memory takes most of a cycle to answer
        attributes = {"rom_style": "logic"}
        m.submodules.rows = rows = memory.Memory(shape=row_layout, depth=len(init), init=init, attrs=attributes)
        m.submodules.product = product = ProductOrder()
        read = rows.read_port()
        row, at = Signal(row_layout), Signal(range(len(init) + 1))
        word, value, span, limit = Signal(WORD_BITS), Signal(WORD_BITS), Signal(WORD_BITS), Signal(LIMIT_BITS)
        truths = self._truths(row, value, span, limit)
        known = Signal(len(truths))
        passes = self._passes(m, row, dict(zip(truths, known, strict=True)), product)
        m.d.comb += [read.addr.eq(at), self.word_index.eq(row.word), product.value.eq(value)]
        loads = {
            Operation.MULTIPLICAND: product.load_multiplicand,
            Operation.MULTIPLIER: product.load_multiplier,
            Operation.BOUND: product.load_bound,
            Operation.BOUND_HIGH: product.load_bound_high,
        }
        is_product = row.operation == Operation.PRODUCT

        with m.FSM(name="check"):
            with m.State("IDLE"):
                m.d.sync += [self.done.eq(0), at.eq(self.begin)]
                with m.If(self.start):
                    m.d.sync += self.refusal.eq(0)
                    m.next = "READ"
            with m.State("READ"):
                m.next = "ROW"
            with m.State("ROW"):
                m.d.sync += [row.eq(read.data), at.eq(at + 1)]
                m.next = "WORD"
            with m.State("WORD"):
                m.d.sync += word.eq(aligned(row, self.word))
                m.next = "FIELD"
            with m.State("FIELD"):
                m.d.sync += value.eq(Mux(row.constant, row.select, field_of(row, word)))
                self._choose(m, row.select, limit, self._limits())
                self._choose(m, row.select, span, self._spans())
                m.d.comb += product.start.eq(is_product)
                m.next = "TEST"
            with m.State("TEST"):
                m.d.sync += known.eq(Cat(*truths.values()))
                for operation, load in loads.items():
                    m.d.comb += load.eq(row.operation == operation)
                with m.If(~is_product | product.done):
                    m.next = "FOLLOW"
            with m.State("FOLLOW"):
                m.d.sync += [row.eq(read.data), at.eq(at + 1)]
                m.next = "WORD"
                with m.If(~passes):
                    m.d.sync += self.refusal.eq(row.refusal)
                with m.If(~passes | row.last):
                    m.d.sync += self.done.eq(1)
                    m.next = "IDLE"
        return m

    def _truths(self, row: Any, value: Signal, span: Signal, limit: Signal) -> dict[str, Value]:
        """What is asked of a field, each as one bit."""
        negative = row.signed & value[-1]
        distance = value ^ negative.replicate(WORD_BITS)
        number = Mux(row.negated, (-value[:BYTE])[:BYTE], value[:_SHORT_BITS])
        leasts = {f"least {bound}": value[bound.bit_length() - 1 :].any() for bound in LEASTS if bound}
        return leasts | {
            "below": number < limit,
            "absent": row.absent & value[:BYTE].all() & ((row.size == Size.ONE) | value[BYTE:_SHORT_BITS].all()),
            "inside": ~(distance & ~span).any(),
            "lowest": negative & (distance | ~span).all(),
            "holds": self.conditions.bit_select(row.select[: len(Condition) - 1], 1),
        }

    def _passes(self, m: Module, row: Any, known: dict[str, Value], product: ProductOrder) -> Signal:
        """Whether the row's check passes; rows that only load do."""
        passes, enough = Signal(), Signal()
        with m.Switch(row.least):
            for number, bound in enumerate(LEASTS):
                with m.Case(number):
                    m.d.comb += enough.eq(known[f"least {bound}"] if bound else 1)
        with m.Switch(row.operation):
            with m.Case(Operation.BELOW):
                m.d.comb += passes.eq((enough & known["below"]) | known["absent"])
            with m.Case(Operation.WITHIN):
                m.d.comb += passes.eq(enough & known["inside"] & ~known["lowest"])
            with m.Case(Operation.HOLDS):
                m.d.comb += passes.eq(known["holds"])
            with m.Case(Operation.PRODUCT):
                m.d.comb += passes.eq(Mux(row.select[0] == REACHES, ~product.below, ~product.above))
            with m.Default():
                m.d.comb += passes.eq(1)
        return passes

    def _choose(self, m: Module, number: Value, target: Signal, values: Mapping[Any, Any]) -> None:
        with m.Switch(number):
            for name, value in values.items():
                with m.Case(name):
                    m.d.sync += target.eq(value)

    def _limits(self) -> dict[Limit, Any]:
        return {
            Limit.INSTRUMENTS: self.sizes.instruments,
            Limit.VENUES: self.sizes.venues,
            Limit.CHANNELS: self.sizes.channels,
            Limit.LINES: self.sizes.lines,
            Limit.BOOKS: self.sizes.books,
            Limit.ORDER_BOOKS: self.sizes.order_books,
            **LIMITS,
        }

    def _spans(self) -> dict[Span, Value]:
        """|value| < 2^bits: no higher bit differs from the sign, and it is not -2^bits."""
        ones = Const((1 << WORD_BITS) - 1, WORD_BITS)
        return {
            Span.COUNT: self.sizes.top0,
            Span.EDGE: Cat(ones[:EDGE_ROOM_BITS], self.sizes.top0),
            Span.BASIS: Cat(ones[: BASIS_FRACTION_BITS + 1], self.sizes.top0),
            Span.DURATION: ones[:DURATION_BITS],
            Span.TIME: ones[:TIME_BITS],
            Span.FEE: Const(FEE_LIMIT - 1, WORD_BITS),
            Span.IMBALANCE: ones[:IMBALANCE_FRACTION_BITS],
        }


def aligned(row: Any, word: Value) -> Value:
    """A row's word, with the row's field in its lowest bits."""
    octets = [word[at : at + BYTE] for at in range(0, WORD_BITS, BYTE)]
    first = Cat(*octets).word_select(row.lane, BYTE)
    second = Cat(*octets[1::2]).word_select(row.lane[1:], BYTE)
    upper = Cat(word[16:32], word[48:64]).word_select(row.lane[2], 16)
    return Cat(first, second, upper, word[32:])


def field_of(row: Any, word: Value) -> Value:
    """A row's field in its aligned word, with zeros or its sign up to 64 bits."""
    first, second, upper = word[:8], word[8:16], word[16:32]
    sign = row.signed & Mux(row.size == Size.ONE, first[-1], Mux(row.size == Size.TWO, second[-1], upper[-1]))
    return Cat(
        first,
        Mux(row.size == Size.ONE, sign.replicate(8), second),
        Mux(row.size[1], upper, sign.replicate(16)),
        Mux(row.size == Size.EIGHT, word[32:], sign.replicate(32)),
    )
