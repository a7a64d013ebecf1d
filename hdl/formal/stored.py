"""The rows and holdings that an event is given are what messages and triggers have made of them.

One operation runs, from any state and any content; so the proofs are about any number of them.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any, Final

from amaranth.hdl import Array, Const, Mux, Shape, Signal, Value

from hdl.decision.command_fields import command_field
from hdl.decision.holdings import HoldingStore
from hdl.decision.instruments import InstrumentTable
from hdl.decision.shapes import holding_fields
from hdl.formal.bench import Bench, Design
from hdl.formal.proof import Proof
from hdl.formal.solver import Mode
from hdl.parameters import CoreParameters
from market.fastpath.specification import EngineSizes, Side

_BUILD: Final = CoreParameters(EngineSizes(venues=2, instruments=2, price_bits=10, channels=1))
_WITHIN: Final = f"{_BUILD.instruments} instruments, {_BUILD.venues} venues, {_BUILD.price_bits} bits"
_TOP: Final = _BUILD.capacity.top
_BOUND: Final = 2 * _TOP
_LIMIT_FIELDS: Final = {
    "enabled": "enabled",
    "kinds": "kinds",
    "minimum_quantity": "minimumQuantity",
    "maximum_quantity": "maximumQuantity",
    "price_low": "priceLow",
    "price_high": "priceHigh",
    "position_limit": "positionLimit",
}
_WRONG_ROW: Final = "every row is written to instrument 0"
_OLD_ROW: Final = "the row loaded before is kept"
_UNCHECKED: Final = "settlements are stored unchecked"
_OTHER_PENDING: Final = "a trigger's venues are not named"
_LOST_TRIGGER: Final = "what a trigger reserves is not stored"
_ANY_QUANTITY: Final = "triggers lead above the limit"


class _Step(IntEnum):
    """Cycles of an operation, from the strobe that takes the address to the one behind the last write."""

    IDLE = 0
    """What was begun before is written."""
    TAKE = 1
    LOAD = 2
    CHOOSE = 3
    """A trigger's venues are named."""
    SELECT = 4
    """What is held there is read."""
    CHECK = 5
    WRITE = 6
    WRITTEN = 7
    DONE = 8


class _Operation(IntEnum):
    TRIGGER = 0
    SETTLE = 1
    SET_POSITION = 2


def _steps(bench: Bench) -> Signal:
    """A count of cycles that stays at its end."""
    step = Signal(_Step)
    with bench.m.If(step != _Step.DONE):
        bench.m.d.sync += step.eq(step + 1)
    return step


def _before(bench: Bench, step: Signal, memory: str, shape: Shape, row: int) -> tuple[Signal, Signal]:
    """A row of a memory, and what it was before the operation, from ``LOAD`` on."""
    now, first = bench.peek(f"{memory}[{row}]", shape), Signal(shape, name=f"{memory.replace('.', '_')}_before_{row}")
    with bench.m.If(step == _Step.TAKE):
        bench.m.d.sync += first.eq(now)
    return now, first


def _row(mutation: str) -> Design:
    """A row is written, or none is; then a row is loaded."""
    subject = InstrumentTable(_BUILD)
    bench = Bench(subject)
    bench.free_inputs("address", "load", "write", fixed=("message",))
    m, step = bench.m, _steps(bench)
    written, asked, writes = bench.fixed("written"), bench.fixed("asked"), bench.fixed("writes")
    m.d.comb += [
        subject.address.take.eq((step == _Step.TAKE) | (step == _Step.CHECK)),
        subject.address.instrument.eq(Mux(step == _Step.CHECK, asked, written & (mutation != _WRONG_ROW))),
        subject.write.eq((step == _Step.LOAD) & writes),
        subject.load.eq((step == _Step.WRITE) & (mutation != _OLD_ROW)),
    ]
    is_new = writes & (written == asked)
    for name, field in _LIMIT_FIELDS.items():
        value = Value.cast(getattr(subject.row, name))
        rows = [_before(bench, step, f"rows.{name}", value.shape(), number)[1] for number in range(_BUILD.instruments)]
        given = command_field(subject.message, "InstrumentRow", field)[: len(value)]
        bench.claim((step != _Step.WRITTEN) | (value == Mux(is_new, given, Array(rows)[asked])))
    bench.reach((step == _Step.WRITTEN) & is_new & asked & (subject.row.maximum_quantity != 0))
    return bench.design()


