"""The cycle table of the hardware guide: how long after a message's bytes the trigger is there, for every kind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from market.errors import Fatal
from market.fastpath.conformance.case import Frame
from market.fastpath.conformance.frame_builder import ADDRESS, Wrapping, best_bid_ask, frame
from market.fastpath.conformance.runner import feed
from market.fastpath.conformance.scenario import TWO_VENUES, Scenario
from market.fastpath.specification import Feed, Kind
from market.wire.sbe import load_schema, offset_of
from market.wire.schemas import BINANCE_STREAM
from sim.rtl.engine import SoftFpga, build_core
from sim.rtl.latency import frame_cycles
from sim.rtl.lines import FORMS, Line
from sim.rtl.model import Area

FIRST_PORT: Final = 30_000
FCS_BYTES: Final = 4
DECIDING_BYTE: Final = 42 + 8 + offset_of(load_schema(BINANCE_STREAM), "BestBidAskStreamEvent", "askQty") + 7
"""Position in the frame of the last byte that a decision needs: the ask quantity's last."""
SYMBOLS: Final = (b"BTCUSDT", b"1000000MOGUSDT")
"""A short and a long symbol: the message's last bytes, which nothing waits for but its end."""
_QUIET: Final = (999, 10, 1_001, 10)


@dataclass(frozen=True, slots=True)
class CycleRow:
    """Cycles of one kind on one line, between beats and the cycle in which the trigger is valid behind the whole gate.

    Parameters
    ----------
    after_deciding: from the beat with the last byte that decides: best and worst of all samples.
    after_message: from the beat with the message's last byte, best and worst; negative: the trigger is there before.
    first_byte_after_trigger: until the first byte of the trigger's frame, preamble not counted, best and worst.
    """

    line: Line
    case: str
    after_deciding: tuple[int, int]
    after_message: tuple[int, int]
    first_byte_after_trigger: tuple[int, int]

    @property
    def nanoseconds(self) -> float:
        """The worst of ``after_deciding`` at the clock that the form is meant for."""
        return self.after_deciding[1] * self.line.cycle_ns


def a_trigger(
    kind: Kind, quote: tuple[int, int, int, int], venue: int, symbol: bytes = SYMBOLS[0]
) -> tuple[Scenario, bytes]:
    """An armed machine with both venues quoted flat, and a frame that makes the kind's trigger."""
    scenario = Scenario(f"cycles-{kind.name}-{venue}", "one trigger", sizes=TWO_VENUES)
    scenario.set_up(kind)
    for number in range(TWO_VENUES.venues):
        scenario.control(
            "ChannelRow",
            address=ADDRESS,
            port=FIRST_PORT + number,
            channel=number,
            instrument=0,
            venue=number,
            feed=int(Feed.BINANCE_SBE),
            enabled=1,
        )
        scenario.give(Frame(_frame(number, 1, _QUIET, symbol)))
    return scenario, _frame(venue, 2, quote, symbol)


def _frame(venue: int, sequence: int, quote: tuple[int, int, int, int], symbol: bytes) -> bytes:
    payload = best_bid_ask(-9, -9, sequence, *quote, symbol=symbol)
    return frame(payload, Wrapping(port=FIRST_PORT + venue))


CASES: Final = {
    "ARB, v sold": (Kind.ARB, (1_010, 10, 1_012, 10), 1),
    "ARB, v bought": (Kind.ARB, (988, 10, 990, 10), 0),
    "BASIS, v rich": (Kind.BASIS, (1_099, 10, 1_101, 10), 1),
    "BASIS, v cheap": (Kind.BASIS, (899, 10, 901, 10), 0),
    "IMBALANCE": (Kind.IMBALANCE, (999, 90, 1_001, 10), 0),
}


def measure(line: Line) -> list[CycleRow]:
    """The rows of one line, measured in the simulated core. Raises ``Fatal`` where a frame made no trigger."""
    build = build_core(bus_bytes=line.bus_bytes, paced=line.is_paced)
    return measured_rows(lambda: SoftFpga(build, TWO_VENUES, line=line, keep=[Area.MARKS]))


def measured_rows(engine: Callable[[], SoftFpga]) -> list[CycleRow]:
    """The rows of a core of which each call makes a fresh one for two venues, with marks; raises as ``measure``."""
    rows = []
    for name, (kind, quote, venue) in CASES.items():
        softs = [(engine(), *a_trigger(kind, quote, venue, symbol)) for symbol in SYMBOLS]
        spans = [(min(each), max(each)) for each in zip(*(_measured(*each) for each in softs), strict=True)]
        rows.append(CycleRow(softs[0][0].line, name, *spans))
    return rows


def _measured(soft: SoftFpga, scenario: Scenario, octets: bytes) -> tuple[int, int, int]:
    for step in scenario.steps:
        feed(soft, step.input, step.at_ns)
    cycles = frame_cycles(soft, octets, scenario.now)
    if cycles.decided is None or cycles.sent is None:
        raise Fatal(f"{scenario.name}: the frame made no trigger; the case expects one")
    last_byte = len(octets) - FCS_BYTES - 1
    return (
        cycles.decided - soft.line.cycle_of(DECIDING_BYTE, len(octets)),
        cycles.decided - soft.line.cycle_of(last_byte, len(octets)),
        cycles.sent - cycles.decided,
    )


def span_text(span: tuple[int, int]) -> str:
    """Best and worst, as one number where they agree."""
    return str(span[0]) if span[0] == span[1] else f"{span[0]} to {span[1]}"


def table(rows: list[CycleRow]) -> str:
    """The rows as a Markdown table; nanoseconds are cycles at the target clock: simulated."""
    lines = [
        "| Bus | Trigger | Deciding byte to trigger, cycles | ns at the target clock, simulated "
        "| Message's last byte to trigger | Trigger to first byte out |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {row.line.title} | {row.case} | {span_text(row.after_deciding)} | {row.nanoseconds:.1f} "
        f"| {span_text(row.after_message)} | {span_text(row.first_byte_after_trigger)} |"
        for row in rows
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Print the table."""
    print(table([row for line in FORMS for row in measure(line)]), end="")


if __name__ == "__main__":
    main()
