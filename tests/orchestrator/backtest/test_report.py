"""``tickwire report`` and ``tickwire backtest --report``: golden numbers of a hand-made run, and a generated one."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from orchestrator.backtest.money_charts import drawdowns, heat, thinned
from orchestrator.backtest.price_chart import MOST_TITLES, coarser
from orchestrator.backtest.record import RunRecord, read_record, write_record
from orchestrator.backtest.report import backtest_page
from orchestrator.backtest.result import FORMAT
from orchestrator.backtest.states import Row
from orchestrator.cli.entry import main
from orchestrator.cli.exits import ExitCode
from tests.orchestrator.backtest.market import PROFILE
from tests.orchestrator.replay.test_report import Page

SECOND = 1_000_000_000
# Thursday, 2024-08-08 12:00 UTC.
START = 1_723_118_400 * SECOND
MARKET = "ABQ on <venue>"
RESULT: dict[str, Any] = {
    "format": FORMAT,
    "synthetic": False,
    "synthetic_sources": [],
    "sources": {"<venue>": "file.gz"},
    "clock_ahead_ns": {"<venue>": 1_500_000},
    "first_ns": START,
    "last_ns": START + 10 * SECOND,
    "events": 1_234,
    "gaps": 3,
    "refused": {"<venue>": 2},
    "damage": [],
    "model": {
        "queue": "power",
        "queue_exponent": "3",
        "partial_fills": True,
        "own_impact": True,
        "exact_queues": ["<other>"],
        "latency_us": {"<venue>": [5_000, 7_000], "<other>": [1, 2]},
        "latency_samples": {"<venue>": 0, "<other>": 1_234},
        "slippage": {"<venue>": "NONE", "<other>": "SQUARE_ROOT"},
        "funding_times": 3,
    },
    "settings": {"backtest": {"queue": "power"}, "fees_bps": {"<venue>": {"maker": "2", "taker": "5"}}},
    "strategies": ["crash"],
    "counts": {"events": 99, "strategy_errors": 0},
    "orders": {"FILLED": 2, "CANCELLED": 1, "REJECTED": 1},
    "fills": {"MAKER": 1, "TAKER": 1},
    "markets": [
        {
            "market": MARKET,
            "currency": "Q",
            "fills": 2,
            "turnover": "210.5",
            "position": "0",
            "realised": "7.75",
            "unrealised": "0",
            "fees": "0.4",
            "funding": "0",
            "equity": "7.35",
        }
    ],
    "performance": {
        "Q": {
            "gain": "7.35",
            "drawdown": "2.25",
            "drawdown_s": 4.0,
            "sharpe": 12.34,
            "sortino": None,
            "samples": 3,
            "interval_s": 2.5,
            "closing_count": 1,
            "closing_wins": 1,
            "closing_average_win": "7.55",
            "closing_average_loss": None,
            "closing_win_rate": 1.0,
            "fees": {"MAKER": "0.1", "TAKER": "0.3"},
        }
    },
    "attribution": [
        {"strategy": "crash", "market": MARKET, "realised": "7.75", "unrealised": "0", "fees": "0.4", "equity": "7.35"}
    ],
    "opportunities": [
        {"strategy": "crash", "detected": 9, "wanted": 3, "sent": 2, "filled": 1, "rejected": {"SCORE": 6}},
    ],
    "models": {},
    "markouts": [
        {"market": MARKET, "strategy": "crash", "liquidity": "MAKER", "horizon_ms": 100, "bps": 1.5, "fills": 1},
        {"market": MARKET, "strategy": "crash", "liquidity": "MAKER", "horizon_ms": 10_000, "bps": None, "fills": 0},
    ],
    "detectors": [
        {
            "strategy": "crash",
            "market": MARKET,
            "states_ns": {"SLEEP": 4 * SECOND, "ACTIVE": 3 * SECOND, "RECOVERY": 3 * SECOND},
        }
    ],
    "decision_hash": "d" * 64,
    "run_hash": "abcdef0123456789" * 4,
    "interrupted": False,
    "problems": [],
}


def order_row(number: int, state: str, price: str | None, filled: str, why: str = "") -> Row:
    """An order that was sent at a second and ended two seconds later."""
    start = START + number * SECOND
    return {
        "decided_ns": start,
        "sent_ns": 0 if state == "REJECTED" else start,
        "acknowledged_ns": start,
        "ended_ns": start + 2 * SECOND,
        "market": MARKET,
        "strategy": "crash",
        "order": f"order-{number}",
        "side": "BUY" if number % 2 else "SELL",
        "type": "MARKET" if price is None else "LIMIT",
        "time_in_force": "GTC",
        "price": None if price is None else Decimal(price),
        "quantity": Decimal("1.00"),
        "filled": Decimal(filled),
        "state": state,
        "reason": "",
        "why": why,
    }


def trade_row(number: int, price: str, liquidity: str) -> Row:
    """The one fill of an order."""
    return {
        "time_ns": START + number * SECOND + 20,
        "venue_ns": START + number * SECOND + 10,
        "decided_ns": START + number * SECOND,
        "market": MARKET,
        "strategy": "crash",
        "order": f"order-{number}",
        "side": "BUY" if number % 2 else "SELL",
        "liquidity": liquidity,
        "price": Decimal(price),
        "quantity": Decimal("1.00"),
        "notional": Decimal(price),
        "fee": Decimal("0.2"),
        "synthetic": True,
    }


def state_row(second: int, equity: str) -> Row:
    """A sample of the market."""
    money = {name: Decimal(equity) for name in ("realised", "unrealised", "fees", "funding", "equity")}
    prices = {"bid": Decimal(100), "ask": None, "position": Decimal(0)}
    return {
        "time_ns": START + second * SECOND,
        "market": MARKET,
        "working_orders": 1,
        **prices,
        **money,
        "synthetic": True,
    }


def candle_row(second: int, *prices: str) -> Row:
    names = ("open", "high", "low", "close")
    values = dict(zip(names, map(Decimal, prices), strict=True))
    return {"time_ns": START + second * SECOND, "market": MARKET, **values}


def change_row(second: int, before: str, after: str) -> Row:
    time_ns = START + second * SECOND
    causes = {"cause": "CONFIRMED", "signals": "VOLATILITY SPREAD"}
    return {"time_ns": time_ns, "market": MARKET, "strategy": "crash", "before": before, "after": after, **causes}


RECORD = RunRecord(
    result=RESULT,
    orders=[
        order_row(1, "FILLED", "101.5", "1.00", "score <90> & more\nsecond line"),
        order_row(2, "FILLED", None, "1.00"),
        order_row(3, "CANCELLED", "50", "0"),
        order_row(4, "REJECTED", "102", "0"),
    ],
    trades=[trade_row(1, "101.5", "MAKER"), trade_row(2, "109", "TAKER")],
    states=[state_row(0, "0"), state_row(3, "6"), state_row(7, "3.75"), state_row(10, "7.35")],
    candles=[candle_row(0, "100", "103", "99", "102"), candle_row(5, "102", "110", "101", "101.5")],
    transitions=[change_row(4, "SLEEP", "ACTIVE"), change_row(7, "ACTIVE", "RECOVERY")],
)


def charts(text: str) -> list[ElementTree.Element]:
    """The page's outer pictures, each parsed as XML."""
    return [ElementTree.fromstring(part) for part in re.findall(r"<svg xmlns.*?</svg></svg>", text, re.DOTALL)]


