"""What a build of the hardware is made for: capacities, bus width, and the widths that follow from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

from market.errors import Fatal
from market.fastpath import layout
from market.fastpath.specification import DEFAULT_SIZES, EngineSizes, Feed

BYTE: Final = 8
BUS_BYTES: Final = (1, 8)
"""Bus widths that a core can be built for, in bytes per cycle."""
AHEAD_BYTES: Final = 2
"""That a frame's beat has behind the payload's own beat, which it completes, with or without a tag."""
FEWEST_BEAT_CYCLES: Final = 3
"""From one full beat of a paced core to the next."""
PACKET_FEEDS: Final = frozenset(Feed) - {Feed.BINANCE_SBE}
"""Feeds whose packets are numbered and whose messages name their instrument."""


class BusWidth(Protocol):
    """How wide a frame bus is: bytes of a frame per cycle, and the bits of its data."""

    @property
    def bus_bytes(self) -> int: ...

    @property
    def bus_bits(self) -> int: ...


@dataclass(frozen=True, slots=True)
class CoreParameters:
    """One build of the core.

    Parameters
    ----------
    capacity: the largest ``EngineSizes`` that the build can take; smaller ones are chosen by the ``sizes`` port.
    bus_bytes: bytes of a frame per cycle, 1 or 8.
    feeds: those that the build may have decoders for; a frame of any other one is BAD_MESSAGE.
    paced: full beats of a frame come three cycles apart or more, as a line that is slower than the bus brings them; the
        last one, where it is not full, as soon as its bytes are there.
    beat_cycles: of a paced core: cycles that its line takes for a beat that it sends, rounded down.
    trades: whether trades are decoded and counted; without them a datagram of Trades is BAD_MESSAGE.
    compact: whether a paced core takes multipliers and cycles in place of logic, measures no latencies, and
        leaves ARP to the host.

    Raises ``Fatal`` for a bus width that no core has, and for forms that cannot go together.
    """

    capacity: EngineSizes = DEFAULT_SIZES
    bus_bytes: int = 1
    feeds: frozenset[Feed] = frozenset(Feed)
    paced: bool = False
    trades: bool = True
    compact: bool = False
    beat_cycles: int = FEWEST_BEAT_CYCLES

    def __post_init__(self) -> None:
        if self.bus_bytes not in BUS_BYTES:
            raise Fatal(f"bus of {self.bus_bytes} bytes; expected one of {BUS_BYTES}")
        if self.packet_feeds and not self.trades:
            feeds = ", ".join(feed.name for feed in self.packet_feeds)
            raise Fatal(f"a core without trades has decoders for {feeds}, whose packets have trades among them")
        if self.compact and not self.paced:
            raise Fatal("a compact core is slower than its bus; expected a paced one")
        if self.beat_cycles < FEWEST_BEAT_CYCLES:
            raise Fatal(f"a beat in {self.beat_cycles} cycles; expected {FEWEST_BEAT_CYCLES} or more of a paced core")

    def has_feed(self, feed: Feed) -> bool:
        """Whether there is a decoder for a feed; DERIBIT_LEGACY has one on the bus of one byte only."""
        return feed in self.feeds and (feed is not Feed.DERIBIT_LEGACY or self.bus_bytes == 1)

    @property
    def packet_feeds(self) -> tuple[Feed, ...]:
        """The feeds of numbered packets, order books and all, that the build has decoders for."""
        return tuple(feed for feed in sorted(PACKET_FEEDS) if self.has_feed(feed))

    @property
    def venues(self) -> int:
        """Venues of the largest build."""
        return self.capacity.venues

    @property
    def others(self) -> int:
        """Other venues than the one of an event; at least one, so that there is something to build."""
        return max(1, self.venues - 1)

    @property
    def has_lone_other(self) -> bool:
        """Whether a compact core has one other venue: nothing behind it takes its place before the next event."""
        return self.compact and self.others == 1

    @property
    def instruments(self) -> int:
        """Instruments of the largest build."""
        return self.capacity.instruments

    @property
    def channels(self) -> int:
        """Channel rows of the largest build."""
        return self.capacity.channels

    @property
    def price_bits(self) -> int:
        """Width of a scaled price or quantity."""
        return self.capacity.price_bits

    @property
    def bus_bits(self) -> int:
        """Width of the data of a frame bus."""
        return self.bus_bytes * BYTE

    @property
    def venue_bits(self) -> int:
        """Width of a venue index that is known to be inside the build."""
        return max(1, (self.venues - 1).bit_length())

    @property
    def instrument_bits(self) -> int:
        """Width of an instrument index that is known to be inside the build."""
        return max(1, (self.instruments - 1).bit_length())

    @property
    def registers_rows(self) -> bool:
        """Whether rows that are read go through a register of their own, as block RAM needs it; it takes a cycle.

        A wide bus with a beat in every cycle has no time for that: its rows are in distributed RAM.
        """
        return self.bus_bytes == 1 or self.paced

    @property
    def ahead_bytes(self) -> int:
        """Payload bytes behind a full beat that are seen with it; with a beat in every cycle all else would be late."""
        return AHEAD_BYTES if self.paced else 0

    @property
    def places(self) -> int:
        """Rows of a table with one per (instrument, venue), addressed by both indices, the venue's in the low bits."""
        return 1 << self.instrument_bits + self.venue_bits

    @property
    def control_bytes(self) -> int:
        """The longest well-formed control message: an instrument row with one lead mask per venue."""
        return layout.LEADS_ENTRIES + layout.LEADS_ENTRY_SIZE * self.venues
