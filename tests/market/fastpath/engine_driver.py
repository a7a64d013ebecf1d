"""Drives a CPU engine by named messages: numbers the control messages, decodes what comes out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from market.fastpath import state
from market.fastpath.engine import CpuEngine
from market.fastpath.layout import SCHEMA
from market.fastpath.specification import DEFAULT_SIZES, EngineSizes, Kind
from market.wire.sbe import Decoded, decode, encode

SECOND = 1_000_000_000
UNIT = 1_000_000_000
"""Price or quantity 1 in an instrument of exponents -9, -9."""
ALL_KINDS = Kind.ARB.mask | Kind.BASIS.mask | Kind.IMBALANCE.mask
INSTRUMENT: Mapping[str, Any] = {
    "instrument": 0,
    "enabled": 1,
    "kinds": ALL_KINDS,
    "basisShift": 10,
    "imbalanceThreshold": 32_767,
    "minimumEdge": 5 * UNIT,
    "basisThreshold": 37 * UNIT,
    "basisInterval": 10_000_000,
    "maximumSpread": UNIT,
    "minimumQuantity": 1,
    "maximumQuantity": 4 * UNIT // 10,
    "priceLow": 1,
    "priceHigh": 200_000 * UNIT,
    "maximumNotionalLow": (1 << 64) - 1,
    "maximumNotionalHigh": (1 << 32) - 1,
    "basisWarmUp": 1,
    "cooldown": 0,
    "positionLimit": 100_000 * UNIT,
}
VENUE: Mapping[str, Any] = {"venue": 0, "enabled": 1, "fee": 0, "maximumAge": SECOND, "maximumSilence": SECOND}
ENGINE: Mapping[str, Any] = {"rateInterval": 2_048, "rateTolerance": 62 * 2_048, "lease": 10 * SECOND}


def control_message(name: str, sequence: int, **fields: Any) -> bytes:
    """One control message with its header."""
    return encode(SCHEMA, name, {"sequence": sequence, **fields})


class Driver:
    """An engine, the next control number, the time of the next step and a sequence for quotes."""

    def __init__(self, sizes: EngineSizes = DEFAULT_SIZES, *, event_log: bool = False, now: int = SECOND) -> None:
        self.engine = CpuEngine(sizes, event_log=event_log)
        self.sizes = sizes
        self.next_control = 1
        self.now = now
        self.quote_sequence = 0

    def outputs(self, name: str) -> list[dict[str, Any]]:
        """Drain the engine; the fields of the messages with that name, in order."""
        return [message.values for message in self.decoded() if message.name == name]

    def decoded(self) -> list[Decoded]:
        return [decode(SCHEMA, payload) for payload in self.engine.outputs()]

    def send(self, name: str, **fields: Any) -> dict[str, Any]:
        """The next control message; its acknowledgement."""
        message = control_message(name, self.next_control, **fields)
        self.next_control += 1
        return self.send_bytes(message)

    def send_bytes(self, message: bytes) -> dict[str, Any]:
        self.engine.outputs()
        self.engine.control(message, self.now)
        (acknowledge,) = self.outputs("Acknowledge")
        return acknowledge

    def apply(self, name: str, **fields: Any) -> None:
        """The next control message, which must be applied."""
        acknowledge = self.send(name, **fields)
        assert acknowledge["result"] == 0, acknowledge

    def write_engine(self, **changes: Any) -> None:
        self.apply("EngineRow", **{**ENGINE, **changes})

    def write_venue(self, venue: int, **changes: Any) -> None:
        self.apply("VenueRow", **{**VENUE, "venue": venue, **changes})

    def write_scaling(self, instrument: int, venue: int, **changes: Any) -> None:
        row = {"priceExponent": -9, "quantityExponent": -9, "priceShift": 0, "quantityShift": 0}
        self.apply("ScalingRow", **{**row, "instrument": instrument, "venue": venue, **changes})

    def instrument_row(self, leads: Mapping[int, int] | None = None, /, **changes: Any) -> dict[str, Any]:
        """Fields of an instrument row; ``leads`` maps a venue to the mask of the venues that it leads."""
        masks = [{"mask": (leads or {}).get(venue, 0)} for venue in range(self.sizes.venues)]
        return {**INSTRUMENT, "leads": masks, **changes}

    def write_instrument(self, leads: Mapping[int, int] | None = None, /, **changes: Any) -> None:
        self.apply("InstrumentRow", **self.instrument_row(leads, **changes))

    def set_up(self, *, instruments: int = 1, arm: bool = True, **changes: Any) -> None:
        """All venues on, exponents -9, wide limits, and (unless told otherwise) armed."""
        self.apply("Hello", epoch=7)
        self.write_engine()
        for venue in range(self.sizes.venues):
            self.write_venue(venue)
            for instrument in range(instruments):
                self.write_scaling(instrument, venue)
        for instrument in range(instruments):
            self.write_instrument(instrument=instrument, **changes)
        if arm:
            self.arm()

    def arm(self) -> None:
        """A heartbeat for the lease, and the kill cleared."""
        self.engine.outputs()
        self.engine.control(control_message("Heartbeat", self.next_control), self.now)
        (status,) = self.outputs("Status")
        self.next_control += 1
        self.apply("Rearm", statusNumber=status["number"])

    def status(self) -> dict[str, Any]:
        """A status on request."""
        self.engine.outputs()
        self.engine.control(control_message("StatusRequest", self.next_control), self.now)
        self.next_control += 1
        (status,) = self.outputs("Status")
        return status

    def event(self, venue: int, bid: int, ask: int, bid_quantity: int, ask_quantity: int, **changes: int) -> list[int]:
        """The row of a quote event, at the driver's time unless ``changes`` says otherwise."""
        self.quote_sequence += 1
        row = {
            "instrument": 0,
            "venue": venue,
            "price_exponent": -9,
            "quantity_exponent": -9,
            "sequence": self.quote_sequence,
            "bid": bid,
            "bid_quantity": bid_quantity,
            "ask": ask,
            "ask_quantity": ask_quantity,
            "time": self.now,
        }
        assert changes.keys() <= row.keys()
        return list({**row, **changes}.values())

    def quote(
        self, venue: int, bid: int, ask: int, bid_quantity: int = UNIT, ask_quantity: int = UNIT, **changes: int
    ) -> list[dict[str, Any]]:
        """Feed a quote event; the triggers that came of it."""
        self.engine.outputs()
        row = self.event(venue, bid, ask, bid_quantity, ask_quantity, **changes)
        self.engine.push_quotes(np.array([row], dtype=np.int64))
        return self.outputs("Trigger")

    def count(self, name: str) -> int:
        return self.engine.counters[name]


def basis_of(driver: Driver, first: int, second: int) -> tuple[int, int]:
    """B and the number of samples of a pair of instrument 0."""
    words = driver.engine.state
    pairs = int(words[state.INSTRUMENT_ROWS] + words[state.BASIS_PAIRS]) // state.WORD
    at = pairs + (first * driver.sizes.venues + second) * state.BASIS_WORDS
    return int(words[at + state.BASIS]), int(words[at + state.SAMPLES])


def refusal_of(driver: Driver, name: str, **fields: Any) -> int:
    """Send the next control message; its refusal, after which no table and no limit has changed."""
    before = driver.engine.state.copy()
    acknowledge = driver.send(name, **fields)
    if acknowledge["refusal"]:
        rows = int(before[state.VENUE_ROWS]) // state.WORD
        end = int(before[state.OUTPUT]) // state.WORD
        assert (driver.engine.state[rows:end] == before[rows:end]).all()
        assert (driver.engine.state[state.ARMED : state.CONTROL_LAST] == before[state.ARMED : state.CONTROL_LAST]).all()
    return int(acknowledge["refusal"])
