"""A backtest over packets that state every order, from the command line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from market.wire.sbe import encode
from sim.matching.layout import BID
from sim.replay.capture_format import CaptureFormat
from tests.market.book.order_feeds import INSTRUMENT, STARBASE
from tests.orchestrator.cli.terminal import Terminal
from tests.sim.backtest.single_orders import MIDDLE, Crowd, Publisher, passive_book

STEP_NS = 50_000_000
PROFILE = """
extends = "demo"

[venues.starbase]
taker_fee_bps = 5
maker_fee_bps = -1
maximum_age_ms = 60_000
maximum_silence_ms = 60_000

[instruments.BTC]
reference_price = 100

[instruments.BTC.markets.starbase]
symbol = "BTC-PERPETUAL"
price_decimals = 1
quantity_decimals = 3

[strategies]
active = ["market-making"]

[strategies.market_making]
instrument = "BTC"
venue = "starbase"
quantity = 0.003
inventory_limit = 0.02
spread = 0.00001
vpin_bucket = 1_000
volatility_limit_bps = 1_000
wide_spread_bps = 1_000
repost_bps = 50
"""


def definition() -> bytes:
    """What the instrument is; its number in the channel is set by the publisher."""
    layout = STARBASE.message("InstrumentDefinition")
    values: dict[str, int | str] = {name: 0 for name, leaf in layout.fields.items() if leaf.array_length == 1}
    values |= {"name": "BTC-PERPETUAL", "underlying": "BTC", "quantityAsset": "BTC", "priceAsset": "USD"}
    values |= {"instrumentId": INSTRUMENT, "quantityExponent": -3, "tickSize": 100_000_000}
    return encode(STARBASE, layout.name, values, {"flags": 3, "transactTime": 0})


@pytest.fixture(scope="module")
def capture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A minute of a market that publishes every order."""
    publisher = Publisher(CaptureFormat.STARBASE, np.random.default_rng(5))
    publisher.send(1, [definition()])
    start_ns = 1_700_000_000_000_000_000
    crowd = Crowd(publisher, BID, MIDDLE, identifier=1_000)
    rows = passive_book(publisher, 1)
    for step in range(1_200):
        row = rows[step] if step < len(rows) else crowd.next()
        if row is not None:
            publisher.do(row, start_ns + step * STEP_NS)
    publisher.packets = [(max(time_ns, start_ns - 1), packet) for time_ns, packet in publisher.packets]
    path = tmp_path_factory.mktemp("capture") / "orders.pcap"
    publisher.capture(path)
    return path


def test_orders_stand_in_exact_queues(terminal: Terminal, capture: Path, tmp_path: Path) -> None:
    profile = tmp_path / "starbase.toml"
    profile.write_text(PROFILE)
    arguments = ("backtest", "--source", f"starbase={capture}", "--profile", profile, "--json")
    ended = terminal.run(*arguments, "--out", tmp_path / "run", "--check-lookahead", "3")
    assert ended.code == 0, ended.err
    result = ended.json
    assert result["model"]["exact_queues"] == ["starbase"]
    assert result["fills"]["MAKER"] > 10
    assert result["gaps"] == 0
    again = terminal.run(*arguments).json
    assert again["run_hash"] == result["run_hash"]
    # No model of queues is asked where places are known.
    other = terminal.run(*arguments, "--queue", "log").json
    assert other["run_hash"] == result["run_hash"]
