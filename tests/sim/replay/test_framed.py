"""Events in frames make the triggers that the same events make alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from market.errors import Fatal, Rejected
from market.fastpath.engine import CpuEngine
from market.fastpath.layout import SCHEMA
from market.fastpath.specification import EngineSizes, Kind, Side
from market.wire.sbe import decode, encode
from sim.replay.arming import FIRST_SEQUENCE, arm
from sim.replay.framed import Framed, traded_pairs, with_channels
from sim.replay.session import SessionSettings

SIZES = EngineSizes(venues=2, instruments=1, channels=2)
DAY_NS = 86_400 * 10**9
START_NS = 10**18
SCALING = {"priceExponent": -2, "quantityExponent": -3, "priceShift": 0, "quantityShift": 0}
INSTRUMENT: dict[str, Any] = {
    "instrument": 0,
    "enabled": 1,
    "kinds": Kind.ARB.mask,
    "basisShift": 0,
    "imbalanceThreshold": 32_767,
    "minimumEdge": 1,
    "basisThreshold": 1,
    "basisInterval": 0,
    "basisWarmUp": 0,
    "maximumSpread": 0,
    "cooldown": 0,
    "minimumQuantity": 1,
    "maximumQuantity": 5,
    "priceLow": 1,
    "priceHigh": 1 << 40,
    "maximumNotionalLow": (1 << 64) - 1,
    "maximumNotionalHigh": 0,
    "positionLimit": 1 << 30,
    "leads": [{"mask": 0}] * SIZES.venues,
}


def settings_of(sizes: EngineSizes = SIZES) -> SessionSettings:
    venue = {"enabled": 1, "fee": 0, "maximumAge": DAY_NS, "maximumSilence": DAY_NS}
    rows: list[tuple[str, dict[str, Any]]] = [
        ("EngineRow", {"rateInterval": 2_048, "rateTolerance": 62 * 2_048, "lease": DAY_NS}),
        ("InstrumentRow", INSTRUMENT),
        *(("VenueRow", {"venue": number, **venue}) for number in range(2)),
        *(("ScalingRow", {"venue": number, "instrument": 0, **SCALING}) for number in range(2)),
    ]
    numbered = enumerate(rows, start=FIRST_SEQUENCE + 1)
    tables = tuple(encode(SCHEMA, name, {"sequence": number, **fields}) for number, (name, fields) in numbered)
    return SessionSettings(sources=(), tables=tables, sizes=sizes)


def framed_engine() -> tuple[Framed, CpuEngine]:
    settings = with_channels(settings_of())
    cpu = CpuEngine(SIZES, event_log=True)
    arm(cpu, settings.tables, START_NS)
    cpu.event_log()
    return Framed(cpu, traded_pairs(settings.tables)), cpu


def quotes() -> NDArray[np.int64]:
    """Two venues that cross and part again, five times."""
    rows = []
    for number in range(20):
        venue, crossed = number % 2, number // 2 % 2
        bid = 1_000 + 30 * crossed * venue
        rows.append((0, venue, -2, -3, number, bid, 7, bid + 2, 9, START_NS + 10**6 * number))
    return np.array(rows, dtype=np.int64)


def triggers(payloads: list[bytes]) -> list[bytes]:
    return [payload for payload in payloads if decode(SCHEMA, payload).name == "Trigger"]


def test_triggers_are_those_of_the_events() -> None:
    plain = CpuEngine(SIZES)
    arm(plain, settings_of().tables, START_NS)
    plain.push_quotes(quotes())
    framed, _ = framed_engine()
    framed.push_quotes(quotes())
    assert triggers(framed.outputs()) == triggers(plain.outputs())
    assert framed.counters["triggerArb"] == 5
    assert framed.parity == plain.parity


def test_every_event_is_an_accepted_frame() -> None:
    framed, cpu = framed_engine()
    framed.push_quotes(quotes())
    framed.trade(0, 1, -2, -3, Side.SELL, 1_000, 4, START_NS + DAY_NS)
    counted = decode(SCHEMA, framed.frame_counters()).fields
    assert (counted["frames"], counted["messages"]) == (21, 21)
    logged = [decode(SCHEMA, message).fields for message in framed.event_log()]
    assert [(step["kind"], step["channel"]) for step in logged] == [(1, number % 2) for number in range(20)] + [(1, 1)]
    assert framed.counters == cpu.counters
    assert framed.decision_hash == cpu.decision_hash


@pytest.mark.parametrize(
    ("aggressor", "volumes"),
    [(Side.BUY, (4, 0)), (Side.SELL, (0, 4)), (Side.NONE, (0, 0))],
    ids=lambda value: str(value),
)
def test_a_trade_keeps_its_aggressor(aggressor: Side, volumes: tuple[int, int]) -> None:
    framed, _ = framed_engine()
    framed.trade(0, 1, -2, -3, aggressor, 1_000, 4, START_NS + DAY_NS)
    (status,) = (message for message in (decode(SCHEMA, p) for p in framed.outputs()) if message.name == "Status")
    assert (status.fields["buyVolume"], status.fields["sellVolume"]) == volumes
    assert status.fields["tradeCount"] == 1


def test_an_event_without_a_channel_is_refused() -> None:
    framed, _ = framed_engine()
    with pytest.raises(Rejected, match="instrument 1, venue 0, which has no channel"):
        framed.trade(1, 0, -2, -3, Side.BUY, 1, 1, START_NS)


def test_more_pairs_than_channels_are_refused() -> None:
    with pytest.raises(Fatal, match="2 pairs"):
        with_channels(settings_of(EngineSizes(venues=2, instruments=1, channels=1)))
