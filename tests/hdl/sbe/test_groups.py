"""The group extractor gives out every entry of every group, of any length, on both buses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("amaranth", reason="the fpga extra is not installed: make test installs it")

from hdl.sbe.formats import DEPTH_FIELDS, DEPTH_GROUPS
from hdl.sbe.groups import GroupExtractor
from hdl.sbe.sections import sections_of
from market.errors import Fatal, Rejected
from market.wire.binance_sbe import ASKS, BIDS, decode_messages, new_batch
from market.wire.binary import BinaryReject, pack
from market.wire.sbe import Schema, decode, encode, load_schema
from market.wire.schemas import BINANCE_STREAM, DERIBIT_STARBASE
from tests.hdl.sbe.group_bench import Bench, Taken
from tests.market.wire.sbe.sample import random_values
from tests.market.wire.sbe.test_binance_vectors import DEPTH_DIFF, TRADES

SCHEMA = load_schema(BINANCE_STREAM)
DEPTH = "DepthDiffStreamEvent"
both_buses = pytest.mark.parametrize("bus_bytes", [8, 1])


def depth_messages(seed: int, count: int, most: int) -> list[bytes]:
    random = np.random.default_rng(seed)
    return [encode(SCHEMA, DEPTH, random_values(SCHEMA.message(DEPTH), random, most)) for _ in range(count)]


def take_depth(bus_bytes: int, messages: list[bytes], idle: float = 0.1) -> list[Taken]:
    extractor = GroupExtractor(SCHEMA, DEPTH, DEPTH_FIELDS, DEPTH_GROUPS, bus_bytes=bus_bytes)
    return Bench(extractor, bus_bytes, dict(DEPTH_GROUPS), seed=1).run(messages, DEPTH_FIELDS, idle)


def assert_as_the_compiled_decoder_reads(messages: list[bytes], taken: list[Taken]) -> None:
    """Root fields and levels of each message, and the symbol's length behind them."""
    batch = new_batch(len(messages), 5000)
    buffer, bounds = pack(messages)
    assert decode_messages(buffer, bounds, batch) == len(messages)
    on_wire = list(SCHEMA.message(DEPTH).fields)
    for message, row, one in zip(messages, batch.rows.tolist(), taken, strict=True):
        assert row[0] == BinaryReject.NONE
        fields, (bid, bids, ask, asks) = row[6 : 6 + len(on_wire)], row[6 + len(on_wire) :][:4]
        assert one.matched
        assert one.fields == {name: dict(zip(on_wire, fields, strict=True))[name] for name in DEPTH_FIELDS}
        for name, slot, first, count in (("bids", BIDS, bid, bids), ("asks", ASKS, ask, asks)):
            levels = batch.entries[slot][first : first + count].tolist()
            assert [[level["price"], level["qty"]] for level in one.entries[name]] == levels
        behind = 42 + 16 * (bids + asks)
        assert one.tail == (message[behind], behind)


@both_buses
def test_a_published_depth_update(bus_bytes: int) -> None:
    taken = take_depth(bus_bytes, [DEPTH_DIFF, TRADES, DEPTH_DIFF])
    assert_as_the_compiled_decoder_reads([DEPTH_DIFF, DEPTH_DIFF], [taken[0], taken[2]])
    other = taken[1]
    assert (other.matched, other.tail, other.entries) == (False, None, {"bids": [], "asks": []})


@both_buses
def test_random_depth_updates(bus_bytes: int) -> None:
    messages = depth_messages(2, 10 * bus_bytes, 6)
    assert_as_the_compiled_decoder_reads(messages, take_depth(bus_bytes, messages))


@both_buses
@pytest.mark.parametrize(("bids", "asks"), [(0, 0), (0, 1), (1, 0), (1, 1), (0, 3), (3, 0)])
def test_empty_sides(bus_bytes: int, bids: int, asks: int) -> None:
    random = np.random.default_rng(3)
    layout = SCHEMA.message(DEPTH)
    values = random_values(layout, random, 0)
    for name, count in (("bids", bids), ("asks", asks)):
        values[name] = [random_values(layout.groups[name], random) for _ in range(count)]
    messages = [encode(SCHEMA, DEPTH, values)] * 2
    assert_as_the_compiled_decoder_reads(messages, take_depth(bus_bytes, messages))


