"""Formats of packets are read from schemas, and refused where the dispatcher cannot follow them.

What it makes of packets is shown with the feeds: ``tests/hdl/feeds/test_order_packets.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

pytest.importorskip("amaranth", reason="the fpga extra is not installed: make test installs it")

from amaranth.sim import Simulator

from hdl.parameters import CoreParameters
from hdl.sbe.packet import PacketDispatcher
from hdl.sbe.packet_format import PacketFormat, packet_format
from hdl.sbe.places import Place
from hdl.sbe.slots import slots_of
from market.errors import Fatal
from market.fastpath.conformance import packet_builder as wire
from market.wire.sbe import load_schema
from market.wire.schemas import BINANCE_STREAM, COINBASE_DERIVATIVES, DERIBIT_MULTICAST, DERIBIT_STARBASE

both_buses = pytest.mark.parametrize("bus_bytes", [8, 1])
DELETE = {"order": "orderId", "wire": "instrumentId"}


def starbase(messages: Mapping[str, tuple[tuple[str, ...], Mapping[str, str]]]) -> PacketFormat:
    return packet_format(load_schema(DERIBIT_STARBASE), {"number": "seqNum"}, {"flags": "flags"}, messages)


def coinbase(messages: Mapping[str, tuple[tuple[str, ...], Mapping[str, str]]]) -> PacketFormat:
    return packet_format(load_schema(COINBASE_DERIVATIVES), {}, {}, messages)


def test_a_format_has_places_and_lengths_from_its_schema() -> None:
    form = starbase({"delete": (("BidDelete", "AskDelete"), DELETE)})
    (message,) = form.messages
    assert (form.packet_words, form.message_words, form.count.offset) == (3, 4, 22)
    assert (message.templates, message.size, message.block_length, message.words) == ((24, 25), 32, 16, 4)
    assert message.places == {"order": Place("order", 16, 8, True), "wire": Place("wire", 24, 8, True)}
    assert form.header == {"flags": Place("flags", 6, 2)}


@both_buses
def test_a_message_is_told_of_one_cycle_after_its_last_byte(bus_bytes: int) -> None:
    form = starbase({"delete": (("BidDelete", "AskDelete"), DELETE), "put": (("BidPut",), {"wire": "instrumentId"})})
    payload = wire.starbase_packet(1, [wire.starbase_delete(11, 5, False), wire.starbase_delete(12, 6, True)])
    dispatcher = PacketDispatcher(CoreParameters(bus_bytes=bus_bytes), [form])
    told: list[tuple[int, ...]] = []

    async def bench(ctx: Any) -> None:
        bus, fields, meaning = dispatcher.payload, dispatcher.fields, dispatcher.meaning
        for start in range(0, len(payload), bus_bytes):
            ctx.set(bus.valid, 1)
            ctx.set(bus.first, start == 0)
            ctx.set(bus.last, start + bus_bytes == len(payload))
            ctx.set(bus.count, bus_bytes)
            ctx.set(bus.data, int.from_bytes(payload[start : start + bus_bytes], "little"))
            await ctx.tick()
            if ctx.get(dispatcher.message):
                end = start + bus_bytes
                told.append((end, ctx.get(fields.order), ctx.get(fields.wire), ctx.get(meaning.delete)))
                assert not ctx.get(meaning.put)
        ctx.set(bus.valid, 0)
        await ctx.tick()
        assert ctx.get(dispatcher.whole)

    simulator = Simulator(dispatcher)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    assert told == [(56, 11, 5, 1), (88, 12, 6, 1)]


REFUSED: Mapping[str, tuple[str, Callable[[], object]]] = {
    "without packets": ("must begin at multiples", lambda: packet_format(load_schema(BINANCE_STREAM), {}, {}, {})),
    "unaligned": ("must begin at multiples", lambda: packet_format(load_schema(DERIBIT_MULTICAST), {}, {}, {})),
    "a field behind the first word": (
        "in the first 8 bytes",
        lambda: packet_format(load_schema(DERIBIT_STARBASE), {}, {"time": "transactTime"}, {}),
    ),
    "one meaning, two layouts": (
        "laid out differently",
        lambda: starbase({"gone": (("BidDelete", "BidQtyReduced"), DELETE)}),
    ),
    "a field in two words": (
        "lies in two words",
        lambda: slots_of([coinbase({"reject": (("RetransmitReject",), {"delay": "retryDelayNanos"})})]),
    ),
    "one name, two places": (
        "in different bytes of a word",
        lambda: slots_of(
            [
                coinbase(
                    {
                        "put": (("OrderPut",), {"number": "quantity"}),
                        "delete": (("OrderDelete",), {"number": "instrHeader.instrumentId"}),
                    }
                )
            ]
        ),
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_the_dispatcher_cannot_follow_is_refused(case: str) -> None:
    text, build = REFUSED[case]
    with pytest.raises(Fatal, match=text):
        build()