class _OneOperation:
    """A trigger that is committed, a settlement, or a position that is set, for any pair."""

    def __init__(self, mutation: str) -> None:
        self.subject = subject = HoldingStore(_BUILD)
        self.bench = bench = Bench(subject)
        reads = ("address", "load", "turn", "select", "seller", "buyer")
        settles = ("settle_select", "settle_check", "settle", "write_position")
        bench.free_inputs(
            *reads, *settles, "write_selling", "write_buying", "new_selling", "new_buying", fixed=("message",)
        )
        self.step, self.operation = _steps(bench), bench.fixed("operation", 2)
        self.instrument, self.venue = bench.fixed("instrument"), bench.fixed("venue")
        self.fields = holding_fields(_BUILD)
        self.contents = {
            (name, venue, instrument): _before(
                bench, self.step, f"{name}.{name}", shape, venue | instrument << _BUILD.venue_bits
            )
            for name, shape in self.fields.items()
            for venue in range(_BUILD.venues)
            for instrument in range(_BUILD.instruments)
        }
        for pair in self.pairs():
            bench.assume((self.step != _Step.TAKE) | _bounded(*(self.contents[name, *pair][0] for name in self.fields)))
        bench.assume(self.operation <= max(_Operation))
        self.is_trigger = self.operation == _Operation.TRIGGER
        self._command(mutation)
        self._trigger(mutation)

    def pairs(self) -> list[tuple[int, int]]:
        """Venue and instrument of every pair."""
        return [(venue, instrument) for venue in range(_BUILD.venues) for instrument in range(_BUILD.instruments)]

    def before(self, name: str, venue: int) -> Value:
        """What was stored for the instrument before the operation, from ``LOAD`` on."""
        return Array(self.contents[name, venue, number][1] for number in range(_BUILD.instruments))[self.instrument]

    def message(self, name: str, field: str) -> Value:
        """A field of the message."""
        return command_field(self.subject.message, name, field)

    def _command(self, mutation: str) -> None:
        """The strobes of the steps, and the message with what the control unit keeps out of it."""
        bench, subject, step = self.bench, self.subject, self.step
        is_settle, is_set = self.operation == _Operation.SETTLE, self.operation == _Operation.SET_POSITION
        fits = subject.settlement_fits | (mutation == _UNCHECKED)
        bench.m.d.comb += [
            subject.address.take.eq(step == _Step.TAKE),
            subject.address.instrument.eq(self.instrument),
            subject.address.venue.eq(self.venue),
            subject.load.eq((step == _Step.LOAD) | ((step == _Step.SELECT) & self.is_trigger)),
            subject.settle_select.eq((step == _Step.SELECT) & is_settle),
            subject.settle_check.eq((step == _Step.CHECK) & is_settle),
            subject.settle.eq((step == _Step.WRITE) & is_settle & fits),
            subject.write_position.eq((step == _Step.WRITE) & is_set),
        ]
        side = self.message("Settle", "side")
        bench.assume((side == Side.BUY) | (side == Side.SELL))
        position = self.message("SetPosition", "position")
        bench.assume((position >= -_TOP) & (position <= _TOP) | ~is_set)
        for field in ("pendingBuy", "pendingSell"):
            pending = self.message("SetPosition", field)
            bench.assume((pending >= 0) & (pending <= _TOP) | ~is_set)

    def _trigger(self, mutation: str) -> None:
        """Sells at one venue, buys at the other, or does one of both; see the proof of positions."""
        bench, subject, step = self.bench, self.subject, self.step
        is_trigger = self.is_trigger
        self.selling, self.buying = bench.fixed("selling", _BUILD.venues), bench.fixed("buying", _BUILD.venues)
        self.quantity, limit = bench.fixed("quantity", _BUILD.price_bits), bench.fixed("limit", _BUILD.price_bits)
        bench.assume((self.selling & self.buying == 0) & (self.selling != 3) & (self.buying != 3))
        for venue in range(_BUILD.venues):
            position = self.before("position", venue)
            short = position - self.before("pending_sell", venue) - self.quantity
            long = position + self.before("pending_buy", venue) + self.quantity
            fits = (~self.selling[venue] | (short >= -limit)) & (~self.buying[venue] | (long <= limit))
            if mutation != _ANY_QUANTITY:
                bench.assume((step < _Step.LOAD) | ~is_trigger | fits)
        strobes = (step == _Step.WRITE) & is_trigger & (mutation != _LOST_TRIGGER)
        chooses = (step == _Step.CHOOSE) & is_trigger
        bench.m.d.comb += [
            # other venues are read before, in the cycles of an event
            subject.turn.eq((step == _Step.LOAD) & is_trigger & bench.free("turns")),
            subject.select.eq(chooses & (mutation != _OTHER_PENDING)),
        ]
        for venue, writes, size, name, legs in (
            (subject.seller, subject.write_selling, subject.new_selling, "pending_sell", self.selling),
            (subject.buyer, subject.write_buying, subject.new_buying, "pending_buy", self.buying),
        ):
            held = getattr(subject.holding, name)
            bench.m.d.comb += [
                venue.eq(Mux(legs.any(), legs[1], bench.free(f"no_{venue.name}"))),
                writes.eq(strobes & legs.any()),
                size.eq(held + self.quantity),
            ]

    def expected(self, venue: int, instrument: int) -> dict[str, Any]:
        """What the operation makes of a pair's position, pending buys and pending sells."""
        position, buy, sell = (self.contents[name, venue, instrument][1] for name in self.fields)
        at_instrument = self.instrument == instrument
        here = at_instrument & (self.venue == venue)
        triggers = at_instrument & (self.operation == _Operation.TRIGGER)
        sets = here & (self.operation == _Operation.SET_POSITION)
        released, filled = self.message("Settle", "released"), self.message("Settle", "filled")
        buys = self.message("Settle", "side") == Side.BUY
        fits = (filled >= 0) & (filled <= released) & (released <= Mux(buys, buy, sell))
        settles = here & (self.operation == _Operation.SETTLE) & fits
        given = {name: self.message("SetPosition", name) for name in ("position", "pendingBuy", "pendingSell")}
        return {
            "position": Mux(sets, given["position"], position + Mux(settles, Mux(buys, filled, -filled), Const(0, 2))),
            "pending_buy": Mux(
                sets,
                given["pendingBuy"],
                buy + Mux(triggers & self.buying[venue], self.quantity, 0) - Mux(settles & buys, released, 0),
            ),
            "pending_sell": Mux(
                sets,
                given["pendingSell"],
                sell + Mux(triggers & self.selling[venue], self.quantity, 0) - Mux(settles & ~buys, released, 0),
            ),
        }


