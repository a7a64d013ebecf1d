"""The soak notices what grows and what is lost, and a short one passes."""

from __future__ import annotations

import json
from dataclasses import replace

import msgspec
import pytest

from orchestrator.feeds.account import MessageAccount
from orchestrator.live.soak import main, unaccounted
from orchestrator.live.soak_load import Load
from orchestrator.live.soak_watch import Sample, excesses, growth
from sim.exchange.venue.kinds import MarketKind
from sim.exchange.venue.model import BackgroundModel, SymbolModel, VenueModel
from sim.exchange.venue.venue import SimulatedVenue

NOW_NS = 1_767_225_600_000_000_000
SECOND_NS = 1_000_000_000
MIB = 1 << 20
CALM = [Sample(float(second), 300 * MIB, {"market data": 3, "database bytes": 0}) for second in range(100)]
DECODED = {"IGNORED": 0, "DIFF": 10, "SNAPSHOT": 2, "QUOTE": 80, "TRADE": 9, "GAP": 1}
ACCOUNT = MessageAccount(
    source="binance-spot",
    received=103,
    waiting=3,
    taken=100,
    standby=0,
    repeated=0,
    decoded=DECODED,
    rejected={"MALFORMED": 1},
)


def test_a_calm_run_has_no_excess() -> None:
    assert excesses(CALM, 1_000, 1_000) == []


def test_memory_may_grow_by_a_twentieth() -> None:
    grown = [replace(one, resident_bytes=round(300 * MIB * (1 + one.at_s / 1_000))) for one in CALM]
    assert (
        excesses([replace(one, resident_bytes=300 * MIB + round(one.at_s) * 1_000) for one in CALM], 1_000, 1_000) == []
    )
    assert any("memory grew by 7." in miss for miss in excesses(grown, 1_000, 1_000))


def test_a_single_peak_of_memory_is_no_growth() -> None:
    assert excesses([*CALM, replace(CALM[0], resident_bytes=900 * MIB), *CALM], 1_000, 1_000) == []


def test_a_queue_that_grows_is_named() -> None:
    longer = [replace(one, queues={**one.queues, "market data": 10 * round(one.at_s)}) for one in CALM]
    assert [miss.split(":")[0] for miss in excesses(longer, 1_000, 1_000)] == ["market data"]


def test_a_rate_that_was_not_kept_is_a_miss() -> None:
    assert any("6,992 messages per second were sent" in miss for miss in excesses(CALM, 10_000, 6_992))


def test_growth_is_between_the_medians_of_the_first_and_the_last_fifth() -> None:
    assert (growth([1, 2, 3, 9, 4, 5, 6, 8, 8, 8]).first, growth([1, 2, 3, 9, 4, 5, 6, 8, 8, 8]).most) == (1.5, 9)


def test_every_message_is_sent_received_taken_and_decoded_or_refused() -> None:
    assert unaccounted({"binance-spot": 100}, {"binance-spot": 100}, [ACCOUNT]) == []
    assert "100 messages were sent and 99 arrived" in unaccounted({"binance-spot": 100}, {"binance-spot": 99}, [])[0]
    lost = msgspec.structs.replace(ACCOUNT, taken=99)
    assert "1 messages arrived and were neither taken nor do they wait" in unaccounted({}, {}, [lost])[0]
    unread = msgspec.structs.replace(ACCOUNT, rejected={})
    assert "1 messages were taken and are neither decoded nor refused" in unaccounted({}, {}, [unread])[0]


def loaded_venue() -> tuple[SimulatedVenue, Load, list[int]]:
    background = BackgroundModel(seed=1, stream=1, levels=5, spacing_ticks=20, half_spread_ticks=100)
    symbol = SymbolModel.of("BTCUSDT", "BTC", "USDT", tick="0.01", lot="0.00001", price="60000", background=background)
    venue = SimulatedVenue(
        VenueModel(name="venue", kind=MarketKind.SPOT, symbols=(symbol,), accounts=(), start_ns=NOW_NS)
    )
    published = [0]
    return venue, Load(venue, 7, lambda: published[0]), published


def test_a_load_makes_what_is_missing_to_the_rate() -> None:
    venue, load, published = loaded_venue()
    venue.advance(NOW_NS)
    venue.take_events()
    load.set_rate(100, NOW_NS)
    load.advance(NOW_NS + SECOND_NS // 10)
    changed = len(venue.take_events())
    assert changed >= 10
    published[0] = 10
    load.advance(NOW_NS + SECOND_NS // 10)
    assert venue.take_events() == []
    load.set_rate(0, NOW_NS + SECOND_NS)
    load.advance(NOW_NS + 2 * SECOND_NS)
    assert venue.take_events() == []


def test_a_load_that_is_late_says_what_it_left_out() -> None:
    _, load, _ = loaded_venue()
    load.set_rate(100, NOW_NS)
    load.advance(NOW_NS + 3 * SECOND_NS)
    assert load.missed == 200


@pytest.mark.long
def test_twenty_seconds_at_a_thousand_messages_per_second(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--rate", "1000", "--seconds", "20", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["misses"] == []
    assert sum(result["sent"].values()) == sum(result["received"].values()) >= 19_000
    assert result["run"]["counts"]["placed"] > 10


def test_less_than_four_seconds_are_refused() -> None:
    assert main(["--seconds", "1"]) == 2
