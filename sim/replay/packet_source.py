"""One capture of multicast packets as decoded batches: the counterpart of ``sim.replay.source`` for pcap files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Final

from market.book.book import new_books
from market.book.continuity import Rule
from market.book.order_stream import ORDERS_PER_BOOK, OrderFormat, OrderStream
from market.errors import MissingInput, Rejected
from market.wire.deribit_stream import DeribitStream
from market.wire.instruments import Instrument
from market.wire.markets import Market
from market.wire.packet_stream import LEVELS_PER_BATCH, RECORDS_PER_BATCH, PacketStream, Payloads, pack_payloads
from market.wire.records import Batch, Words
from sim.capture import Datagram, read_datagrams
from sim.recording.damage import Damage, DamageReason
from sim.replay.capture_format import CaptureFormat, capture_definitions, capture_format, rule_of
from sim.replay.feed import OwnBooks, Route

BATCHES: Final = 2
"""Batches of a source in turn: one is worked on while the next is decoded."""
PACKETS_PER_TAKE: Final = 512

_ORDER_FORMATS: Final = {
    CaptureFormat.STARBASE: OrderFormat.STARBASE,
    CaptureFormat.COINBASE_DERIVATIVES: OrderFormat.COINBASE_DERIVATIVES,
}


@dataclass(frozen=True)
class PacketSourceSettings:
    """One capture of one venue.

    Parameters
    ----------
    name: the source's name in results, a venue.
    path: a pcap or pcapng file.
    form: what its packets are.
    markets, routes: the instruments to decode, and where each goes; one without a route is only counted.
    lag_ns: added to every receive time.
    capacity: orders that a book of single orders holds.
    """

    name: str
    path: Path
    form: CaptureFormat
    markets: tuple[Instrument, ...]
    routes: tuple[Route | None, ...]
    lag_ns: int = 0
    capacity: int = ORDERS_PER_BOOK

    @property
    def needs_book(self) -> bool:
        """Whether quotes count only while the book is synchronised; those made of single orders come from their own."""
        return self.form not in _ORDER_FORMATS

    @property
    def rule(self) -> Rule:
        """How the venue numbers its depth updates."""
        return rule_of(self.form)

    @property
    def numbered(self) -> bool:
        """Whether update ids never go back, so that they can number quotes elsewhere too."""
        return self.rule is not Rule.UNNUMBERED

    def new_books(self) -> Words:
        """Fresh books, one per instrument."""
        return new_books([self.rule] * len(self.markets), needs_book=self.needs_book)

    def open(self) -> PacketSource:
        """Open the capture."""
        return PacketSource(self)


def _stream(settings: PacketSourceSettings) -> PacketStream:
    form = _ORDER_FORMATS.get(settings.form)
    if form is None:
        return DeribitStream(settings.markets)
    return OrderStream(form, settings.markets, settings.capacity)


class PacketSource:
    """Decodes a capture batch by batch; see ``batches``.

    Members
    -------
    damage: what was wrong with the file so far. content_bytes: bytes of payloads read so far.
    """

    def __init__(self, settings: PacketSourceSettings) -> None:
        self.settings = settings
        self.damage: list[Damage] = []
        self.content_bytes = 0
        self._stream = _stream(settings)
        self._batches = [Batch(RECORDS_PER_BATCH, LEVELS_PER_BATCH) for _ in range(BATCHES)]

    @property
    def own_books(self) -> OwnBooks | None:
        """State of the books that the format itself keeps; None if its records are book updates."""
        books = self._stream.books
        if books is None:
            return None
        return OwnBooks(books.updates, books.snapshots, books.gaps, books.resyncs, books.synchronised)

    @property
    def transport(self) -> Mapping[str, int]:
        """Channels, packets, heartbeats, gaps, missing and duplicate packets; orders that found no room."""
        counts = asdict(self._stream.channels)
        books = self._stream.books
        return counts if books is None else counts | {"overflows": books.overflows}

    def batches(self) -> Iterator[Batch]:
        """Decoded batches in file order; each stays valid until the one after the next is asked for."""
        turn = 0
        for payloads in self._payloads():
            self._stream.take(payloads)
            used_up = False
            while not used_up:
                batch = self._batches[turn % BATCHES]
                batch.restart(payloads.first_line)
                used_up = self._stream.fill(batch)
                if batch.count:
                    turn += 1
                    yield batch

    def _payloads(self) -> Iterator[Payloads]:
        line = 1
        datagrams = self._datagrams()
        while taken := list(islice(datagrams, PACKETS_PER_TAKE)):
            times = [datagram.time_ns + self.settings.lag_ns for datagram in taken]
            self.content_bytes += sum(len(datagram.payload) for datagram in taken)
            yield pack_payloads([datagram.payload for datagram in taken], times, line)
            line += len(taken)

    def _datagrams(self) -> Iterator[Datagram]:
        try:
            yield from read_datagrams(self.settings.path)
        except Rejected as error:
            self.damage.append(Damage(DamageReason.CORRUPT, None, None, str(error)))


def _chosen(path: Path, form: CaptureFormat, markets: Sequence[Market]) -> dict[str, Instrument]:
    """The capture's instruments that markets name, with the markets' ticks and lots.

    Raises MissingInput if the capture defines none of them.
    """
    wanted = {market.symbol: market for market in markets}
    found: dict[str, Instrument] = {}
    seen: set[str] = set()
    for definition in capture_definitions(path, form):
        seen.add(definition.symbol)
        market = wanted.get(definition.symbol)
        if market is not None and market.symbol not in found:
            found[market.symbol] = replace(
                definition.instrument(),
                price_decimals=market.price_decimals,
                quantity_decimals=market.quantity_decimals,
                contract_value=market.contract_value,
                contract_size=market.contract_size,
            )
            if len(found) == len(wanted):
                break
    if not found:
        raise MissingInput(
            f"{path} defines no {' or '.join(wanted) or 'market of the settings'}; "
            f"it defines {', '.join(sorted(seen)) or 'no instrument'}"
        )
    return found


def recognised_format(name: str, path: Path) -> CaptureFormat:
    """The capture's format; raises MissingInput when its packets are none of the named venue that can be replayed."""
    form = capture_format(path)
    if form is None:
        known = ", ".join(CaptureFormat)
        raise MissingInput(f"{path} holds packets of no known format; those of {known} can be replayed")
    if name != form.value:
        raise MissingInput(f"{path} holds packets of {form.value}, expected {name}: name the source {form.value}")
    return form


def packet_source(
    name: str, path: Path, markets: Sequence[Market], routes: Sequence[Route | None], *, lag_ns: int = 0
) -> PacketSourceSettings:
    """A capture with those of the markets that it defines, each with its route.

    Raises MissingInput when its packets are of no known format or define none of the markets.
    """
    form = recognised_format(name, path)
    found = _chosen(path, form, markets)
    pairs = [
        (found[market.symbol], route) for market, route in zip(markets, routes, strict=True) if market.symbol in found
    ]
    instruments, chosen_routes = zip(*pairs, strict=True)
    return PacketSourceSettings(name, path, form, instruments, chosen_routes, lag_ns=lag_ns)


def whole_capture(name: str, path: Path, *, lag_ns: int = 0) -> PacketSourceSettings:
    """A capture with every instrument that it defines, in the ticks and lots of its definitions, and no routes."""
    form = recognised_format(name, path)
    instruments = tuple(definition.instrument() for definition in capture_definitions(path, form))
    if not instruments:
        raise MissingInput(f"{path} defines no instrument: name the markets in settings, or capture for longer")
    return PacketSourceSettings(name, path, form, instruments, (None,) * len(instruments), lag_ns=lag_ns)