def _bounded(position: Value, pending_buy: Value, pending_sell: Value) -> Any:
    """The bounds that the widths of the machine, and the proof of positions, rest on."""
    held = (position - pending_sell, position + pending_buy)
    return (held[0] >= -_BOUND) & (held[0] <= _BOUND) & (held[1] >= -_BOUND) & (held[1] <= _BOUND)


def _holdings(mutation: str) -> Design:
    run = _OneOperation(mutation)
    bench, is_done = run.bench, run.step == _Step.DONE
    with bench.m.If(is_done):
        for pair in run.pairs():
            for name, value in run.expected(*pair).items():
                bench.claim(run.contents[name, *pair][0] == value)
            bench.claim(_bounded(*(run.contents[name, *pair][0] for name in run.fields)))
    for name in run.fields:
        now, before = run.contents[name, 1, 1]
        for operation in _Operation:
            if (name, operation) != ("position", _Operation.TRIGGER):
                bench.reach(is_done & (run.operation == operation) & (now != before))
    return bench.design()


ROWS: Final = Proof(
    name="rows",
    statement=f"the limits that an event is given are those of its instrument's last row; {_WITHIN}",
    build=_row,
    mutations=(_WRONG_ROW, _OLD_ROW),
    mode=Mode.BOUNDED,
    depth=len(_Step) + 1,
    mutation_depth=len(_Step) + 1,
    cover_depth=len(_Step) + 1,
    any_state=True,
    first_claim=int(_Step.WRITTEN),
)
HOLDINGS: Final = Proof(
    name="holdings",
    statement=(
        "positions and pending sizes are what triggers, settlements and positions that are set make of them, exactly; "
        "a settlement is refused unless 0 <= filled <= released <= pending; position less what is pending to be sold, "
        "and position with what is pending to be bought, stay in the bounds that the proof of positions assumes; "
        f"{_WITHIN}"
    ),
    build=_holdings,
    mutations=(_UNCHECKED, _LOST_TRIGGER, _OTHER_PENDING, _ANY_QUANTITY),
    mode=Mode.BOUNDED,
    depth=len(_Step) + 1,
    mutation_depth=len(_Step) + 1,
    cover_depth=len(_Step) + 1,
    any_state=True,
    first_claim=int(_Step.WRITTEN),
    is_long=True,
)
STORED: Final = (ROWS, HOLDINGS)
