"""A line without a pause: what arrives with the smallest gap is decided in order, and nothing is lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import pytest

from market.fastpath.conformance.frame_builder import Wrapping, frame, trades
from sim.rtl.lines import FORMS, Line
from tests.sim.rtl.side_by_side import PORTS, SideBySide

NEVER_WAIT: Final = 1 << 40
RATE_INTERVAL_NS: Final = 2_048
"""The shortest that there is: as many triggers as a line takes."""
QUIET: Final = bytes((0, 0, 0x12, 0x27, 1, 0, 0, 0)) + bytes(10)
"""A message that is skipped, as long as the smallest frame has room for."""
ENTRIES: Final = [(1_000, number + 1, number % 2) for number in range(57)]
LONG_TRADES: Final = frame(trades(-9, -9, ENTRIES, b"S" * 14), Wrapping(port=PORTS[0], udp_checksum=None))
ONE_TRADE: Final = frame(trades(-9, -9, ENTRIES[:1]), Wrapping(port=PORTS[0], udp_checksum=None))
Traffic = Callable[[SideBySide, int], bytes]


def smallest(pair: SideBySide, number: int) -> bytes:
    """64 bytes."""
    return frame(QUIET, Wrapping(port=PORTS[0]))


def strangers(pair: SideBySide, number: int) -> bytes:
    """64 bytes to a port of nobody."""
    return frame(QUIET, Wrapping(port=5))


def quotes(pair: SideBySide, number: int) -> bytes:
    """Every other one is worth a trigger."""
    return pair.quote(1, 999 + 11 * (number % 2))


def spoiled(pair: SideBySide, number: int) -> bytes:
    """Each would be worth a trigger, which begins to leave and is taken back."""
    octets = bytearray(pair.quote(1, 1_010))
    octets[-1 - number % 4] ^= 1 << number % 8
    return bytes(octets)


def one_trade(pair: SideBySide, number: int) -> bytes:
    """A datagram with one trade."""
    return ONE_TRADE


def mixed(pair: SideBySide, number: int) -> bytes:
    """All of the above."""
    kinds: tuple[Traffic, ...] = (smallest, quotes, strangers, spoiled, quotes, one_trade, spoiled)
    return kinds[number * 5 % len(kinds)](pair, number)


def long_trades(pair: SideBySide, number: int) -> bytes:
    """Datagrams of 57 trades, with quotes between them."""
    return quotes(pair, number) if number % 3 else LONG_TRADES


LINES: Final = [
    (traffic, line)
    for traffic in (smallest, strangers, quotes, spoiled, one_trade, mixed, long_trades)
    for line in FORMS
    # a trade takes the machine six cycles, on the wide bus more than its bytes do
    if (traffic, line) != (long_trades, Line.WIDE)
]
each_line = pytest.mark.parametrize(
    ("traffic", "line"), LINES, ids=lambda value: value.name if isinstance(value, Line) else value.__name__
)


def fill(line: Line, traffic: Traffic, count: int) -> SideBySide:
    """So many frames without a pause, and what became of them; then quotes that must still be decided."""
    pair = SideBySide(line.bus_bytes, line=line, backlog=NEVER_WAIT)
    pair.control("EngineRow", rateInterval=RATE_INTERVAL_NS, rateTolerance=62 * RATE_INTERVAL_NS, lease=1 << 55)
    pair.fill_the_line([traffic(pair, number) for number in range(count)])
    assert pair.differences(log_may_miss_steps=True) == []
    before = pair.triggers
    pair.push([pair.quote(1), *pair.probe()], step_ns=1_000_000)
    assert pair.differences(log_may_miss_steps=True) == []
    assert pair.triggers > before
    return pair


@each_line
def test_a_full_line(traffic: Traffic, line: Line) -> None:
    fill(line, traffic, 500)


@pytest.mark.long
@each_line
def test_a_line_that_is_full_for_long(traffic: Traffic, line: Line) -> None:
    fill(line, traffic, 40_000)


@pytest.mark.parametrize("line", FORMS)
def test_quotes_make_triggers_at_the_full_rate(line: Line) -> None:
    pair = fill(line, quotes, 1_000)
    duration = line.cycles_of(1_000 * 132) * line.cycle_ns
    assert pair.triggers >= min(500, 60 + duration // RATE_INTERVAL_NS)


@pytest.mark.parametrize("line", FORMS)
def test_a_burst_of_long_datagrams_of_trades(line: Line) -> None:
    pair = SideBySide(line.bus_bytes, line=line)
    for _ in range(20):
        pair.fill_the_line([LONG_TRADES] * 6)
        assert pair.differences() == []


@pytest.mark.parametrize("line", FORMS)
def test_a_burst_that_the_log_has_room_for_is_logged_whole(line: Line) -> None:
    pair = SideBySide(line.bus_bytes, line=line, backlog=NEVER_WAIT)
    for traffic in (smallest, quotes, mixed):
        pair.fill_the_line([traffic(pair, number) for number in range(100)])
        assert pair.differences() == []