def drawn(chart: ElementTree.Element, kind: str) -> list[tuple[str, str, str]]:
    """Class, path and text of everything of a kind."""
    return [
        (part.get("class", ""), part.get("d", ""), "".join(part.itertext()))
        for part in chart.iter()
        if part.get("class", "").split()[:1] == [kind]
    ]


def test_the_page_is_whole_and_needs_nothing_else() -> None:
    text = backtest_page(RECORD)
    found = Page(text)
    assert not found.open
    assert found.fetched == []
    assert set(re.findall(r"https?://[^\"'\s<]+", text)) == {"http://www.w3.org/2000/svg"}
    assert not any(word in text for word in ("url(", "@import", "{{"))
    assert len(charts(text)) == text.count("<figure>") == 3


def test_golden_numbers_are_in_it() -> None:
    words = " ".join(Page(backtest_page(RECORD)).words.split())
    for text in (
        "7.35 Q gained after fees",
        "100.0% win rate, Q",
        "largest fall 2.25 in 4 s",
        "Sharpe, Sortino per year 12.34, ?",
        "average win, loss 7.55, ?",
        "fees as MAKER 0.10 fees as TAKER 0.30",
        f"crash {MARKET} 7.75 0.00 0.40 7.35",
        f"{MARKET} crash MAKER 1.500 (1) ?",
        "ACTIVE 3.000 30.00%",
        "crash 4 1 2 50.0%",
        f"run hash {'abcdef0123456789' * 4}",
        "lost a book 3 times",
        "ahead of the receiver's",
        "requests to <venue> take 5,000 us and answers 7,000 us",
        "requests to <other> and its answers take as long as in 1,234 samples",
        "Places in queues are exact on <other>",
        "by the model power",
        "orders that take on <venue> are filled at what the book displays, without slippage",
        "Funding came due 3 times",
        "Fees on <venue>: 2 bps as maker, 5 bps as taker",
        "365 days",
        "not checked for looking ahead",
    ):
        assert text in words, text
    assert "SYNTHETIC" not in words