@both_buses
def test_a_level_is_there_one_cycle_after_its_last_byte(bus_bytes: int) -> None:
    (taken,) = take_depth(bus_bytes, [DEPTH_DIFF], idle=0.3)
    ends = {"bids": [38 + 16, 38 + 32], "asks": [38 + 32 + 4 + 16]}
    for name, cycles in taken.entry_cycles.items():
        assert cycles == [taken.beat_cycles[(end - 1) // bus_bytes] + 1 for end in ends[name]]


@both_buses
@pytest.mark.parametrize(("at", "value"), [(34, 15), (34, 17), (35, 1), (37, 1), (0, 27), (2, 18), (4, 2), (6, 1)])
def test_entries_of_another_length_or_header_are_not_given_out(bus_bytes: int, at: int, value: int) -> None:
    spoiled = DEPTH_DIFF[:at] + bytes([value]) + DEPTH_DIFF[at + 1 :]
    (taken,) = take_depth(bus_bytes, [spoiled])
    assert (taken.tail, taken.entries) == (None, {"bids": [], "asks": []})


@both_buses
@pytest.mark.parametrize("cut", [9, 37, 40, 69, 71, 89])
def test_a_message_cut_off_leaves_nothing_behind(bus_bytes: int, cut: int) -> None:
    taken = take_depth(bus_bytes, [DEPTH_DIFF[:cut], DEPTH_DIFF])
    assert taken[0].tail is None or cut % 8
    assert_as_the_compiled_decoder_reads([DEPTH_DIFF], taken[1:])


ENTRY_FIELDS = {"int8": 1, "int16": 2, "int32": 4, "int64": 8, "uint8": 1, "uint16": 2, "uint32": 4}


def schema_of(folder: Path, root: list[str], entries: list[list[str]]) -> Schema:
    """A schema with one message ``M`` of the given primitive types, and groups ``g0``, ``g1`` ... of others."""

    def fields(types: list[str]) -> str:
        return "".join(f'<field name="f{index}" id="{index}" type="{kind}"/>' for index, kind in enumerate(types))

    text = BINANCE_STREAM.read_text(encoding="utf-8").split("<sbe:message name")[0]
    groups = "".join(
        f'<group name="g{index}" id="{100 + index}" dimensionType="levelDimension">{fields(types)}</group>'
        for index, types in enumerate(entries)
    )
    path = folder / "made.xml"
    body = f'<sbe:message name="M" id="7">{fields(root)}{groups}</sbe:message></sbe:messageSchema>'
    path.write_text(text + body, encoding="utf-8")
    return load_schema(path)


def types_of(random: np.random.Generator, least: int, most: int) -> list[str]:
    """Random types that make a block of at least so many bytes."""
    found: list[str] = []
    while sum(ENTRY_FIELDS[kind] for kind in found) < least:
        found.append(str(random.choice(list(ENTRY_FIELDS))))
    return found[:most]


@both_buses
@pytest.mark.parametrize("seed", range(8))
def test_groups_of_any_length(bus_bytes: int, seed: int, tmp_path: Path) -> None:
    random = np.random.default_rng(seed)
    types = [types_of(random, 9, 20) for _ in range(2 if bus_bytes == 1 else 1)]
    schema = schema_of(tmp_path, types_of(random, 1, 6), types)
    layout = schema.message("M")
    root = tuple(layout.fields)
    groups = {name: tuple(group.fields) for name, group in layout.groups.items()}
    extractor = GroupExtractor(schema, "M", root, groups, bus_bytes=bus_bytes)
    messages = [encode(schema, "M", random_values(layout, random, 9)) for _ in range(2 + bus_bytes)]
    found = Bench(extractor, bus_bytes, dict(groups), seed).run([message + b"tail" for message in messages], root)
    for message, taken in zip(messages, found, strict=True):
        assert_equal(decode(schema, message), taken)
        assert taken.tail == (ord("t"), len(message))


def assert_equal(decoded: Any, taken: Taken) -> None:
    assert taken.fields == decoded.fields
    assert taken.entries == decoded.groups


def test_sections_that_could_end_two_in_a_beat_are_refused(tmp_path: Path) -> None:
    schema = schema_of(tmp_path, ["int64"], [["int8", "int32"]])
    with pytest.raises(Fatal, match="g0_entry has 5 bytes: two may end in one beat of 8 bytes"):
        sections_of(schema, "M", ("f0",), {"g0": ("f1",)}, 8)
    assert len(sections_of(schema, "M", ("f0",), {"g0": ("f1",)}, 1)) == 2


def test_all_groups_of_a_message_must_be_named() -> None:
    with pytest.raises(Fatal, match=r"expected \['bids', 'asks'\]"):
        sections_of(SCHEMA, DEPTH, (), {"bids": ("price",)}, 8)


def test_a_field_that_the_schema_lacks_or_that_is_text_is_refused() -> None:
    with pytest.raises(Rejected, match="field 'colour' is not in"):
        sections_of(SCHEMA, DEPTH, ("colour",), DEPTH_GROUPS, 8)
    starbase = load_schema(DERIBIT_STARBASE)
    with pytest.raises(Rejected, match="has 128 bytes"):
        sections_of(starbase, "InstrumentDefinition", ("name",), {"largeTickSizes": (), "legs": ()}, 8)
