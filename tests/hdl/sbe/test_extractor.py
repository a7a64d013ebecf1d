"""The message extractor takes any fields of any message's root block, on both buses."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("amaranth", reason="the fpga extra is not installed: make test installs it")

from amaranth.sim import Simulator

from hdl.sbe.extractor import MessageExtractor, header_pattern
from hdl.sbe.places import Place, in_order, root_places
from market.errors import Fatal
from market.wire.sbe import Schema, decode, encode, load_schema
from market.wire.schemas import BINANCE_STREAM, COINBASE_DERIVATIVES, DERIBIT_MULTICAST, DERIBIT_STARBASE
from tests.hdl.sbe.bus import beats_of
from tests.market.wire.sbe.sample import bits_of, random_leaf, random_values

both_buses = pytest.mark.parametrize("bus_bytes", [8, 1])
MESSAGES = [
    (BINANCE_STREAM, "BestBidAskStreamEvent"),
    (BINANCE_STREAM, "DepthDiffStreamEvent"),
    (COINBASE_DERIVATIVES, "OrderPut"),
    (COINBASE_DERIVATIVES, "OrderSnapshot"),
    (DERIBIT_STARBASE, "TradeSummary"),
    (DERIBIT_MULTICAST, "Ticker"),
]


def run(
    extractor: MessageExtractor, bus_bytes: int, messages: Sequence[bytes], seed: int, beats: list[int] | None = None
) -> list[dict[str, int]]:
    """The fields at ``loaded`` of each message; an empty mapping where it did not come.

    ``beats`` is given how many beats of each message were on the bus before ``loaded``. What an extractor sees ahead is
    the message's next bytes, and noise behind its end.
    """
    random, found = np.random.default_rng(seed), []
    names = list(extractor.fields.shape().members)
    ahead = getattr(extractor, "ahead", None)

    async def bench(ctx: Any) -> None:
        for message in messages:
            loaded: dict[str, int] = {}
            passed = 0
            for beat in [*beats_of(message, bus_bytes, random), None]:
                is_beat = beat is not None and beat.count > 0
                passed += is_beat
                ctx.set(extractor.valid, is_beat)
                if ahead is not None:
                    behind = message[passed * bus_bytes :] + random.bytes(len(ahead) // 8)
                    ctx.set(ahead, int.from_bytes(behind[: len(ahead) // 8], "little"))
                ctx.set(extractor.start, beat is not None and beat.first)
                ctx.set(extractor.data, beat.data if beat else 0)
                await ctx.tick()
                if ctx.get(extractor.loaded):
                    assert not loaded
                    assert ctx.get(extractor.matched)
                    loaded = {name: ctx.get(extractor.fields[name]) for name in names}
                    if beats is not None:
                        beats.append(passed)
            found.append(loaded)

    simulator = Simulator(extractor)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return found


def random_message(schema: Schema, name: str, random: np.random.Generator) -> bytes:
    """A message with random fields, those of its header included that its schema does not fix."""
    members = {key: leaf for key, leaf in schema.header.fields.items() if key not in ("version", "blockLength")}
    extra = {key: random_leaf(leaf, random) for key, leaf in members.items()}
    return encode(schema, name, random_values(schema.message(name), random), extra)


def numbers(schema: Schema, message: bytes, names: Sequence[str]) -> dict[str, int]:
    """Fields as the schema's own decoder reads them."""
    decoded = decode(schema, message)
    leaves = decoded.layout.fields
    return {name.replace(".", "_"): bits_of(leaves[name], decoded.fields[name]) for name in names}


