"""Deribit's packets become book updates, quotes and trades of exact ticks and lots."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np
import pytest

from market.book.ladder import NO_PRICE as BOOK_NO_PRICE
from market.wire import records
from market.wire.deribit_levels import NO_PRICE
from market.wire.deribit_stream import DeribitStream
from market.wire.instruments import Instrument
from market.wire.packet_stream import LEVELS_PER_BATCH, RECORDS_PER_BATCH, pack_payloads
from market.wire.pieces import PLACES
from market.wire.records import Batch, Kind, Reject
from tests.market.wire import deribit_packets as wire
from tests.market.wire.deribit_packets import ASK, BID, CHANGED, CREATED, DELETED, packet

PERPETUAL = Instrument(100, "BTC_USDC-PERPETUAL", 1, 3)
INVERSE = Instrument(200, "BTC-PERPETUAL", 1, 8, Decimal(1))
STEP = 1 << 20


@dataclass
class Feed:
    """A stream, and everything that came out of it."""

    stream: DeribitStream = field(default_factory=lambda: DeribitStream((PERPETUAL, INVERSE)))
    line: int = 1

    def send(self, *payloads: bytes) -> list[dict[str, object]]:
        """Records of packets that arrive a nanosecond apart, by name."""
        batch = Batch(RECORDS_PER_BATCH, LEVELS_PER_BATCH)
        self.stream.take(pack_payloads(payloads, range(self.line, self.line + len(payloads)), self.line))
        self.line += len(payloads)
        found: list[dict[str, object]] = []
        used_up = False
        while not used_up:
            batch.restart()
            used_up = self.stream.fill(batch)
            found += [named(batch, row) for row in batch.filled()]
        return found


def named(batch: Batch, row: records.Words) -> dict[str, object]:
    """What matters of a record of its kind."""
    kind = Kind(int(row[records.KIND]))
    head: dict[str, object] = {"kind": kind, "line": int(row[records.LINE])}
    if kind is Kind.REJECTED:
        return head | {"reason": Reject(int(row[records.REASON]))}
    if kind is Kind.IGNORED:
        return head
    head |= {"market": int(row[records.MARKET]), "time": int(row[records.RECEIVE_NS])}
    if kind is Kind.TRADE:
        return head | {"trade": row[[records.PRICE, records.QUANTITY, records.AGGRESSOR, records.TRADE_ID]].tolist()}
    head["id"] = int(row[records.LAST_ID])
    if kind is Kind.QUOTE:
        return head | {"top": row[records.BID_PRICE : records.ASK_QUANTITY + 1].tolist()}
    bids = batch.bids[row[records.BIDS_START] :][: row[records.BIDS]].tolist()
    asks = batch.asks[row[records.ASKS_START] :][: row[records.ASKS]].tolist()
    head |= {"bids": bids, "asks": asks}
    return head | ({"previous": int(row[records.PREVIOUS_ID])} if kind is Kind.DIFF else {})


def kinds(found: Sequence[dict[str, object]]) -> list[object]:
    return [record["kind"] for record in found]


@pytest.fixture
def feed() -> Feed:
    return Feed()


def test_a_book_message_is_an_update_of_ticks_and_lots(feed: Feed) -> None:
    changes = [(BID, CREATED, 26000.5, 1.25), (ASK, CHANGED, 26001.0, 0.001), (BID, DELETED, 25000.0, 3.0)]
    (update,) = feed.send(packet(1, wire.book(100, 41, 42, changes)))
    assert update == {
        **{"kind": Kind.DIFF, "line": 1, "market": 0, "time": 1, "id": 43 * STEP, "previous": 42 * STEP},
        **{"bids": [[260005, 1250], [250000, 0]], "asks": [[260010, 1]]},
    }


def test_amounts_of_inverse_instruments_become_base_currency(feed: Feed) -> None:
    (update,) = feed.send(packet(1, wire.book(200, 1, 2, [(BID, CREATED, 25000.0, 30.0)])))
    assert update["bids"] == [[250000, 30 * 10**8 // 25000]]


def test_a_ticker_in_front_of_its_book_message_has_its_identifier(feed: Feed) -> None:
    quote, update = feed.send(
        packet(1, wire.ticker(100, 26000.5, 1.0, 26001.0, 2.0), wire.book(100, 6, 7, [(BID, CREATED, 26000.5, 1.0)]))
    )
    assert quote["top"] == [260005, 1000, 260010, 2000]
    assert quote["id"] == update["id"] == 8 * STEP


def test_tickers_count_up_from_the_last_change(feed: Feed) -> None:
    lone = packet(1, wire.ticker(100, 1.0, 1.0, 2.0, 1.0))
    found = feed.send(
        lone,
        packet(2, wire.ticker(100, 1.0, 1.0, 2.0, 1.0)),
        packet(3, wire.snapshot(100, 0, [(BID, 1.0, 1.0)])),
        packet(4, wire.ticker(100, 1.0, 1.0, 2.0, 1.0)),
        packet(5, wire.ticker(100, 1.0, 1.0, 2.0, 1.0), wire.book(100, 0, 9, [])),
        packet(6, wire.ticker(100, 1.0, 1.0, 2.0, 1.0)),
        packet(7, wire.ticker(200, 1.0, 1.0, 2.0, 1.0)),
    )
    ids = [record["id"] for record in found if record["kind"] is Kind.QUOTE]
    assert ids == [0, 1, STEP, 10 * STEP, 10 * STEP + 1, 0]


@pytest.mark.parametrize(("price", "amount"), [(None, 0.0), (0.0, 0.0), (26001.0, 0.0)])
def test_an_empty_side_has_no_price(feed: Feed, price: float | None, amount: float) -> None:
    (quote,) = feed.send(packet(1, wire.ticker(100, 26000.5, 1.0, price, amount)))
    assert quote["top"] == [260005, 1000, NO_PRICE, 0]
    assert NO_PRICE == BOOK_NO_PRICE


def test_every_trade_is_a_record(feed: Feed) -> None:
    deals = [(0, 26000.5, 0.1, 11), (1, 26000.0, 2.0, 12), (2, 26000.0, 1.0, 13)]
    found = feed.send(packet(1, wire.trades(100, deals)))
    assert [record["trade"] for record in found] == [
        [260005, 100, records.AGGRESSOR_BUY, 11],
        [260000, 2000, records.AGGRESSOR_SELL, 12],
        [260000, 1000, records.AGGRESSOR_NONE, 13],
    ]


def test_a_snapshot_counts_with_its_last_piece(feed: Feed) -> None:
    other = wire.snapshot(200, 3, [(ASK, 5.0, 5.0)], last=False)
    found = feed.send(
        packet(1, wire.snapshot(100, 8, [(BID, 2.0, 1.0), (ASK, 3.0, 1.0)], last=False), other, channel=103),
        packet(2, wire.snapshot(100, 8, [(ASK, 4.0, 2.0)]), wire.snapshot(200, 3, []), channel=103),
    )
    assert kinds(found) == [Kind.IGNORED, Kind.IGNORED, Kind.SNAPSHOT, Kind.SNAPSHOT]
    assert (found[2]["bids"], found[2]["asks"], found[2]["id"]) == ([[20, 1000]], [[30, 1000], [40, 2000]], 9 * STEP)
    assert found[3]["asks"] == [[50, 5 * 10**9 // 50]]


def test_a_change_of_several_messages_is_one_update(feed: Feed) -> None:
    found = feed.send(
        packet(1, wire.book(100, 4, 5, [(BID, CREATED, 2.0, 1.0)], last=False)),
        packet(2, wire.book(100, 4, 5, [(BID, CREATED, 1.0, 1.0)])),
    )
    assert kinds(found) == [Kind.IGNORED, Kind.DIFF]
    assert (found[1]["bids"], found[1]["previous"]) == ([[20, 1000], [10, 1000]], 5 * STEP)


def test_a_gap_gives_up_what_was_collected(feed: Feed) -> None:
    feed.send(packet(1, wire.snapshot(100, 8, [(BID, 2.0, 1.0)], last=False), channel=103))
    (found,) = feed.send(packet(3, wire.snapshot(100, 8, [(ASK, 4.0, 2.0)]), channel=103))
    assert (found["bids"], found["asks"]) == ([], [[40, 2000]])
    assert (feed.stream.channels.gaps, feed.stream.channels.missing) == (1, 1)


def test_too_many_unfinished_snapshots_are_refused() -> None:
    instruments = tuple(Instrument(number, str(number), 1, 3) for number in range(PLACES + 1))
    feed = Feed(DeribitStream(instruments))
    pieces = [wire.snapshot(number, 1, [(BID, 2.0, 1.0)], last=False) for number in range(PLACES + 1)]
    found = feed.send(packet(1, *pieces, channel=103))
    assert kinds(found) == [Kind.IGNORED] * PLACES + [Kind.REJECTED]
    assert found[-1]["reason"] is Reject.TOO_LONG


def test_an_incomplete_book_is_no_snapshot(feed: Feed) -> None:
    (found,) = feed.send(packet(1, wire.snapshot(100, 8, [], complete=False), channel=103))
    assert found["reason"] is Reject.MISSING_FIELD


def test_a_packet_twice_is_one(feed: Feed) -> None:
    message = packet(5, wire.trades(100, [(0, 1.0, 1.0, 1)]))
    assert len(feed.send(message, message)) == 1
    assert feed.stream.channels.duplicates == 1


def test_what_no_book_needs_is_counted(feed: Feed) -> None:
    found = feed.send(
        packet(1, wire.index_price(), wire.book(7, 1, 2, []), wire.trades(100, [])),
        packet(1, wire.ticker(100, 1.0, 1.0, 2.0, 1.0), channel=103),
    )
    assert kinds(found) == [Kind.IGNORED] * 4


def test_a_damaged_packet_is_refused_and_makes_a_gap(feed: Feed) -> None:
    whole = packet(2, wire.book(100, 1, 2, [(BID, CREATED, 2.0, 1.0)]))
    found = feed.send(packet(1, wire.index_price()), whole[:-1], packet(3, wire.index_price()))
    assert kinds(found) == [Kind.IGNORED, Kind.REJECTED, Kind.IGNORED]
    assert (found[1]["reason"], found[1]["line"]) == (Reject.MALFORMED, 2)
    assert feed.stream.channels.gaps == 1


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (wire.book(100, 1, 2, [(2, CREATED, 2.0, 1.0)]), Reject.MALFORMED),
        (wire.book(100, 1, 2, [(BID, 3, 2.0, 1.0)]), Reject.MALFORMED),
        (wire.book(100, 1, 2, [(BID, CREATED, -2.0, 1.0)]), Reject.NEGATIVE),
        (wire.book(100, 1, 2, [(BID, CREATED, 0.01, 1.0)]), Reject.NEGATIVE),
        (wire.book(100, 1, 2, [(BID, CREATED, float("inf"), 1.0)]), Reject.BAD_NUMBER),
        (wire.book(100, 1, 2, [(BID, CREATED, 1e30, 1.0)]), Reject.OVERFLOW),
        (wire.book(100, 1, 2**60, []), Reject.OVERFLOW),
        (wire.book(200, 1, 2, [(BID, CREATED, 1.0, 1e17)]), Reject.OVERFLOW),
        (wire.trades(100, [(0, 1.0, 1.0, 1), (0, -1.0, 1.0, 2)]), Reject.NEGATIVE),
        (wire.trades(100, [(3, 1.0, 1.0, 1)]), Reject.MALFORMED),
        (wire.ticker(100, -1.0, 1.0, 2.0, 1.0), Reject.NEGATIVE),
    ],
)
def test_a_message_that_cannot_be_is_refused_whole(feed: Feed, message: bytes, reason: Reject) -> None:
    found = feed.send(packet(1, message, wire.index_price()))
    assert kinds(found) == [Kind.IGNORED, Kind.REJECTED]
    assert found[1]["reason"] is reason


def test_full_batches_change_nothing() -> None:
    random = np.random.default_rng(5)
    payloads = []
    for number in range(3000):
        changes = [(int(random.integers(2)), CREATED, float(random.integers(1, 99)), 1.0) for _ in range(20)]
        deals = [(0, 5.0, 1.0, number * 3 + deal) for deal in range(3)]
        payloads.append(packet(number, wire.trades(100, deals), wire.book(100, number, number + 1, changes)))
    at_once = Feed().send(*payloads)
    one_by_one = Feed()
    assert at_once == [record for payload in payloads for record in one_by_one.send(payload)]
    assert len(at_once) == 4 * 3000 > RECORDS_PER_BATCH
