"""Builds one directed case: a script of inputs whose expected outputs the reference makes as it goes.

Without words to the contrary a scenario has fees of 0, exponents of -9, k of 0, prices around 1,000, a minimum edge of
5, a basis threshold of 100, an imbalance threshold of one half, generous limits, and no kind switched on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from market.fastpath.conformance.case import SCHEMA, Case, Control, Input, Quote, RawControl, Step, Trade
from market.fastpath.conformance.rules import Rule
from market.fastpath.conformance.runner import end_of, feed, has_frames
from market.fastpath.reference import ReferenceEngine
from market.fastpath.specification import EngineSizes, Kind
from market.wire.sbe import decode

START_NS = 1_000_000_000
ALL_KINDS = tuple(Kind)
PLENTY_NS = 1_000_000_000_000

TWO_VENUES = EngineSizes(venues=2, instruments=1)
THREE_VENUES = EngineSizes(venues=3, instruments=1)


class Scenario:
    """A case in the making; ``now`` is the time of the next input, ns."""

    def __init__(self, name: str, about: str, *rules: Rule, sizes: EngineSizes = TWO_VENUES) -> None:
        self.name, self.about, self.rules, self.sizes = name, about, rules, sizes
        self.now = START_NS
        self.engine = ReferenceEngine(sizes)
        self.steps: list[Step] = []
        self._log: list[bytes] = []
        self._quote_sequence = 0

    def give(self, given: Input) -> list[dict[str, Any]]:
        """Feed one input; the decoded outputs, each with its message's name under ``message``."""
        feed(self.engine, given, self.now)
        outputs = self.engine.outputs()
        self._log += self.engine.event_log()
        self.steps.append(Step(self.now, given, tuple(outputs)))
        decoded = [decode(SCHEMA, payload) for payload in outputs]
        return [{"message": each.name, **each.fields} for each in decoded]

    def case(self) -> Case:
        """The finished case."""
        end = end_of(self.engine, self._log, has_frames(self.steps))
        return Case(self.name, self.about, self.rules, self.sizes, tuple(self.steps), end)

    # control

    def control(self, message: str, **fields: Any) -> None:
        """A control message with the expected sequence number, unless ``sequence`` says otherwise."""
        self.give(Control(message, {"sequence": self.engine.state.expected_sequence, **fields}))

    def raw(self, message: bytes) -> None:
        """A control message as bytes."""
        self.give(RawControl(message))

    def encoded(self, message: str, **fields: Any) -> bytearray:
        """The bytes of a control message with the expected sequence number, to be spoiled."""
        return bytearray(Control(message, {"sequence": self.engine.state.expected_sequence, **fields}).payload())

    def engine_row(self, rate_interval: int = 2_048, rate_tolerance: int = 0, lease: int = PLENTY_NS) -> None:
        """An engine row; the lease is long."""
        self.control("EngineRow", rateInterval=rate_interval, rateTolerance=rate_tolerance, lease=lease)

    def venue_row(self, venue: int, **changes: Any) -> None:
        """A venue row: enabled, free of fees, never too old; ``changes`` by the names of the schema."""
        fields = {"enabled": 1, "fee": 0, "maximumAge": PLENTY_NS, "maximumSilence": PLENTY_NS}
        self.control("VenueRow", venue=venue, **(fields | changes))

    def scaling_row(self, instrument: int, venue: int, **changes: Any) -> None:
        """A scaling row; ``changes`` by the names of the schema."""
        fields = {"priceExponent": -9, "quantityExponent": -9, "priceShift": 0, "quantityShift": 0}
        self.control("ScalingRow", instrument=instrument, venue=venue, **(fields | changes))

    def instrument_row(self, *kinds: Kind, **changes: Any) -> None:
        """``leads`` is a list of masks, one per venue; ``maximum_notional`` a number of 96 bits."""
        maximum_notional = changes.pop("maximum_notional", (1 << 96) - 1)
        leads = changes.pop("leads", [0] * self.sizes.venues)
        fields = {
            "instrument": 0,
            "enabled": 1,
            "kinds": sum(kind.mask for kind in kinds),
            "basisShift": 10,
            "imbalanceThreshold": 16_384,
            "minimumEdge": 5,
            "basisThreshold": 100,
            "basisInterval": 10_000_000,
            "maximumSpread": 100,
            "minimumQuantity": 1,
            "maximumQuantity": 100,
            "priceLow": 1,
            "priceHigh": 1_000_000,
            "maximumNotionalLow": maximum_notional & ((1 << 64) - 1),
            "maximumNotionalHigh": maximum_notional >> 64,
            "basisWarmUp": 1,
            "cooldown": 0,
            "positionLimit": 1_000_000,
            "leads": [{"mask": mask} for mask in leads],
        }
        self.control("InstrumentRow", **(fields | changes))

    def rearm(self) -> None:
        """Arm, naming the last status."""
        self.control("Rearm", statusNumber=self.engine.state.status_number)

    def set_position(self, venue: int, position: int, pending_buy: int = 0, pending_sell: int = 0) -> None:
        """Position and pendings of instrument 0, naming the last id."""
        self.control(
            "SetPosition",
            lastId=self.engine.state.last_id,
            instrument=0,
            venue=venue,
            position=position,
            pendingBuy=pending_buy,
            pendingSell=pending_sell,
        )

    def load_basis(self, first: int, second: int, doubled_mid_difference: int, **changes: Any) -> None:
        """A basis of a whole number of doubled mid price units, sampled now."""
        fields = {"instrument": 0, "samples": 10, "basis": doubled_mid_difference << 12, "sampleTime": self.now}
        self.control("LoadBasis", firstVenue=first, secondVenue=second, **(fields | changes))

    def set_up(
        self, *kinds: Kind, armed: bool = True, before_arming: Callable[[], object] | None = None, **row: Any
    ) -> None:
        """Tables for every venue, instrument 0 with the kinds on, a lease, and armed."""
        self.control("Hello", sequence=1, epoch=1)
        self.engine_row()
        for venue in range(self.sizes.venues):
            self.venue_row(venue)
            self.scaling_row(0, venue)
        self.instrument_row(*kinds, **row)
        if before_arming is not None:
            before_arming()
        self.control("Heartbeat")
        if armed:
            self.rearm()

    # events

    def quote(
        self, venue: int, bid: int, bid_quantity: int, ask: int, ask_quantity: int, **changes: Any
    ) -> list[dict[str, Any]]:
        """A quote of instrument 0 with the next sequence number; ``changes`` by the names of ``Quote``."""
        self._quote_sequence += 1
        fields = {
            "instrument": 0,
            "venue": venue,
            "price_exponent": -9,
            "quantity_exponent": -9,
            "sequence": self._quote_sequence,
            "bid_price": bid,
            "bid_quantity": bid_quantity,
            "ask_price": ask,
            "ask_quantity": ask_quantity,
        }
        return self.give(Quote(**(fields | changes)))

    def flat(self, venue: int, mid: int = 1_000) -> None:
        """A balanced quote two wide and ten deep: no condition of any kind by itself."""
        self.quote(venue, mid - 1, 10, mid + 1, 10)

    def trade(self, venue: int, aggressor: int, price: int, quantity: int, **changes: Any) -> None:
        """A trade of instrument 0; ``changes`` by the names of ``Trade``."""
        fields = {
            "instrument": 0,
            "venue": venue,
            "price_exponent": -9,
            "quantity_exponent": -9,
            "aggressor": int(aggressor),
            "price": price,
            "quantity": quantity,
        }
        self.give(Trade(**(fields | changes)))

    def wait(self, duration_ns: int) -> None:
        """Let time pass before the next input."""
        self.now += duration_ns
