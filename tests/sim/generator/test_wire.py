"""Generated lines are what a venue sends: decoders, books and recognition take them for it."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import msgspec
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from config.venues import VenueName
from market.book import book as header
from market.wire.records import (
    ASK_PRICE,
    BID_PRICE,
    DIFF,
    IGNORED,
    LAST_ID,
    QUOTE,
    RECEIVE_NS,
    REJECTED,
    SNAPSHOT,
    TRADE,
)
from sim.generator.market import generate
from sim.generator.recording import write_recordings
from sim.generator.settings import SECOND_NS, Coin, CrashSettings, GeneratorSettings
from sim.recording.recognise import Format, recognise
from tests.sim.generator.generated import CM, SPOT, USDM, VENUES, Rebuilt, by_venue, rebuild_all

SEEDS = (1, 2, 3)
CRASH = CrashSettings(at_ns=6 * SECOND_NS, drop_bps=2_500, fall_ns=2 * SECOND_NS, rebound_ns=2 * SECOND_NS)
SETTINGS = GeneratorSettings(duration_ns=14 * SECOND_NS, crash=CRASH)
FILES = {SPOT: "spot_{}usdt", USDM: "usdm_{}usdt", CM: "cm_{}usd_perp"}
NUMBER = re.compile(r"\d+")


@pytest.fixture(scope="module", params=[*((Coin.BTC, seed) for seed in SEEDS), (Coin.ETH, 1), (Coin.ETH, 2)])
def rebuilt(request: pytest.FixtureRequest) -> dict[VenueName, Rebuilt]:
    """A market with the deepest crash that the settings allow."""
    coin, seed = request.param
    return rebuild_all(generate(SETTINGS.model_copy(update={"coins": (coin,)}), seed), coin)


@pytest.mark.parametrize("venue", VENUES)
def test_every_line_decodes(rebuilt: dict[VenueName, Rebuilt], venue: VenueName) -> None:
    market = rebuilt[venue]
    counts = {kind: len(market.of(kind)) for kind in (DIFF, SNAPSHOT, QUOTE, TRADE, REJECTED, IGNORED)}
    assert (counts[REJECTED], counts[IGNORED], counts[SNAPSHOT]) == (0, 0, 1)
    assert min(counts[DIFF], counts[QUOTE], counts[TRADE]) > 50


@pytest.mark.parametrize("venue", VENUES)
def test_the_book_joins_without_a_gap_and_equals_every_quote_of_its_id(
    rebuilt: dict[VenueName, Rebuilt], venue: VenueName
) -> None:
    book = rebuilt[venue].header
    assert book[header.SYNCHRONISED] == 1
    assert (book[header.GAPS], book[header.CROSSED], book[header.PRUNED], book[header.RESYNCS]) == (0, 0, 0, 0)
    assert book[header.CHECKS] > 10
    assert book[header.EQUAL] == book[header.CHECKS]


@pytest.mark.parametrize("venue", VENUES)
def test_quotes_are_never_crossed_and_ids_and_times_never_go_back(
    rebuilt: dict[VenueName, Rebuilt], venue: VenueName
) -> None:
    market = rebuilt[venue]
    quotes = market.of(QUOTE)
    assert (quotes[:, BID_PRICE] < quotes[:, ASK_PRICE]).all()
    assert (quotes[1:, LAST_ID] > quotes[:-1, LAST_ID]).all()
    trades = market.of(TRADE)
    assert (trades[1:, LAST_ID] == trades[:-1, LAST_ID] + 1).all()
    assert (market.records[1:, RECEIVE_NS] > market.records[:-1, RECEIVE_NS]).all()


CRASHES = st.builds(
    CrashSettings,
    at_ns=st.integers(0, SECOND_NS // 2),
    drop_bps=st.integers(10, 2_500),
    fall_ns=st.integers(SECOND_NS // 10, SECOND_NS // 2),
    rebound_percent=st.integers(0, 100),
    rebound_ns=st.integers(SECOND_NS // 10, SECOND_NS),
)
MARKETS_OF_ALL_SORTS = st.builds(
    GeneratorSettings,
    start_ns=st.integers(10**18, 2**61),
    duration_ns=st.just(SECOND_NS),
    coins=st.sampled_from([(Coin.BTC,), (Coin.ETH,)]),
    price=st.integers(20_000, 1_000_000),
    ether_price=st.integers(1_000, 50_000),
    activity_percent=st.integers(10, 1_000),
    news_per_minute=st.integers(0, 600),
    dislocations_per_minute=st.integers(0, 600),
    crash=st.none() | CRASHES,
)


@settings(derandomize=True, deadline=None, max_examples=16, phases=[Phase.explicit, Phase.generate])
@given(chosen=MARKETS_OF_ALL_SORTS, seed=st.integers(0, 2**64))
def test_any_settings_give_a_sound_market(chosen: GeneratorSettings, seed: int) -> None:
    for venue, market in rebuild_all(generate(chosen, seed), chosen.coins[0]).items():
        quotes, book = market.of(QUOTE), market.header
        assert len(market.of(REJECTED)) == 0, venue
        assert (quotes[:, BID_PRICE] < quotes[:, ASK_PRICE]).all(), venue
        assert (book[header.SYNCHRONISED], book[header.GAPS], book[header.CROSSED]) == (1, 0, 0), venue
        assert book[header.EQUAL] == book[header.CHECKS], venue


def test_a_diff_before_the_snapshot_straddles_it() -> None:
    texts = by_venue(generate(GeneratorSettings(duration_ns=SECOND_NS), 1))
    for venue, lines in texts.items():
        messages = [msgspec.json.decode(line.partition(" ")[2]) for line in lines]
        at = next(index for index, message in enumerate(messages) if "lastUpdateId" in message)
        last_id = messages[at]["lastUpdateId"]
        diffs = [message["data"] for message in messages[:at] if message.get("data", {}).get("e") == "depthUpdate"]
        assert any(diff["U"] <= last_id <= diff["u"] for diff in diffs), venue
        assert 900 <= len(messages[at]["bids"]) <= 1_000


def test_files_are_recognised(tmp_path: Path) -> None:
    settings = GeneratorSettings(coins=tuple(Coin), duration_ns=SECOND_NS)
    files = write_recordings(settings, 1, tmp_path)
    assert len(files) == 6
    for file in files:
        seen = recognise(file.path)
        symbol = f"{file.coin}USD_PERP" if file.venue is CM else f"{file.coin}USDT"
        assert (seen.format, seen.venue, seen.symbols) == (Format.RAW_LINES, file.venue, (symbol,))


def test_arrivals_of_all_venues_are_merged_in_order() -> None:
    times = [line.receive_ns for line in generate(GeneratorSettings(duration_ns=2 * SECOND_NS), 4)]
    assert times == sorted(times)


def shape(line: str) -> str:
    """A line with its numbers blotted out but the decimals counted, and its levels reduced to one."""
    text = re.sub(r'(\["[\d.]+","[\d.]+"\],)+(?=\[)', "", line.partition(" ")[2])
    text = re.sub(r"\.(\d+)", lambda match: "." + "d" * len(match[1]), text)
    text = text.replace("true", "flag").replace("false", "flag")
    return NUMBER.sub("n", text)


@pytest.mark.parametrize("coin", Coin)
@pytest.mark.parametrize("venue", VENUES)
def test_messages_have_the_form_of_recorded_ones(data: Path, venue: VenueName, coin: Coin) -> None:
    path = data / "binance-20240808" / f"{FILES[venue].format(coin.lower())}_20240808.gz"
    with gzip.open(path, "rt") as lines:
        recorded = {shape(line) for line, _ in zip(lines, range(20_000), strict=False)}
    settings = GeneratorSettings(coins=(coin,), duration_ns=10 * SECOND_NS)
    generated = {shape(line) for line in by_venue(generate(settings, 1), coin)[venue]}
    assert len(generated) >= 4
    assert generated <= recorded
