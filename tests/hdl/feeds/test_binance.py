"""The Binance decoder says of every payload what the reference says, and gives the same events, on both buses."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

pytest.importorskip("amaranth", reason="the fpga extra is not installed: make test installs it")

from hdl.feeds.binance import BinanceDecoder
from hdl.parameters import CoreParameters
from hdl.toolchain.verilog import verilog_of
from market.fastpath.feeds.verdict import BAD, GOOD, SKIPPED
from market.fastpath.reference.binance import read_message
from market.wire.sbe import encode, load_schema
from market.wire.schemas import BINANCE_STREAM
from tests.hdl.feeds.binance_bench import QUOTE_FIELDS, TRADE_FIELDS, Bench, Said
from tests.market.wire.sbe.sample import mutated, random_values
from tests.market.wire.sbe.test_binance_vectors import BEST_BID_ASK, DEPTH_DIFF, TRADES

SCHEMA = load_schema(BINANCE_STREAM)
INSTRUMENT, VENUE = 3, 2
both_buses = pytest.mark.parametrize("bus_bytes", [8, 1])


def random_messages(seed: int, count: int, names: Sequence[str], entries: int = 3) -> list[bytes]:
    random = np.random.default_rng(seed)
    chosen = random.choice(list(names), count)
    return [encode(SCHEMA, name, random_values(SCHEMA.message(name), random, entries)) for name in chosen]


def assert_as_the_reference_says(payload: bytes, said: Said) -> None:
    message = read_message(payload, INSTRUMENT, VENUE)
    if message is None or message.skipped:
        assert said.verdict == (BAD if message is None else SKIPPED), payload.hex()
        assert said.trades == []
        return
    assert said.verdict == GOOD, payload.hex()
    fields = TRADE_FIELDS
    if said.is_quote:
        (quote,) = message.events
        assert said.quote == tuple(getattr(quote, name) for name in QUOTE_FIELDS)
        assert (said.trades, said.trade_count) == ([], 0)
        return
    assert said.quote is None
    assert said.trade_count == len(message.events)
    assert said.trades == [tuple(getattr(event, name) for name in fields) for event in message.events]


def run(bus_bytes: int, payloads: Sequence[bytes], seed: int) -> list[Said]:
    bench = Bench(bus_bytes, instrument=INSTRUMENT, venue=VENUE, seed=seed)
    said = bench.run(payloads)
    assert not bench.overrun
    for payload, one in zip(payloads, said, strict=True):
        assert_as_the_reference_says(payload, one)
    return said


@both_buses
def test_published_messages(bus_bytes: int) -> None:
    said = run(bus_bytes, [BEST_BID_ASK, DEPTH_DIFF, TRADES, BEST_BID_ASK], 1)
    assert [one.verdict for one in said] == [GOOD, SKIPPED, GOOD, GOOD]
    assert [one.is_quote for one in said] == [True, False, False, True]
    assert said[0].quote == said[3].quote
    assert len(said[2].trades) == 2


@both_buses
def test_the_latency_is_one_cycle(bus_bytes: int) -> None:
    (said,) = Bench(bus_bytes).run([BEST_BID_ASK], idle=0.3)
    header_ends, quantity_ends = said.beat_cycles[7 // bus_bytes], said.beat_cycles[57 // bus_bytes]
    assert said.quote_cycle == header_ends + 1
    assert said.loaded_cycles == [quantity_ends + 1]


@both_buses
def test_every_length_around_the_true_one_is_bad(bus_bytes: int) -> None:
    lengths = [0, 1, 7, 8, 9, 57, 58, 59, 60, 64, 65, 67, 72, 73]
    payloads = [(BEST_BID_ASK + bytes(20))[:length] for length in lengths]
    payloads += [(TRADES + bytes(20))[:length] for length in (18, 26, 31, 32, 33, 57, 58, 82, 83, 89, 91, 96)]
    said = run(bus_bytes, [BEST_BID_ASK, *payloads, TRADES], 2)
    assert [one.verdict for one in said] == [GOOD, *[BAD] * len(payloads), GOOD]


@both_buses
def test_symbols_of_any_length(bus_bytes: int) -> None:
    roots = [(BEST_BID_ASK[:58], 58), (TRADES[:82], 82), (TRADES[:28] + bytes(4), 32), (trades_of(1)[:57], 57)]
    payloads = []
    for root, _ in roots:
        for length in (0, 1, 2, 5, 6, 8):
            payloads += [root + bytes([length + error]) + b"S" * length for error in (0, 1)]
    payloads.append(BEST_BID_ASK[:58] + bytes([255]) + b"S" * 255)
    said = run(bus_bytes, payloads, 3)
    assert [one.verdict for one in said] == [GOOD, BAD] * 24 + [GOOD]


def trades_of(count: int, random: np.random.Generator | None = None) -> bytes:
    random = random or np.random.default_rng(4)
    layout = SCHEMA.message("TradesStreamEvent")
    values = random_values(layout, random, 0)
    values["trades"] = [random_values(layout.groups["trades"], random) for _ in range(count)]
    return encode(SCHEMA, layout.name, values)


@both_buses
def test_group_headers_that_do_not_fit_are_bad(bus_bytes: int) -> None:
    good = trades_of(2)
    payloads = []
    for at, value in ((26, 24), (26, 26), (27, 1), (28, 1), (28, 3), (28, 255), (29, 1), (30, 1), (31, 128)):
        spoiled = bytearray(good)
        spoiled[at] = value
        payloads.append(bytes(spoiled))
    said = run(bus_bytes, [*payloads, good], 5)
    assert [one.verdict for one in said] == [BAD] * len(payloads) + [GOOD]


@both_buses
def test_a_full_datagram_of_trades(bus_bytes: int) -> None:
    full = trades_of(57)
    bench = Bench(bus_bytes, instrument=INSTRUMENT, venue=VENUE)
    (said,) = bench.run([full], idle=0.0)
    assert len(said.trades) == 57
    assert_as_the_reference_says(full, said)


@both_buses
def test_whoever_bought_or_sold_is_read_from_one_byte(bus_bytes: int) -> None:
    payloads = [TRADES[:56] + bytes([flag]) + TRADES[57:] for flag in (0, 1, 2, 3, 128, 255)]
    said = run(bus_bytes, payloads, 6)
    assert [one.trades[0][4] for one in said] == [1, 2, 0, 0, 0, 0]


@both_buses
def test_trades_of_a_datagram_that_does_not_count_are_forgotten(bus_bytes: int) -> None:
    payloads = [trades_of(2, np.random.default_rng(seed)) for seed in range(3)]
    said = Bench(bus_bytes).run(payloads, accepts=[True, False, True])
    assert [len(one.trades) for one in said] == [2, 0, 2]
    assert [one.trade_count for one in said] == [2, 2, 2]


@both_buses
@pytest.mark.parametrize("length", [3, 8, 40, 58, 70, 82])
def test_a_datagram_that_breaks_off_leaves_nothing_behind(bus_bytes: int, length: int) -> None:
    payloads = [TRADES, TRADES[:length], TRADES, BEST_BID_ASK[:length], BEST_BID_ASK]
    said = Bench(bus_bytes, instrument=INSTRUMENT, venue=VENUE).run(payloads, broken_off=[1, 3])
    for index in (0, 2, 4):
        assert_as_the_reference_says(payloads[index], said[index])


@both_buses
def test_without_trades_their_datagrams_are_bad(bus_bytes: int) -> None:
    bench = Bench(bus_bytes, instrument=INSTRUMENT, venue=VENUE, trades=False)
    trades, quote, other = bench.run([TRADES, BEST_BID_ASK, DEPTH_DIFF])
    assert (trades.verdict, trades.trade_count) == (BAD, 0)
    assert other.verdict == SKIPPED
    assert_as_the_reference_says(BEST_BID_ASK, quote)


@both_buses
def test_random_messages(bus_bytes: int) -> None:
    messages = random_messages(7, 24 * bus_bytes, list(SCHEMA.messages))
    said = run(bus_bytes, messages, 8)
    assert {one.verdict for one in said} == {GOOD, SKIPPED}


@both_buses
def test_random_damage(bus_bytes: int) -> None:
    said = run(bus_bytes, damaged(9, 24 * bus_bytes), 10)
    assert {one.verdict for one in said} == {GOOD, BAD, SKIPPED}


@both_buses
def test_the_verilog_has_no_signal_without_bits(bus_bytes: int) -> None:
    text = verilog_of(BinanceDecoder(CoreParameters(bus_bytes=bus_bytes)), "decoder")
    assert "module decoder" in text
    assert "[-1:0]" not in text


@pytest.mark.long
@both_buses
def test_much_random_damage(bus_bytes: int) -> None:
    run(bus_bytes, damaged(11, 700 * bus_bytes), 12)


def damaged(seed: int, count: int) -> list[bytes]:
    random = np.random.default_rng(seed)
    names = ["BestBidAskStreamEvent", "TradesStreamEvent", "TradesStreamEvent", "DepthDiffStreamEvent"]
    return [mutated(message, random) for message in random_messages(seed + 1, count, names, 4)]
