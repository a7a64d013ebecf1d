"""Quantities that arrive in contracts reach the engine in base currency, by what the profile says a contract is."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.loading import load_settings
from config.venues import VenueName
from market.wire.records import Rows
from orchestrator.replay.plan import SourceFile, session_settings
from sim.replay.session import Session

PROFILE = """
[venues.okx]
taker_fee_bps = 5
maker_fee_bps = 0

[instruments.BTC]
kinds = ["imbalance"]
reference_price = 60_000
minimum_quantity = 0.001
maximum_quantity = 0.01
collar_pct = 20
maximum_notional_quote = 10_000
position_limit = 1

[instruments.BTC.markets.okx]
symbol = "{symbol}"
price_decimals = 1
quantity_decimals = 8
{contract}
"""
SNAPSHOT = (
    '{"arg":{"channel":"books","instId":"%s"},"action":"snapshot","data":[{"asks":[["60000.1","250","0","1"]],'
    '"bids":[["60000","12.5","0","1"]],"ts":"1723161255208","checksum":0,"prevSeqId":-1,"seqId":7}]}'
)


class Quotes:
    """Keeps the quotes of a session."""

    def __init__(self) -> None:
        self.rows: list[list[int]] = []

    def outputs(self, payloads: list[bytes]) -> None:
        """Of no interest here."""

    def quotes(self, rows: Rows) -> None:
        self.rows += rows.tolist()

    def changes(self, rows: Rows) -> None:
        """Of no interest here."""


@pytest.mark.parametrize(
    ("symbol", "contract", "bid_quantity", "ask_quantity"),
    [
        ("BTC-USDT", "", 12_500_000_000, 250_000_000_000),
        ("BTC-USDT-SWAP", "contract_size_base = 0.01", 125_000_000, 2_500_000_000),
        ("X-USDT-SWAP-OF-A-LONG-NAME", "contract_size_base = 1_000", 12_500_000_000_000, 250_000_000_000_000),
    ],
)
def test_linear_contracts(tmp_path: Path, symbol: str, contract: str, bid_quantity: int, ask_quantity: int) -> None:
    profile = tmp_path / "okx.toml"
    profile.write_text(PROFILE.format(symbol=symbol, contract=contract))
    recording = tmp_path / "lines"
    recording.write_text(f"1723161255210000000 {SNAPSHOT % symbol}\n")
    settings = load_settings(profile, local=None, environment={})
    planned = session_settings(settings, [SourceFile(VenueName.OKX, recording)], keep_quotes=True, keep_changes=True)
    kept = Quotes()
    Session(planned, kept).run()
    assert [row[4:8] for row in kept.rows] == [
        [60_000 * 10**9, bid_quantity, 60_000_100_000_000, ask_quantity],
    ]
