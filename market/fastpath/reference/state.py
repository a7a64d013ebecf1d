"""State of the fast loop; as constructed, it is the state at reset: killed, disabled, nothing passes."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import NamedTuple

from market.fastpath.reference.integers import wrapped
from market.fastpath.reference.lines import Lines
from market.fastpath.reference.tables import ChannelRow, EngineRow, InstrumentRow, ScalingRow, VenueRow
from market.fastpath.specification import DropReason, EngineSizes, GateReason, Kind, RejectReason, Side


@dataclass(slots=True)
class Quote:
    """Top of book of one (instrument, venue), scaled; ``sequence`` is None until one is stored."""

    bid_price: int = 0
    bid_quantity: int = 0
    ask_price: int = 0
    ask_quantity: int = 0
    sequence: int | None = None
    time: int = 0
    valid: bool = False


@dataclass(slots=True)
class Basis:
    """Mean of the difference of two venues' doubled mid prices, in 2^-12."""

    value: int = 0
    samples: int = 0
    sample_time: int = 0


@dataclass(slots=True)
class Holding:
    """Position of one (instrument, venue), signed, and what is sent but not settled, per side."""

    position: int = 0
    pending_buy: int = 0
    pending_sell: int = 0


@dataclass(slots=True)
class Volume:
    """Trade volumes of one instrument."""

    buy: int = 0
    sell: int = 0
    count: int = 0


class PairBit(NamedTuple):
    """The bit of a seller and a buyer, kind ARB or BASIS."""

    kind: Kind
    seller: int
    buyer: int

    def has(self, venue: int) -> bool:
        """Whether the bit is one of the venue's."""
        return venue in (self.seller, self.buyer)


class SideBit(NamedTuple):
    """The IMBALANCE bit of a venue and a side."""

    venue: int
    side: Side

    def has(self, venue: int) -> bool:
        """Whether the bit is one of the venue's."""
        return venue == self.venue


Bit = PairBit | SideBit


@dataclass(slots=True)
class Counters:
    """Counters of status; they wrap at 2^64 where they are shown."""

    quote_events: int = 0
    trade_events: int = 0
    time_backwards: int = 0
    quantity_cut: int = 0
    rejects: dict[RejectReason, int] = field(default_factory=lambda: dict.fromkeys(RejectReason, 0))
    candidates: dict[Kind, int] = field(default_factory=lambda: dict.fromkeys(Kind, 0))
    gates: dict[GateReason, int] = field(default_factory=lambda: dict.fromkeys(GateReason, 0))
    triggers: dict[Kind, int] = field(default_factory=lambda: dict.fromkeys(Kind, 0))
    control_applied: int = 0
    control_refused: int = 0


@dataclass(slots=True)
class FrameCounters:
    """What became of frames and their messages; they are in no status and in no hash."""

    frames: int = 0
    drops: dict[DropReason, int] = field(default_factory=lambda: dict.fromkeys(DropReason, 0))
    messages: int = 0
    skipped_messages: int = 0
    gaps: int = 0
    heartbeats: int = 0


class State:
    """Everything that a step may read or change."""

    def __init__(self, sizes: EngineSizes) -> None:
        self.sizes = sizes

        self.step = 0
        self.time = 0
        self.epoch = 0
        self.last_id = 0
        self.parity = 0
        self.killed = True
        self.lease_until = 0
        self.rate_at = 0
        self.last_sequence = 0
        self.status_number = 0
        self.next_status = 0
        self.counters = Counters()
        self.frame_counters = FrameCounters()

        self.engine = EngineRow()
        self.venues = [VenueRow() for _ in range(sizes.venues)]
        self.instruments = [InstrumentRow() for _ in range(sizes.instruments)]
        self.scaling: dict[tuple[int, int], ScalingRow] = {}
        self.channels: dict[int, ChannelRow] = {}

        self.seen = [0] * sizes.venues
        self.quotes = [[Quote() for _ in range(sizes.venues)] for _ in range(sizes.instruments)]
        self.basis: defaultdict[tuple[int, int, int], Basis] = defaultdict(Basis)
        self.on: list[set[Bit]] = [set() for _ in range(sizes.instruments)]
        self.holdings = [[Holding() for _ in range(sizes.venues)] for _ in range(sizes.instruments)]
        self.cooldown_until = [0] * sizes.instruments
        self.volumes = [Volume() for _ in range(sizes.instruments)]
        self.lines = Lines()

    @property
    def expected_sequence(self) -> int:
        """The number of the next control message that would be applied."""
        return wrapped(self.last_sequence + 1)

    def has_venue(self, venue: int) -> bool:
        """Whether the venue is in the build."""
        return 0 <= venue < self.sizes.venues

    def has_instrument(self, instrument: int) -> bool:
        """Whether the instrument is in the build."""
        return 0 <= instrument < self.sizes.instruments

    def clear_bits(self, instrument: int, venue: int) -> None:
        """Clear every bit of the venue in one instrument."""
        self.on[instrument] = {bit for bit in self.on[instrument] if not bit.has(venue)}

    def forget_quote(self, instrument: int, venue: int) -> None:
        """Make a quote invalid, clear its bits and forget its sequence."""
        self.quotes[instrument][venue].valid = False
        self.quotes[instrument][venue].sequence = None
        self.clear_bits(instrument, venue)

    def usable(self, instrument: int, venue: int) -> bool:
        """Enabled, valid, neither too old nor too long silent."""
        row, quote = self.venues[venue], self.quotes[instrument][venue]
        return (
            row.enabled
            and quote.valid
            and self.time - quote.time <= row.maximum_age
            and self.time - self.seen[venue] <= row.maximum_silence
        )
