"""Recorded markets are played into simulated venues."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.loading import load_settings
from config.venues import VenueName
from market.errors import MissingInput
from orchestrator.exchange.venues import served_venues
from orchestrator.replay.plan import SourceFile

START_NS = 1_800_000_000 * 10**9
RECEIVED_NS = 1_723_161_250 * 10**9
SECOND_NS = 10**9


def lines(symbol: str, after_ns: int, bid: str) -> str:
    """A snapshot, a change and a trade, a second apart, with some messages before that name the stream."""
    stream = symbol.lower()
    messages = (
        f'{{"stream":"{stream}@depth@100ms","data":{{"e":"depthUpdate","E":1,"s":"{symbol}","U":1,"u":2,"b":[],"a":[]}}}}',
        f'{{"lastUpdateId":5,"bids":[["{bid}","1.00000000"]],"asks":[["61800.00","2.00000999"]]}}',
        f'{{"stream":"{stream}@depth@100ms","data":{{"e":"depthUpdate","E":2,"s":"{symbol}","U":6,"u":7,'
        f'"b":[["{bid}","3.00000000"]],"a":[]}}}}',
        f'{{"stream":"{stream}@trade","data":{{"e":"trade","E":3,"s":"{symbol}","t":9,"p":"61800.00","q":"0.50000000",'
        f'"T":3,"m":false,"M":true}}}}',
    )
    first_ns = RECEIVED_NS + after_ns
    return "".join(f"{first_ns + number * SECOND_NS} {text}\n" for number, text in enumerate(messages))


def test_books_and_trades_are_played_as_far_apart_as_they_were_received(tmp_path: Path) -> None:
    path = tmp_path / "spot"
    path.write_text(lines("BTCUSDT", 0, "61700.00"), encoding="utf-8")
    file = SourceFile(VenueName.BINANCE_SPOT, path)
    spot, futures = served_venues(load_settings("demo"), START_NS, recordings=[file])
    assert (len(spot.players), futures.players) == (1, ())
    assert [symbol.background is None for symbol in spot.venue.model.symbols] == [True, False]

    def bids_at(seconds: int) -> tuple[tuple[int, int], ...]:
        spot.players[0].advance(START_NS + seconds * SECOND_NS)
        return spot.venue.depth("BTCUSDT").bids

    assert bids_at(0) == ()
    assert bids_at(1) == ((6_170_000, 100_000),)
    assert spot.venue.depth("BTCUSDT").asks == ((6_180_000, 200_000),)
    assert bids_at(2) == ((6_170_000, 300_000),)
    assert spot.venue.recent_trades("BTCUSDT") == ()
    bids_at(3)
    (trade,) = spot.venue.recent_trades("BTCUSDT")
    assert (trade.price_ticks, trade.quantity_lots, trade.buyer_is_maker) == (6_180_000, 50_000, False)


def test_recordings_keep_their_distance_from_each_other(tmp_path: Path) -> None:
    files = []
    for symbol, after_ns, price in (("BTCUSDT", 5 * SECOND_NS, "61700.00"), ("ETHUSDT", 0, "2600.00")):
        path = tmp_path / symbol
        path.write_text(lines(symbol, after_ns, price), encoding="utf-8")
        files.append(SourceFile(VenueName.BINANCE_SPOT, path))
    spot, _ = served_venues(load_settings("demo"), START_NS, recordings=files)
    for player in spot.players:
        player.advance(START_NS + SECOND_NS)
    assert (len(spot.venue.depth("BTCUSDT").bids), len(spot.venue.depth("ETHUSDT").bids)) == (0, 1)
    for player in spot.players:
        player.advance(START_NS + 6 * SECOND_NS)
    assert len(spot.venue.depth("BTCUSDT").bids) == 1


def test_a_market_is_recorded_once(tmp_path: Path) -> None:
    path = tmp_path / "spot"
    path.write_text(lines("BTCUSDT", 0, "61700.00"), encoding="utf-8")
    file = SourceFile(VenueName.BINANCE_SPOT, path)
    with pytest.raises(MissingInput, match="another recording holds already"):
        served_venues(load_settings("demo"), START_NS, recordings=[file, file])


def test_a_recording_of_a_venue_that_is_not_simulated_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cm"
    path.write_text(lines("BTCUSD_PERP", 0, "61700.0"), encoding="utf-8")
    with pytest.raises(MissingInput, match="recordings are of"):
        served_venues(load_settings("demo"), START_NS, recordings=[SourceFile(VenueName.BINANCE_CM, path)])


def test_real_recordings_are_played(data: Path) -> None:
    folder = data / "binance-20240808"
    files = [
        SourceFile(VenueName.BINANCE_SPOT, folder / "spot_btcusdt_20240808.gz"),
        SourceFile(VenueName.BINANCE_USDM, folder / "usdm_btcusdt_20240808.gz"),
    ]
    served = served_venues(load_settings("demo"), START_NS, recordings=files)
    mids = []
    for venue in served:
        for player in venue.players:
            player.advance(START_NS + 8 * SECOND_NS)
        depth = venue.venue.depth("BTCUSDT")
        model = venue.venue.model.symbols[0]
        assert depth.bids[0][0] < depth.asks[0][0]
        assert len(depth.bids) > 900
        mids.append((depth.bids[0][0] + depth.asks[0][0]) * model.tick_units / 2)
    assert abs(mids[0] / mids[1] - 1) < 0.001