def test_a_generated_market_says_so() -> None:
    whole = {"synthetic": True, "synthetic_sources": ["<venue>"]}
    words = Page(backtest_page(replace(RECORD, result={**RESULT, **whole}))).words
    assert "SYNTHETIC: generated, not recorded" in words


def test_of_a_generated_and_a_recorded_market_it_is_said_which_is_which() -> None:
    mixed = {"synthetic": True, "synthetic_sources": ["<venue>"], "sources": {"<venue>": "a.gz", "<other>": "b.gz"}}
    words = Page(backtest_page(replace(RECORD, result={**RESULT, **mixed}))).words
    assert "SYNTHETIC: <venue> generated, not recorded; <other> recorded" in words


def test_every_order_and_fill_is_drawn_at_its_time_and_price() -> None:
    prices = charts(backtest_page(RECORD))[0]
    told = json.loads(prices.attrib["data-zoom"])
    orders = drawn(prices, "order")
    assert [(kind, d.split(" ")[0], d.split("H")[1]) for kind, d, _ in orders] == [
        ("order buy", "M1000", "3000"),
        ("order buy", "M3000", "5000"),
        ("order sell", "M2000", "4000"),
        ("order refused", "M4000", "6000"),
    ]
    assert "score <90> & more\nsecond line" in orders[0][2]

    def price(d: str) -> float:
        pixel = float(re.findall(r"M\d+ ([\d.]+)", d)[0])
        return float(told["high"] - (told["high"] - told["low"]) * pixel / told["inner"])

    assert price(orders[0][1]) == pytest.approx(101.5, abs=0.01)
    assert price(orders[1][1]) == pytest.approx(told["low"]), "outside of the range: at the edge"
    assert price(orders[2][1]) == pytest.approx(109, abs=0.01), "without a limit: where it filled"
    fills = drawn(prices, "fill")
    assert [(kind, d.split(" ")[0]) for kind, d, _ in fills] == [
        ("fill buy made", "M1000"),
        ("fill sell taken", "M2000"),
    ]
    assert price(fills[1][1]) == pytest.approx(109, abs=0.01)


def test_states_are_bands_of_their_time() -> None:
    prices = charts(backtest_page(RECORD))[0]
    bands = [(p.get("class"), p.get("x"), p.get("width")) for p in prices.iter() if "state" in p.get("class", "")]
    assert bands == [("state at-active", "4000", "3000"), ("state at-recovery", "7000", "3000")]


def test_very_many_orders_are_all_drawn_without_a_text_each() -> None:
    many = [order_row(number % 9 + 1, "CANCELLED", "101", "0") for number in range(MOST_TITLES + 1)]
    prices = charts(backtest_page(replace(RECORD, orders=many)))[0]
    assert sum(d.count("M") for _, d, _ in drawn(prices, "order")) == len(many)
    assert len(drawn(prices, "order")) == 2


def test_candles_become_coarser_rather_than_too_many() -> None:
    rows = [candle_row(second, str(second + 1), str(second + 9), "1", str(second + 2)) for second in range(100)]
    candles, width_s = coarser(rows, most=20)
    assert (len(candles), width_s) == (20, 5)
    assert (candles[1].open, candles[1].high, candles[1].low, candles[1].close) == (6, 18, 1, 11)
    assert coarser(rows)[1] == 1


