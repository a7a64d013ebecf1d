"""Market data of simulated venues in virtual time: streams that may fail, and what a feed does about it.

One source per venue. A connection carries updates and trades as they happen; each book begins with a snapshot that is
asked for. A connection is given up, and its books with it (a GAP record per market), when it is cut, when it says
nothing for a second, and when what it says is too old; then it is opened again after a pause that doubles. A message
that cannot be read is a REJECTED record; the hole that it leaves shows in the update ids.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from market.book.book import new_books
from market.book.continuity import Rule
from market.errors import Fatal
from market.protocols import FeedMarket, FeedRoute, FeedStatus
from market.wire import records
from market.wire.records import Batch, Words
from sim.exchange.venue.events import BookChanged, Traded
from sim.exchange.venue.records import Depth, Level
from sim.faults.plan import Channel
from sim.virtual.clock import VirtualClock
from sim.virtual.line import Connection, Notice, Payload, Reply, VenueLine
from sim.virtual.market_of import VenueMarket
from sim.virtual.offset import ClockOffset

_ROW = list[int]
_Levels = tuple[Level, ...]


@dataclass(frozen=True, kw_only=True)
class FeedModel:
    """How a stream is watched.

    Parameters
    ----------
    silence_ns: a connection that says nothing for so long is given up.
    late_ns: as is one that says what is older, by the venue's clock as we know it.
    snapshot_every_ns: a whole book is asked for so often, 0: only when it is needed.
    snapshot_pause_ns: least time between two questions for the same book; they are not waited for any longer either.
    reconnect_ns, longest_reconnect_ns: first pause before connecting again, and the longest that it doubles to.
    """

    silence_ns: int = 1_000_000_000
    late_ns: int = 500_000_000
    snapshot_every_ns: int = 10_000_000_000
    snapshot_pause_ns: int = 250_000_000
    reconnect_ns: int = 50_000_000
    longest_reconnect_ns: int = 2_000_000_000

    def __post_init__(self) -> None:
        if min(self.silence_ns, self.late_ns, self.snapshot_pause_ns, self.reconnect_ns) < 1:
            raise Fatal(f"{self}: expected times of at least 1 ns")


class VenueSource:
    """The stream of one venue."""

    def __init__(
        self, line: VenueLine, routes: Sequence[FeedRoute | None], model: FeedModel, tell: Callable[[], None]
    ) -> None:
        self._line = line
        self._clock = line.clock
        self._routes = tuple(routes)
        self._markets = tuple(VenueMarket(symbol) for symbol in line.venue.model.symbols)
        if len(self._markets) != len(self._routes):
            raise Fatal(f"venue {line.name} has {len(self._markets)} symbols and {len(self._routes)} routes")
        self._numbers = {market.symbol: number for number, market in enumerate(self._markets)}
        self._model = model
        self._tell = tell
        self._waiting: list[tuple[_ROW, _Levels, _Levels]] = []
        self._connection: Connection | None = None
        self._is_connected = False
        self._heard_ns = 0
        self._pause_ns = model.reconnect_ns
        self._asked_ns = [-model.snapshot_pause_ns] * len(self._markets)
        self._wants_book = [False] * len(self._markets)
        self._offset = ClockOffset()
        self.connects = 0

    @property
    def name(self) -> str:
        """The venue's."""
        return self._line.name

    @property
    def numbered(self) -> bool:
        """Update ids never go back."""
        return True

    @property
    def markets(self) -> Sequence[FeedMarket]:
        """The venue's symbols."""
        return self._markets

    @property
    def routes(self) -> Sequence[FeedRoute | None]:
        """One per symbol."""
        return self._routes

    def new_books(self) -> Words:
        """Fresh books."""
        return new_books([Rule.OVERLAPPING] * len(self._markets))

    def start(self) -> None:
        """Connect, and watch from then on."""
        self._connect()
        self._clock.after(self._model.silence_ns // 10, self._watch)
        if self._model.snapshot_every_ns:
            self._clock.after(self._model.snapshot_every_ns, self._refresh)

    def take(self) -> Batch | None:
        """What has arrived since the last call."""
        if not self._waiting:
            return None
        waiting, self._waiting = self._waiting, []
        batch = Batch(len(waiting), max(1, sum(max(len(bids), len(asks)) for _, bids, asks in waiting)))
        used = [0, 0]
        for index, (row, *sides) in enumerate(waiting):
            batch.records[index] = row
            if row[records.KIND] not in (records.DIFF, records.SNAPSHOT):
                continue
            for side, (levels, rows) in enumerate(zip(sides, (batch.bids, batch.asks), strict=True)):
                batch.records[index, records.BIDS_START + 2 * side] = used[side]
                batch.records[index, records.BIDS + 2 * side] = len(levels)
                if levels:
                    rows[used[side] : used[side] + len(levels)] = levels
                    used[side] += len(levels)
        batch.cursor[records.CURSOR_RECORDS] = len(waiting)
        return batch

    def request_snapshot(self, market: int) -> None:
        """Ask for a book, now or as soon as that may be done."""
        self._wants_book[market] = True
        self._ask_for_books()

    # Our end of the connection.

    def opened(self) -> None:
        """The stream stands; its books begin with snapshots."""
        self._is_connected = True
        self.connects += 1
        self._heard_ns = self._clock.now_ns()
        self._pause_ns = self._model.reconnect_ns
        self._wants_book = [True] * len(self._markets)
        self._ask_for_books()

    def heard(self, payload: Payload, venue_ns: int) -> None:
        """A message of the stream."""
        now_ns = self._clock.now_ns()
        self._heard_ns = now_ns
        if now_ns + self._offset.offset_ns - venue_ns > self._model.late_ns:
            self._give_up()
        elif payload is Notice.UNREADABLE:
            self._put(self._row(records.REJECTED, 0, venue_ns, {records.REASON: int(records.Reject.MALFORMED)}))
        elif isinstance(payload, BookChanged):
            market = self._numbers[payload.symbol]
            ids = {records.FIRST_ID: payload.first_id, records.LAST_ID: payload.last_id, records.CHECKSUM: -1,
                   records.PREVIOUS_ID: -1}  # fmt: skip
            self._put(self._row(records.DIFF, market, venue_ns, ids), payload.bids, payload.asks)
        elif isinstance(payload, Traded):
            self._put(self._trade(payload, venue_ns))

    def closed(self) -> None:
        """The stream is gone: what its books were is not known any more."""
        self._is_connected = False
        self._connection = None
        for market in range(len(self._markets)):
            self._put(self._row(records.GAP, market, 0, {}))
        self._clock.after(self._pause_ns, self._connect)
        self._pause_ns = min(2 * self._pause_ns, self._model.longest_reconnect_ns)

    def _connect(self) -> None:
        self._heard_ns = self._clock.now_ns()
        self._connection = self._line.connect(Channel.MARKET, "", self)

    def _give_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self.closed()

    def _watch(self) -> None:
        self._clock.after(self._model.silence_ns // 10, self._watch)
        if self._connection is not None and self._clock.now_ns() - self._heard_ns > self._model.silence_ns:
            self._give_up()
        self._ask_for_books()

    def _refresh(self) -> None:
        self._clock.after(self._model.snapshot_every_ns, self._refresh)
        self._wants_book = [True] * len(self._markets)
        self._ask_for_books()

    def _ask_for_books(self) -> None:
        now_ns = self._clock.now_ns()
        for market, wants in enumerate(self._wants_book):
            if wants and self._is_connected and now_ns - self._asked_ns[market] >= self._model.snapshot_pause_ns:
                self._asked_ns[market] = now_ns
                self._ask_for_book(market, now_ns)

    def _ask_for_book(self, market: int, sent_ns: int) -> None:
        symbol = self._markets[market].symbol
        connects = self.connects

        def done(reply: Reply[Depth]) -> None:
            self._offset.take(sent_ns, self._clock.now_ns(), reply.venue_ns)
            if reply.result is None or connects != self.connects or not self._is_connected:
                return
            self._wants_book[market] = False
            depth = reply.result
            ids = {records.FIRST_ID: depth.last_update_id, records.LAST_ID: depth.last_update_id,
                   records.PREVIOUS_ID: -1, records.CHECKSUM: -1}  # fmt: skip
            row = self._row(records.SNAPSHOT, market, reply.venue_ns, ids)
            self._put(row, depth.bids, depth.asks)

        self._line.request(lambda now_ns: self._line.venue.depth(symbol), done)

    def _trade(self, traded: Traded, venue_ns: int) -> _ROW:
        trade = traded.trade
        aggressor = records.AGGRESSOR_SELL if trade.buyer_is_maker else records.AGGRESSOR_BUY
        values = {
            records.PRICE: trade.price_ticks,
            records.QUANTITY: trade.quantity_lots,
            records.AGGRESSOR: aggressor,
            records.TRADE_ID: trade.trade_id,
        }
        return self._row(records.TRADE, self._numbers[trade.symbol], venue_ns, values)

    def _row(self, kind: int, market: int, venue_ns: int, values: dict[int, int]) -> _ROW:
        row = [0] * records.WIDTH
        row[records.KIND] = kind
        row[records.RECEIVE_NS] = self._clock.now_ns()
        row[records.EVENT_NS] = venue_ns
        row[records.MARKET] = market
        for column, value in values.items():
            row[column] = value
        return row

    def _put(self, row: _ROW, bids: _Levels = (), asks: _Levels = ()) -> None:
        self._waiting.append((row, bids, asks))
        self._tell()


class VenueFeed:
    """The streams of several venues; ``start`` connects them. Records arrive while the virtual clock goes on.

    Parameters
    ----------
    lines: one per source, with the routes of the venue's symbols.
    end_ns: when the feed is over.
    """

    def __init__(
        self,
        lines: Sequence[tuple[VenueLine, Sequence[FeedRoute | None]]],
        clock: VirtualClock,
        model: FeedModel,
        end_ns: int,
    ) -> None:
        self._clock = clock
        self._end_ns = end_ns
        self._sources = tuple(VenueSource(line, routes, model, clock.wake) for line, routes in lines)

    def start(self) -> None:
        """Connect all streams, and plan the end."""
        for source in self._sources:
            source.start()
        self._clock.at(self._end_ns, self._clock.wake)

    @property
    def sources(self) -> Sequence[VenueSource]:
        """The streams by number."""
        return self._sources

    def take(self, source: int) -> Batch | None:
        """What has arrived of a stream."""
        return self._sources[source].take() if self._clock.now_ns() < self._end_ns else None

    def status(self, source: int) -> FeedStatus:
        """FINISHED at the end."""
        return FeedStatus.LIVE if self._clock.now_ns() < self._end_ns else FeedStatus.FINISHED

    def request_snapshot(self, source: int, market: int) -> None:
        """Ask for a whole book."""
        self._sources[source].request_snapshot(market)
