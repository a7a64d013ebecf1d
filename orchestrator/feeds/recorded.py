"""Captures that are decoded as a live feed decodes them, because no other reader knows their messages."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from market.protocols import FeedMarket
from market.wire.records import Batch, Words
from orchestrator.feeds.arrivals import Arrival, ArrivalKind
from orchestrator.feeds.decoding import Decoder
from sim.capture import read_datagrams
from sim.recording.blocks import open_blocks
from sim.recording.damage import Damage
from sim.replay.feed import OwnBooks, Route

_DATAGRAMS_AT_ONCE = 512
_PACKETS = ".pcapng"


@dataclass(frozen=True)
class RecordedArrivals:
    """A recording that is decoded by a live feed's decoder, to be replayed.

    Parameters
    ----------
    read: the arrivals in a file, in lists. new_decoder: makes the decoder.
    """

    name: str
    path: Path
    markets: tuple[FeedMarket, ...]
    routes: tuple[Route | None, ...]
    new_books: Callable[[], Words]
    new_decoder: Callable[[], Decoder]
    read: Callable[[Path], Iterator[Sequence[Arrival]]]
    numbered: bool = False

    def open(self) -> RecordedArrivals:
        """Itself: the file is opened when its batches are read."""
        return self

    @property
    def settings(self) -> RecordedArrivals:
        """Itself."""
        return self

    @property
    def damage(self) -> Sequence[Damage]:
        """None: what cannot be read raises."""
        return ()

    @property
    def content_bytes(self) -> int:
        """Not counted."""
        return 0

    @property
    def own_books(self) -> OwnBooks | None:
        """None: the records are book updates."""
        return None

    @property
    def transport(self) -> Mapping[str, int]:
        """Nothing."""
        return {}

    def batches(self) -> Iterator[Batch]:
        """Decoded batches in file order; each stays valid until the next is asked for."""
        decoder = self.new_decoder()
        for arrivals in self.read(self.path):
            decoder.begin(arrivals)
            while (batch := decoder.next_batch()) is not None:
                if batch.count:
                    yield batch


def read_lines(path: Path) -> Iterator[list[Arrival]]:
    """The lines of a recording as arrivals; raises MissingInput if it cannot be opened."""
    for block in open_blocks(path):
        arrivals = []
        for line in block.data.split(b"\n")[:-1]:
            stamp, _, content = line.partition(b" ")
            arrivals.append(Arrival(int(stamp), ArrivalKind.MESSAGE, content))
        yield arrivals


def read_arrivals(path: Path) -> Iterator[list[Arrival]]:
    """A capture's arrivals: packets by the name of the file, else lines."""
    return read_packets(path) if path.suffix == _PACKETS else read_lines(path)


def read_packets(path: Path) -> Iterator[list[Arrival]]:
    """The datagrams of a capture as arrivals; raises MissingInput if it cannot be opened, Rejected where it breaks."""
    arrivals: list[Arrival] = []
    for datagram in read_datagrams(path):
        arrivals.append(Arrival(datagram.time_ns, ArrivalKind.MESSAGE, datagram.payload))
        if len(arrivals) == _DATAGRAMS_AT_ONCE:
            yield arrivals
            arrivals = []
    yield arrivals
