"""A real market carried through the L3 books: re-encoded as Starbase packets, its tops are those of the recording."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from market.book.ladder import NO_PRICE
from market.pipeline import layout
from market.wire import records
from market.wire.binance_json import decode_lines
from market.wire.instruments import Instrument
from market.wire.markets import Market, market_table
from market.wire.records import CURSOR_POSITION, Batch
from sim.capture import read_datagrams, write_pcap
from sim.capture.starbase_recoding import StarbaseRecoder
from sim.replay.capture_format import CaptureFormat, capture_format
from sim.replay.feed import Route
from sim.replay.packet_source import PacketSourceSettings
from tests.sim.replay.replaying import replayed

UPDATES = 400
INSTRUMENT = Instrument(77, "BTC-PERPETUAL", 2, 8, wire_exponent=-8)
Top = tuple[int, int, int, int]
Update = tuple[int, list[tuple[int, int]], list[tuple[int, int]]]


def depth(path: Path) -> list[Update]:
    """The snapshot and the first updates behind it: time, bids, asks."""
    block = gzip.decompress(path.read_bytes())
    table, batch = market_table([Market("BTCUSDT", 2, 8)]), Batch()
    batch.restart()
    found: list[Update] = []
    last = -1
    while batch.cursor[CURSOR_POSITION] < len(block) and len(found) < UPDATES:
        batch.clear()
        decode_lines(block, 10**10, table, batch.records, batch.bids, batch.asks, batch.cursor, 0)
        for row in batch.filled():
            if row[records.KIND] == records.SNAPSHOT:
                last = int(row[records.LAST_ID])
            elif row[records.KIND] != records.DIFF or last < 0 or row[records.LAST_ID] <= last:
                continue
            bids = batch.bids[row[records.BIDS_START] :][: row[records.BIDS]].tolist()
            asks = batch.asks[row[records.ASKS_START] :][: row[records.ASKS]].tolist()
            found.append((int(row[records.RECEIVE_NS]), bids, asks))
    return found[:UPDATES]


def tops(updates: list[Update]) -> list[Top]:
    """The top of book after each update that changed it."""
    bids: dict[int, int] = {}
    asks: dict[int, int] = {}
    found: list[Top] = []
    for _, bid_levels, ask_levels in updates:
        for side, levels in ((bids, bid_levels), (asks, ask_levels)):
            side.update(levels)
            for tick in [tick for tick, lots in levels if not lots]:
                del side[tick]
        bid, ask = max(bids), min(asks)
        top = (bid, bids[bid], ask, asks[ask])
        if not found or found[-1] != top:
            found.append(top)
    return found


def recoded(updates: list[Update]) -> list[tuple[int, bytes]]:
    """A heartbeat, an empty snapshot, and every update as a transaction."""
    recoder = StarbaseRecoder(77, 2)
    start = updates[0][0]
    packets = [(start, packet) for packet in (*recoder.update(start, [], []), *recoder.snapshot(start))]
    for time_ns, bids, asks in updates:
        packets += [(time_ns, packet) for packet in recoder.update(time_ns, bids, asks)]
    return packets


@pytest.fixture(scope="module")
def updates(data: Path) -> list[Update]:
    return depth(data / "binance-20240808" / "spot_btcusdt_20240808.gz")


def settings_of(path: Path) -> PacketSourceSettings:
    route = Route(instrument=0, venue=1, price_exponent=-8, quantity_exponent=-8)
    return PacketSourceSettings("starbase", path, CaptureFormat.STARBASE, (INSTRUMENT,), (route,))


def test_a_real_market_through_the_l3_books(updates: list[Update], tmp_path: Path) -> None:
    capture = tmp_path / "starbase.pcap"
    write_pcap(capture, recoded(updates))
    assert capture_format(capture) is CaptureFormat.STARBASE
    summary, events = replayed(settings_of(capture))
    assert (summary.gaps, summary.rejects, summary.synchronised, summary.snapshots) == (0, {}, True, 1)
    quotes = events[events[:, layout.EVENT_TYPE] == layout.QUOTE_EVENT]
    values = quotes[:, layout.EVENT_BID_PRICE : layout.EVENT_ASK_QUANTITY + 1] // np.array([10**6, 1, 10**6, 1])
    expected = [(-1, 0, -1, 0), *tops(updates)]
    assert [tuple(row) for row in values.tolist()] == expected
    assert len(expected) > UPDATES // 2
    assert NO_PRICE == -1


def test_a_lost_packet_is_noticed_and_mended_by_a_snapshot(updates: list[Update], tmp_path: Path) -> None:
    recoder = StarbaseRecoder(77, 2)
    start = updates[0][0]
    packets = [*recoder.update(start, [], []), *recoder.snapshot(start)]
    for number, (time_ns, bids, asks) in enumerate(updates[:60]):
        sent = list(recoder.update(time_ns, bids, asks))
        packets += sent if number != 30 else sent[1:]
    packets += recoder.snapshot(updates[60][0])
    capture = tmp_path / "lossy.pcap"
    write_pcap(capture, [(start + place, packet) for place, packet in enumerate(packets)])
    summary, events = replayed(settings_of(capture))
    assert (summary.gaps, summary.resyncs, summary.synchronised) == (1, 1, True)
    assert summary.transport["gaps"] == 1
    last = events[-1, layout.EVENT_BID_PRICE : layout.EVENT_ASK_QUANTITY + 1] // np.array([10**6, 1, 10**6, 1])
    assert tuple(last.tolist()) == tops(updates[:60])[-1]


def test_written_captures_are_read_again(tmp_path: Path) -> None:
    payloads = [(1_700_000_000_123_456_789 + number, bytes([number]) * number) for number in range(40)]
    write_pcap(tmp_path / "some.pcap", payloads)
    found = [(datagram.time_ns, datagram.payload) for datagram in read_datagrams(tmp_path / "some.pcap")]
    assert found == payloads