@both_buses
@pytest.mark.parametrize(("path", "name"), MESSAGES, ids=[name for _, name in MESSAGES])
def test_any_fields_of_a_message(bus_bytes: int, path: Path, name: str) -> None:
    schema, random = load_schema(path), np.random.default_rng(len(name))
    layout = schema.message(name)
    scalars = [key for key, leaf in layout.fields.items() if 0 < leaf.size <= 8 and leaf.array_length == 1]
    for count in (1, len(scalars) // 2, len(scalars)):
        chosen = [str(key) for key in random.permutation(scalars)[: max(1, count)]]
        messages = [random_message(schema, name, random) for _ in range(3)]
        extractor = MessageExtractor(schema, name, chosen, bus_bytes=bus_bytes)
        found = run(extractor, bus_bytes, messages, count)
        for message, taken in zip(messages, found, strict=True):
            expected = numbers(schema, message, chosen)
            assert {key: value - (1 << 64) if value >= 1 << 63 else value for key, value in taken.items()} == expected


@pytest.mark.parametrize("bits", [24, 31, 32, 40])
def test_of_a_number_all_that_matters_is_kept_in_two_bits_more(bits: int) -> None:
    schema, name = load_schema(BINANCE_STREAM), "BestBidAskStreamEvent"
    fields = ("bidPrice", "bidQty", "askPrice", "askQty")
    random, most = np.random.default_rng(bits), 1 << bits
    numbers = [0, 1, most - 1, most, most << 1, (1 << 63) - 1, -1, -most, -(most << 1), -(1 << 63), most << 8 | 5]
    numbers += [int(number) >> int(shift) for number in random.integers(-(1 << 63), 1 << 63, 12) for shift in (0, 24)]
    values = [random_values(schema.message(name), random) | dict.fromkeys(fields, number) for number in numbers]
    extractor = MessageExtractor(schema, name, fields, bus_bytes=8, narrow=dict.fromkeys(fields, bits))
    found = run(extractor, 8, [encode(schema, name, each) for each in values], bits)
    for number, taken in zip(numbers, found, strict=True):
        for kept in taken.values():
            assert 0 <= kept < most << 2
            signed = kept - (most << 2) if kept >= most << 1 else kept
            if 0 <= number < most:
                assert signed == number
            else:
                assert (signed < 0) == (number < 0)
                assert signed >= most or number < 0


@pytest.mark.parametrize("bits", [None, 32, 63])
def test_what_is_seen_ahead_is_not_waited_for(bits: int | None) -> None:
    schema, name, random = load_schema(BINANCE_STREAM), "BestBidAskStreamEvent", np.random.default_rng(3)
    fields = ("bidPrice", "askQty")
    narrow = None if bits is None else dict.fromkeys(fields, bits)
    messages = [random_message(schema, name, random) for _ in range(20)]
    seen, beats = [], []
    for ahead_bytes in (0, 2):
        extractor = MessageExtractor(schema, name, fields, bus_bytes=8, narrow=narrow, ahead_bytes=ahead_bytes)
        passed: list[int] = []
        seen.append(run(extractor, 8, messages, 7, passed))
        beats.append(set(passed))
    assert seen[0] == seen[1]
    assert beats == [{8}, {7}], "the ask quantity ends in the second byte of the eighth beat"


@both_buses
def test_other_messages_are_not_loaded(bus_bytes: int) -> None:
    schema, random = load_schema(BINANCE_STREAM), np.random.default_rng(1)
    name = "BestBidAskStreamEvent"
    messages = [encode(schema, other, random_values(layout, random, 3)) for other, layout in schema.messages.items()]
    quote = messages[list(schema.messages).index(name)]
    messages += [quote[:at] + bytes([quote[at] ^ 1]) + quote[at + 1 :] for at in range(8)]
    messages.append(quote)
    found = run(MessageExtractor(schema, name, ["askPrice"], bus_bytes=bus_bytes), bus_bytes, messages, 2)
    assert [bool(taken) for taken in found] == [message == quote for message in messages]


def test_the_header_pattern_is_what_the_encoder_writes() -> None:
    schema, random = load_schema(BINANCE_STREAM), np.random.default_rng(1)
    for name, layout in schema.messages.items():
        header = encode(schema, name, random_values(layout, random))[: schema.header.size]
        assert header_pattern(schema, name) == dict(enumerate(header))
        template = header_pattern(schema, name, ("templateId",))
        assert template == {2: header[2], 3: header[3]}


def test_fields_that_overlap_are_refused() -> None:
    places = (Place("whole", 0, 8), Place("part", 4, 2))
    with pytest.raises(Fatal, match="'whole' and 'part' overlap"):
        in_order(places)


def test_places_count_from_the_header() -> None:
    (place,) = root_places(load_schema(BINANCE_STREAM), "BestBidAskStreamEvent", ["askQty"])
    assert (place.offset, place.size, place.is_signed, place.end) == (50, 8, True, 58)
