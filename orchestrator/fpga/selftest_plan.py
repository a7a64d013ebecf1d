"""What the self-test writes into a board, the quotes that it sends, and the triggers that must come of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from market.errors import Rejected
from market.fastpath.specification import EngineSizes, Feed, Kind, Side
from market.receive.words import Endpoint
from market.wire.sbe import encode, load_schema
from market.wire.schemas import BINANCE_STREAM

EPOCH: Final = 0
"""Older than any that a gateway acts on."""
VENUES: Final = (0, 1)
PRICE_EXPONENT: Final = -2
QUANTITY_EXPONENT: Final = -3
LOW: Final = 10_000
HIGH: Final = 10_100
SPREAD: Final = 1
LEVEL: Final = 100
HEAVY: Final = 900
MAXIMUM_QUANTITY: Final = 500
_BINANCE: Final = load_schema(BINANCE_STREAM)
_MINUTE_NS: Final = 60 * 10**9
_RATE_INTERVAL_NS: Final = 2_048
_RATE_INTERVALS: Final = 62
_PRICE_HIGH: Final = 20_000
_POSITION_LIMIT: Final = 1 << 30

Row = tuple[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Expected:
    """A trigger: its kind, and its legs as (venue, side, price), the seller's first."""

    kind: Kind
    legs: tuple[tuple[int, Side, int], ...]


@dataclass(frozen=True, slots=True)
class Quote:
    """Best bid of a venue, in counts of the exponents, ``SPREAD`` below its best ask; and what it must cause."""

    venue: int
    bid: int
    bid_quantity: int = LEVEL
    ask_quantity: int = LEVEL
    expected: Expected | None = None

    def message(self, sequence: int) -> bytes:
        """As a Binance BestBidAsk message."""
        fields = {
            "eventTime": sequence,
            "bookUpdateId": sequence,
            "priceExponent": PRICE_EXPONENT,
            "qtyExponent": QUANTITY_EXPONENT,
            "bidPrice": self.bid,
            "bidQty": self.bid_quantity,
            "askPrice": self.bid + SPREAD,
            "askQty": self.ask_quantity,
            "symbol": "SELFTEST",
        }
        return encode(_BINANCE, "BestBidAskStreamEvent", fields)