def test_the_heat_map_and_the_drawdown_are_those_of_the_equity() -> None:
    curve = [(row["time_ns"], row["equity"]) for row in RECORD.states]
    later = [*curve, (START + 3_600 * SECOND, Decimal("5.35"))]
    assert heat(later) == {(3, 12): Decimal("7.35"), (3, 13): Decimal("-2")}
    assert [fall for _, fall in drawdowns(curve)] == [0, 0, Decimal("-2.25"), 0]
    assert 'title="Thu 12:00: 7.35"' in backtest_page(RECORD)


def test_a_thinned_curve_keeps_its_extremes() -> None:
    curve = [(number, Decimal(number % 7)) for number in range(1_000)]
    curve[501] = (501, Decimal(-50))
    kept = thinned(curve, most=100)
    assert len(kept) <= 102
    assert (501, Decimal(-50)) in kept
    assert kept[-1] == curve[-1]
    assert kept == sorted(kept)


def test_a_record_is_read_back_as_it_was(tmp_path: Path) -> None:
    write_record(tmp_path, RECORD)
    assert read_record(tmp_path) == RECORD


@pytest.fixture
def profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A profile file, in the working directory."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "maker.toml").write_text(PROFILE, encoding="utf-8")
    return "maker.toml"


def test_the_report_of_a_folder_is_that_of_the_run(
    usdm: Path, profile: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["backtest", "--profile", profile, "--source", f"binance-usdm={usdm}", "--out", "run"]
    assert main([*words, "--report", "page.html"]) == ExitCode.DONE
    first = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert (tmp_path / "run/report.html").read_text(encoding="utf-8") == first
    assert main(["report", "run", "--out", "again.html"]) == ExitCode.DONE
    capsys.readouterr()
    assert (tmp_path / "again.html").read_text(encoding="utf-8") == first
    record = read_record(tmp_path / "run")
    prices = charts(first)[0]
    for row in record.trades:
        assert any(text.startswith(row["order"]) for _, _, text in drawn(prices, "fill"))
    assert len(drawn(prices, "order")) == len(record.orders) > len(record.trades) > 0
    assert len(drawn(prices, "fill")) == len(record.trades)
    assert sum((row["filled"] for row in record.orders), Decimal(0)) == sum(
        (row["quantity"] for row in record.trades), Decimal(0)
    )
    assert len(record.candles) >= 15
    assert all(row["synthetic"] is True for row in (*record.trades, *record.states))
    (found,) = record.result["performance"].values()
    assert found["gain"] == record.result["markets"][0]["equity"]


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("result.json", None, "result.json is missing"),
        ("result.json", "{", "result.json is damaged"),
        ("result.json", "[]", "result.json says format None"),
        ("result.json", '{"format": "tickwire backtest 1"}', "'tickwire backtest 1', expected"),
        ("result.json", json.dumps({"format": FORMAT}), "result.json and the tables beside it"),
        ("orders.csv", None, "orders.csv cannot be read"),
        ("trades.csv", "time_ns,market\n", "trades.csv has columns time_ns, market"),
        ("candles.csv", "time_ns,market,open,high,low,close\n1,a,1,2\n", "candles.csv, line 2: 4 cells"),
        ("candles.csv", "time_ns,market,open,high,low,close\n1,a,1,2,nan,3\n", "candles.csv, line 2: low was 'nan'"),
    ],
)
def test_a_folder_that_is_no_run_is_named_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], file: str, content: str | None, said: str
) -> None:
    write_record(tmp_path, RECORD)
    if content is None:
        (tmp_path / file).unlink()
    else:
        (tmp_path / file).write_text(content, encoding="utf-8")
    before = sorted(tmp_path.iterdir())
    assert main(["report", str(tmp_path)]) == ExitCode.INPUT
    assert said in capsys.readouterr().err
    assert sorted(tmp_path.iterdir()) == before


def test_what_was_detected_stands_beside_what_was_traded() -> None:
    text = backtest_page(RECORD)
    assert "opportunities detected and traded" in text
    assert "SCORE 6" in text


def test_a_folder_that_is_not_there_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(tmp_path / "nowhere")]) == ExitCode.INPUT
    assert "nowhere" in capsys.readouterr().err
    assert not (tmp_path / "nowhere").exists()
