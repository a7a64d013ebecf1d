"""Captures of multicast packets through the command line: with and without markets in the profile."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.orchestrator.cli.terminal import Terminal

PROFILE = """
[venues.deribit]
taker_fee_bps = 5
maker_fee_bps = 0
maximum_age_ms = 60_000
maximum_silence_ms = 60_000

[instruments.BTC]
kinds = ["imbalance"]
reference_price = 26_000
minimum_quantity = 0.0001
maximum_quantity = 0.01
imbalance_threshold = 0.1
maximum_spread_bps = 500
collar_pct = 20
maximum_notional_quote = 10_000
position_limit = 1

[instruments.BTC.markets.deribit]
symbol = "BTC-PERPETUAL"
price_decimals = 2
quantity_decimals = 8
contract_value_quote = 1
"""


@pytest.fixture
def sample(data: Path) -> Path:
    return data / "deribit-multicast" / "sample_capture_v1_6.pcapng"


def test_a_capture_of_a_venue_that_the_profile_does_not_trade_is_checked(terminal: Terminal, sample: Path) -> None:
    ended = terminal.run("replay", "--source", f"deribit={sample}", "--json")
    source = ended.json["sources"]["deribit"]
    assert ended.code == 0
    assert (source["book_checks"], source["book_equal"]) == (695, 695)
    assert (source["snapshot_checks"], source["snapshot_equal"]) == (110, 110)
    assert (source["rejects"], source["gaps"], source["transport"]["gaps"]) == ({}, 0, 0)
    assert ended.json["events"] == 0


def test_a_market_of_the_profile_triggers(terminal: Terminal, sample: Path, tmp_path: Path) -> None:
    profile = tmp_path / "deribit.toml"
    profile.write_text(PROFILE)
    runs = [
        terminal.run("replay", "--source", f"deribit={sample}", "--profile", profile, "--json").json for _ in range(2)
    ]
    assert runs[0]["sources"]["deribit"]["synchronised"]
    assert runs[0]["events"] > 100
    assert runs[0]["triggers"]["IMBALANCE"] > 0
    assert runs[0]["decision_hash"] == runs[1]["decision_hash"]


def test_the_wrong_name_of_a_venue(terminal: Terminal, sample: Path) -> None:
    ended = terminal.run("replay", "--source", f"starbase={sample}")
    assert ended.code == 3
    assert "holds packets of deribit, expected starbase" in ended.err
