"""The report: one file that needs nothing else and says what the terminal says."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from tests.orchestrator.cli.terminal import Terminal
from tests.orchestrator.replay.market_lines import line, spot_lines, spot_quote, spot_snapshot, write

GENERATED = "synthetic-7-binance-spot.gz"
VOID = {"meta", "br", "img", "input", "link", "hr"}


class Page(HTMLParser):
    """Tags in order, the text outside of scripts and styles, and everything that would be fetched."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.fetched: list[str] = []
        self.readouts: list[dict[str, Any]] = []
        self.words = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name in {"src", "href", "srcset", "xlink:href", "action"}:
                self.fetched.append(f"{tag} {name}={value}")
            if name == "data-readout" and value:
                self.readouts.append(json.loads(value))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not {"script", "style"} & set(self.open):
            self.words += f"{data} "


def futures_lines(shift: float) -> list[str]:
    """A USD-M recording of quotes around the spot prices of ``spot_lines``, with one swing."""
    lines = [line(0, spot_snapshot(5, "61690.0", "61690.1"))]
    for step in range(300):
        bid = 61690 + (shift if 200 <= step < 220 else 0)
        lines.append(line(2 + step, spot_quote(6 + step, f"{bid:.1f}", f"{bid + 0.1:.1f}")))
    return lines


@pytest.fixture
def market(terminal: Terminal) -> list[str]:
    """Options that name a spot recording and a USD-M recording."""
    write(terminal.folder / "spot", spot_lines())
    write(terminal.folder / "usdm", futures_lines(40))
    return ["--source", "binance-spot=spot", "--source", "binance-usdm=usdm"]


def page(path: Path) -> Page:
    found = Page(path.read_text(encoding="utf-8"))
    assert not found.open
    return found


def test_the_report_needs_nothing_else(terminal: Terminal, market: list[str]) -> None:
    terminal.run("replay", *market, "--report", "report.html")
    text = (terminal.folder / "report.html").read_text(encoding="utf-8")
    assert page(terminal.folder / "report.html").fetched == []
    assert set(re.findall(r"https?://[^\"'\s<]+", text)) == {"http://www.w3.org/2000/svg"}
    assert "url(" not in text
    assert "@import" not in text
    assert "{{" not in text


def test_it_says_what_the_terminal_says(terminal: Terminal, market: list[str]) -> None:
    shown = terminal.run("replay", *market, "--statistics", "--report", "report.html")
    words = " ".join(page(terminal.folder / "report.html").words.split())
    for text in shown.out.splitlines():
        for cell in re.split(r"\s{2,}", text.strip()):
            assert " ".join(cell.split()) in words


def test_it_shows_the_prices_the_basis_and_the_trade_flow(terminal: Terminal, market: list[str]) -> None:
    terminal.run("replay", *market, "--report", "report.html")
    prices, basis, flow, *more = page(terminal.folder / "report.html").readouts
    assert not more
    names = [curve["name"] for curve in prices["curves"]]
    assert names == ["binance-spot", "binance-usdm"]
    usdm = prices["curves"][1]
    assert max(value for value in usdm["high"] if value is not None) == pytest.approx(61730.05)
    (deviation,) = basis["curves"]
    # 40 of 61,690 are 6.5 basis points; the mean has hardly moved in 20 ms.
    assert min(value for value in deviation["low"] if value is not None) == pytest.approx(-6.48, abs=0.05)
    # 132 trades of half a coin, all sold, on the spot market before its last full tenth of a second; no futures trade.
    spot, usdm = flow["curves"]
    assert (spot["name"], usdm["name"]) == ("binance-spot", "binance-usdm")
    assert min(value for value in spot["low"] if value is not None) == -66
    assert {value for value in usdm["low"] if value is not None} == {0}


def test_a_folder_of_results_has_a_report(terminal: Terminal, market: list[str]) -> None:
    terminal.run("replay", *market, "--out", "results")
    assert "svg" in page(terminal.folder / "results" / "report.html").tags


def test_a_generated_market_says_so(terminal: Terminal, market: list[str]) -> None:
    assert market
    (terminal.folder / "spot").rename(terminal.folder / GENERATED)
    terminal.run("replay", "--source", f"binance-spot={GENERATED}", "--report", "report.html")
    assert "SYNTHETIC" in page(terminal.folder / "report.html").words


def test_a_recorded_market_does_not(terminal: Terminal, market: list[str]) -> None:
    terminal.run("replay", *market, "--report", "report.html")
    assert "SYNTHETIC" not in page(terminal.folder / "report.html").words


def test_without_quotes_it_says_why_there_are_no_charts(terminal: Terminal, market: list[str]) -> None:
    terminal.run("replay", *market, "--per-event", "--report", "report.html")
    found = page(terminal.folder / "report.html")
    assert "No quotes were kept" in found.words
    (flow,) = found.readouts
    assert [curve["name"] for curve in flow["curves"]] == ["binance-spot", "binance-usdm"]


def test_without_quotes_and_signals_there_are_no_charts_over_time(terminal: Terminal, market: list[str]) -> None:
    terminal.run("replay", *market, "--per-event", "--no-signals", "--report", "report.html")
    assert page(terminal.folder / "report.html").readouts == []


def test_names_are_escaped(terminal: Terminal) -> None:
    (terminal.folder / "<i>&").mkdir()
    lines = [*spot_lines(), line(900, "{broken")]
    write(terminal.folder / "<i>&" / "spot", lines)
    terminal.run("replay", "--source", "binance-spot=<i>&/spot", "--report", "report.html")
    assert f"<i>&/spot:{len(lines)}" in page(terminal.folder / "report.html").words


def test_triggers_are_marked_with_their_kind(terminal: Terminal, data: Path) -> None:
    folder = data / "binance-20240808"
    files = {"spot": "spot_btcusdt", "usdm": "usdm_btcusdt", "cm": "cm_btcusd_perp"}
    words = [
        word for venue, name in files.items() for word in ("--source", f"binance-{venue}={folder}/{name}_20240808.gz")
    ]
    triggers = terminal.run("replay", *words, "--report", "report.html", "--json").json["triggers"]
    text = (terminal.folder / "report.html").read_text(encoding="utf-8")
    for kind, count in triggers.items():
        marked = re.findall(rf'class="mark {kind.lower()}"[^>]*><title>[^<]*?(?:and (\d+) more|</title>)', text)
        assert sum(1 + int(more or 0) for more in marked) == count