@dataclass(frozen=True, slots=True)
class Places:
    """Where in a board's tables the test takes place: the last instrument, and the last two rows of channels.

    ``markets`` are the destinations of the two venues' quotes. Raises ``Rejected`` for a board that is too small.
    """

    sizes: EngineSizes
    markets: tuple[Endpoint, Endpoint]

    def __post_init__(self) -> None:
        if min(self.sizes.venues, self.sizes.channels) < len(VENUES):
            raise Rejected(
                f"a board of {self.sizes.venues} venues and {self.sizes.channels} channels; expected two of each"
            )

    @property
    def instrument(self) -> int:
        """Number of the instrument."""
        return self.sizes.instruments - 1

    def channel(self, venue: int) -> int:
        """Number of a venue's row of the channel table."""
        return self.sizes.channels - len(VENUES) + venue

    def rows(self) -> Iterator[Row]:
        """Tables, before arming."""
        yield "EngineRow", engine_row()
        for venue in VENUES:
            yield "VenueRow", self.venue_row(venue)
            scaling = {"priceExponent": PRICE_EXPONENT, "quantityExponent": QUANTITY_EXPONENT}
            shifts = {"priceShift": 0, "quantityShift": 0}
            yield "ScalingRow", {"instrument": self.instrument, "venue": venue, **scaling, **shifts}
            yield "ChannelRow", self.channel_row(venue, enabled=True)
        yield "InstrumentRow", self.instrument_row(enabled=True)

    def positions(self, last_id: int) -> Iterator[Row]:
        """No positions, and nothing pending."""
        for venue in VENUES:
            nothing = dict.fromkeys(("position", "pendingBuy", "pendingSell"), 0)
            yield "SetPosition", {"lastId": last_id, "instrument": self.instrument, "venue": venue, **nothing}

    def cleared(self, last_id: int) -> Iterator[Row]:
        """Everything off again, after the kill."""
        yield "InstrumentRow", self.instrument_row(enabled=False)
        for venue in VENUES:
            yield "ChannelRow", self.channel_row(venue, enabled=False)
            yield "VenueRow", self.venue_row(venue) | {"enabled": 0}
        yield from self.positions(last_id)
        yield "Reset", {"venue": 255}

    def venue_row(self, venue: int) -> dict[str, int]:
        """No fee; quotes stay usable for a minute."""
        return {"venue": venue, "enabled": 1, "fee": 0, "maximumAge": _MINUTE_NS, "maximumSilence": _MINUTE_NS}

    def channel_row(self, venue: int, *, enabled: bool) -> dict[str, int]:
        """The destination of a venue's quotes."""
        to = self.markets[venue]
        return {
            "address": int(to.address),
            "port": to.port,
            "channel": self.channel(venue),
            "instrument": self.instrument,
            "venue": venue,
            "feed": Feed.BINANCE_SBE,
            "enabled": int(enabled),
        }

    def instrument_row(self, *, enabled: bool) -> dict[str, Any]:
        """Arbitrage from a tenth of the prices' distance on, imbalance from three quarters to one quarter on."""
        return {
            "instrument": self.instrument,
            "enabled": int(enabled),
            "kinds": Kind.ARB.mask | Kind.IMBALANCE.mask,
            "basisShift": 10,
            "imbalanceThreshold": 1 << 14,
            "minimumEdge": (HIGH - LOW) // 10,
            "basisThreshold": 1,
            "basisInterval": _MINUTE_NS,
            "maximumSpread": SPREAD,
            "minimumQuantity": 1,
            "maximumQuantity": MAXIMUM_QUANTITY,
            "priceLow": 1,
            "priceHigh": _PRICE_HIGH,
            "maximumNotionalLow": _PRICE_HIGH * MAXIMUM_QUANTITY,
            "maximumNotionalHigh": 0,
            "basisWarmUp": 0,
            "cooldown": 0,
            "positionLimit": _POSITION_LIMIT,
            "leads": [{"mask": 0}] * self.sizes.venues,
        }


def engine_row() -> dict[str, int]:
    """The highest rate that there is, and a lease of a minute."""
    tolerance = _RATE_INTERVALS * _RATE_INTERVAL_NS
    return {"rateInterval": _RATE_INTERVAL_NS, "rateTolerance": tolerance, "lease": _MINUTE_NS}


def quotes(rounds: int) -> Iterator[Quote]:
    """Both venues alike; then, round by round, each one richer than the other, and a heavy bid and ask."""
    yield from (Quote(venue, LOW) for venue in VENUES)
    for _ in range(rounds):
        for rich, cheap in (VENUES, VENUES[::-1]):
            legs = ((rich, Side.SELL, HIGH), (cheap, Side.BUY, LOW + SPREAD))
            yield Quote(rich, HIGH, expected=Expected(Kind.ARB, legs))
            yield Quote(rich, LOW)
        for venue in VENUES:
            buys = Expected(Kind.IMBALANCE, ((venue, Side.BUY, LOW + SPREAD),))
            sells = Expected(Kind.IMBALANCE, ((venue, Side.SELL, LOW),))
            yield Quote(venue, LOW, bid_quantity=HEAVY, expected=buys)
            yield Quote(venue, LOW)
            yield Quote(venue, LOW, ask_quantity=HEAVY, expected=sells)
            yield Quote(venue, LOW)


def expectation(fields: dict[str, Any]) -> Expected:
    """What a Trigger message says, in the words of ``Expected``."""
    legs = [
        (fields[f"{leg}Venue"], Side(fields[f"{leg}Side"]), fields[f"{leg}Price"])
        for leg in ("first", "second")
        if fields[f"{leg}Side"] != Side.NONE
    ]
    return Expected(Kind(fields["kind"]), tuple(legs))
