"""Captures of multicast packets are replayed like any recording."""

from __future__ import annotations

import gzip
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from market.errors import Fatal, MissingInput
from market.pipeline import layout
from market.wire.markets import Market
from sim.recording.damage import DamageReason
from sim.replay.capture_format import CaptureFormat, capture_definitions, capture_format
from sim.replay.feed import Route
from sim.replay.front import Front, SourceSummary
from sim.replay.packet_source import PacketSourceSettings, packet_source, whole_capture
from tests.sim.replay.replaying import replayed

SAMPLE = "deribit-multicast/sample_capture_v1_6.pcapng"


@pytest.fixture(scope="module")
def sample(data: Path) -> SourceSummary:
    return replayed(whole_capture("deribit", data / SAMPLE))[0]


def test_the_sample_has_no_gap_and_no_refused_message(sample: SourceSummary) -> None:
    assert sample.rejects == {}
    assert sample.transport == {
        "channels": 29,
        "packets": 5066,
        "heartbeats": 0,
        "gaps": 0,
        "missing": 0,
        "duplicates": 0,
    }


def test_the_changes_of_the_sample_are_one_chain(sample: SourceSummary) -> None:
    assert (sample.diffs, sample.gaps, sample.resyncs, sample.synchronised) == (1064, 0, 0, True)
    assert "STALE_UPDATE" not in sample.irregular


def test_the_rebuilt_top_equals_every_ticker(sample: SourceSummary) -> None:
    assert (sample.book_checks, sample.book_equal) == (695, 695)
    assert (sample.late_checks, sample.late_equal) == (259, 259)


def test_later_snapshots_equal_the_rebuilt_books(sample: SourceSummary) -> None:
    assert (sample.snapshots, sample.snapshot_checks, sample.snapshot_equal) == (194, 110, 110)


def test_every_message_of_the_sample_is_accounted_for(sample: SourceSummary) -> None:
    trades_beyond_one_per_message = sample.trades - 332
    assert sample.messages == 6780 + trades_beyond_one_per_message
    assert sample.ignored + sample.trades + sample.diffs + sample.snapshots + sample.quotes == sample.messages


def test_definitions_hold_every_digit_of_the_sample(data: Path) -> None:
    definitions = list(capture_definitions(data / SAMPLE, CaptureFormat.DERIBIT))
    by_name = {definition.symbol: definition.instrument() for definition in definitions}
    assert len(definitions) == len(by_name) == 84
    perpetual = by_name["BTC-PERPETUAL"]
    assert (perpetual.price_decimals, perpetual.quantity_decimals) == (2, 0)


def route() -> Route:
    return Route(instrument=0, venue=3, price_exponent=-8, quantity_exponent=-8)


def test_chosen_markets_feed_the_engine_in_base_currency(data: Path) -> None:
    inverse = Market("BTC-PERPETUAL", 2, 8, Decimal(1))
    settings = packet_source("deribit", data / SAMPLE, [inverse], [route()], lag_ns=500)
    summary, events = replayed(settings)
    assert (summary.synchronised, summary.book_checks > 0) == (True, True)
    assert summary.book_checks == summary.book_equal
    quotes = events[events[:, layout.EVENT_TYPE] == layout.QUOTE_EVENT]
    assert set(quotes[:, layout.EVENT_VENUE].tolist()) == {3}
    assert (np.diff(quotes[:, layout.EVENT_SEQUENCE]) > 0).all()
    whole = quotes[(quotes[:, layout.EVENT_BID_QUANTITY] > 0) & (quotes[:, layout.EVENT_ASK_QUANTITY] > 0)]
    dollars = whole[:, layout.EVENT_BID_PRICE] * 1e-8 * whole[:, layout.EVENT_BID_QUANTITY] * 1e-8
    assert len(whole) > 50
    assert np.abs(dollars / 10 - np.round(dollars / 10)).max() < 1e-3, "amounts are whole contracts of 10 dollars"


def test_threads_do_not_change_the_events(data: Path) -> None:
    settings = packet_source("deribit", data / SAMPLE, [Market("ETH-PERPETUAL", 2, 8, Decimal(1))], [route()])
    assert (replayed(settings, 1)[1] == replayed(settings, 2)[1]).all()


def test_a_symbol_that_the_capture_does_not_define(data: Path) -> None:
    unknown, known = Market("BTC-1JAN30", 2, 8), Market("ETH-PERPETUAL", 2, 8, Decimal(1))
    with pytest.raises(MissingInput, match=r"no BTC-1JAN30.*BTC-PERPETUAL"):
        packet_source("deribit", data / SAMPLE, [unknown], [route()])
    settings = packet_source("deribit", data / SAMPLE, [unknown, known], [None, route()])
    assert [instrument.symbol for instrument in settings.markets] == ["ETH-PERPETUAL"]
    assert settings.routes == (route(),)


def test_exponents_that_cannot_carry_the_ticks(data: Path) -> None:
    narrow = Route(instrument=0, venue=0, price_exponent=-1, quantity_exponent=-8)
    settings = packet_source("deribit", data / SAMPLE, [Market("BTC-PERPETUAL", 2, 8)], [narrow])
    with pytest.raises(Fatal, match="cannot carry"):
        Front((settings,), 1)


def test_a_capture_that_is_cut_off_is_replayed_up_to_there(data: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.pcapng"
    cut.write_bytes((data / SAMPLE).read_bytes()[:1_000_001])
    summary, _ = replayed(whole_capture("deribit", cut))
    assert [damage.reason for damage in summary.damage] == [DamageReason.CORRUPT]
    assert summary.book_checks == summary.book_equal > 400


def test_a_compressed_capture_is_the_same(data: Path, tmp_path: Path, sample: SourceSummary) -> None:
    packed = tmp_path / "sample.pcapng.gz"
    packed.write_bytes(gzip.compress((data / SAMPLE).read_bytes(), 1))
    summary, _ = replayed(whole_capture("deribit", packed))
    assert (summary.messages, summary.book_equal) == (sample.messages, 695)


def test_formats_are_recognised_from_packets(data: Path) -> None:
    for name in ("sample_capture_v1_6", "price_index", "combo_legs", "rfq"):
        assert capture_format(data / f"deribit-multicast/{name}.pcapng") is CaptureFormat.DERIBIT
    for path in sorted((data / "omi/Coinbase/MarketDataApi.v1.2").glob("*.pcap")):
        assert capture_format(path) is CaptureFormat.COINBASE_DERIVATIVES
    for path in sorted((data / "omi/Nasdaq").rglob("*.pcap")):
        assert capture_format(path) is None


def test_packets_of_no_known_format(data: Path) -> None:
    path = sorted((data / "omi/Nasdaq").rglob("*.pcap"))[0]
    with pytest.raises(MissingInput, match="no known format"):
        whole_capture("nasdaq", path)


def test_packets_of_another_venue(data: Path) -> None:
    with pytest.raises(MissingInput, match="holds packets of deribit, expected starbase"):
        whole_capture("starbase", data / SAMPLE)


def test_captured_packets_of_coinbase_derivatives_are_read(data: Path) -> None:
    for path in sorted((data / "omi/Coinbase/MarketDataApi.v1.2").glob("*.pcap")):
        form = CaptureFormat.COINBASE_DERIVATIVES
        instruments = tuple(definition.instrument() for definition in capture_definitions(path, form))
        settings = PacketSourceSettings("coinbase-derivatives", path, form, instruments, (None,) * len(instruments))
        summary, _ = replayed(settings)
        assert summary.rejects == {}
        assert summary.transport["packets"] == 1
