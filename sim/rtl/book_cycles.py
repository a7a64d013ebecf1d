"""The cycle table of feeds with books: from a message's last byte to its trigger, for every feed, width and kind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Final

from market.errors import Fatal
from market.fastpath.conformance import packet_builder as wire
from market.fastpath.conformance.directed.numbered_feeds import FIRST, INSTRUMENT, LINE_A, Order, live, send
from market.fastpath.conformance.frame_builder import Wrapping, frame
from market.fastpath.conformance.runner import feed as give
from market.fastpath.conformance.scenario import TWO_VENUES, Scenario
from market.fastpath.specification import Feed, Kind, Side
from sim.rtl.cycle_table import FCS_BYTES, span_text
from sim.rtl.engine import SoftFpga, build_core
from sim.rtl.latency import frame_cycles
from sim.rtl.lines import FORMS, Line
from sim.rtl.model import Area

FEEDS: Final = (Feed.STARBASE, Feed.COINBASE_DERIVATIVES)
DEPTHS: Final = (0, 1, 40)
"""Further orders on each side of the book: the work must not depend on them."""
_FAR, _OWN = 600, 9
"""A price that is never the best, and the id of the order that decides."""


@dataclass(frozen=True, slots=True)
class _Change:
    """A book, and the one change of it that makes a kind's trigger: a put, or a delete where the price is 0."""

    kind: Kind
    orders: Sequence[Order]
    side: Side
    price: int
    quantity: int = 10


_NARROW: Final = ((1, Side.BUY, 990, 10), (2, Side.SELL, 1_010, 10))
_CHANGES: Final = {
    "ARB, v sold": _Change(Kind.ARB, ((1, Side.BUY, 990, 10), (2, Side.SELL, 1_100, 10)), Side.BUY, 1_010),
    "ARB, v bought": _Change(Kind.ARB, ((1, Side.BUY, 900, 10), (2, Side.SELL, 1_010, 10)), Side.SELL, 990),
    "BASIS, v rich": _Change(
        Kind.BASIS, (_NARROW[0], (_OWN, Side.SELL, 1_010, 10), (3, Side.SELL, 1_300, 10)), Side.SELL, 0
    ),
    "BASIS, v cheap": _Change(Kind.BASIS, (_NARROW[1], (_OWN, Side.BUY, 990, 10), (3, Side.BUY, 700, 10)), Side.BUY, 0),
    "IMBALANCE": _Change(Kind.IMBALANCE, _NARROW, Side.BUY, 990, 90),
}


@dataclass(frozen=True, slots=True)
class BookCycleRow:
    """Cycles of one feed and kind on one line, best and worst of all samples.

    Parameters
    ----------
    after_message: from the beat with the message's last byte to the cycle in which the trigger is valid behind the
        gate; the frame's check sequence, which these feeds wait for, comes between.
    first_byte_after_trigger: until the first byte of the trigger's frame, preamble not counted.
    """

    line: Line
    feed: Feed
    case: str
    after_message: tuple[int, int]
    first_byte_after_trigger: tuple[int, int]

    @property
    def nanoseconds(self) -> float:
        """The worst of ``after_message`` at the clock that the form is meant for."""
        return self.after_message[1] * self.line.cycle_ns


def measure(line: Line) -> list[BookCycleRow]:
    """The rows of one line, measured in the simulated core. Raises ``Fatal`` where a message made no trigger."""
    build = build_core(bus_bytes=line.bus_bytes, paced=line.is_paced)
    return measured_rows(lambda: SoftFpga(build, TWO_VENUES, line=line, keep=[Area.MARKS]))


def measured_rows(engine: Callable[[], SoftFpga], depths: Sequence[int] = DEPTHS) -> list[BookCycleRow]:
    """The rows of a core of which each call makes a fresh one for two venues, with marks; raises as ``measure``.

    ``depths``: of what books of further orders on each side, in turn.
    """
    rows = []
    for feed in FEEDS:
        for name, change in _CHANGES.items():
            softs = [(engine(), depth) for depth in depths]
            seen = [_measured(soft, feed, name, change, depth) for soft, depth in softs]
            spans = [(min(each), max(each)) for each in zip(*seen, strict=True)]
            rows.append(BookCycleRow(softs[0][0].line, feed, name, *spans))
    return rows


def _measured(soft: SoftFpga, feed: Feed, name: str, change: _Change, depth: int) -> tuple[int, int]:
    further = [(100 + n, Side.BUY if n % 2 else Side.SELL, 500 if n % 2 else 2_000, 1) for n in range(2 * depth)]
    scenario = live(
        f"{feed.name} {name}", "", feed=feed, kinds=(change.kind,), sizes=TWO_VENUES, orders=[*change.orders, *further]
    )
    scenario.instrument_row(change.kind, maximumSpread=1_000)
    send(scenario, _packet(feed, FIRST, _put(feed, 8, Side.BUY, _FAR, 1)))
    last = _put(feed, _OWN, change.side, change.price, change.quantity)
    if change.price == 0:
        last = _delete(feed, _OWN, change.side)
    return _cycles(soft, scenario, frame(_packet(feed, FIRST + 1, last), Wrapping(port=LINE_A)))


def _cycles(soft: SoftFpga, scenario: Scenario, octets: bytes) -> tuple[int, int]:
    with closing(soft):
        for step in scenario.steps:
            give(soft, step.input, step.at_ns)
        cycles = frame_cycles(soft, octets, scenario.now)
    if cycles.decided is None or cycles.sent is None:
        raise Fatal(f"{scenario.name}: the message made no trigger; the case expects one")
    last_byte = len(octets) - FCS_BYTES - 1
    return cycles.decided - soft.line.cycle_of(last_byte, len(octets)), cycles.sent - cycles.decided


def _packet(feed: Feed, number: int, message: bytes) -> bytes:
    build = wire.starbase_packet if feed is Feed.STARBASE else wire.coinbase_packet
    return build(number, [message])


def _put(feed: Feed, order: int, side: Side, price: int, quantity: int) -> bytes:
    if feed is Feed.STARBASE:
        return wire.starbase_put(order, INSTRUMENT, side is Side.SELL, price, quantity)
    return wire.coinbase_put(order, INSTRUMENT, -1 if side is Side.SELL else 1, price, quantity)


def _delete(feed: Feed, order: int, side: Side) -> bytes:
    if feed is Feed.STARBASE:
        return wire.starbase_delete(order, INSTRUMENT, side is Side.SELL)
    return wire.coinbase_delete(order, INSTRUMENT, -1 if side is Side.SELL else 1)


def table(rows: list[BookCycleRow]) -> str:
    """The rows as a Markdown table; nanoseconds are cycles at the target clock: simulated."""
    lines = [
        "| Bus | Feed | Trigger | Message's last byte to trigger, cycles | ns at the target clock, simulated "
        "| Trigger to first byte out |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {row.line.title} | {row.feed.name} | {row.case} | {span_text(row.after_message)} "
        f"| {row.nanoseconds:.1f} | {span_text(row.first_byte_after_trigger)} |"
        for row in rows
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Print the table."""
    print(table([row for line in FORMS for row in measure(line)]), end="")


if __name__ == "__main__":
    main()
