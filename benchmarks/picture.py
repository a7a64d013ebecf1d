"""README's picture of a replay, cut from the charts of its report: ``python -m benchmarks.picture``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from html import escape
from itertools import islice
from pathlib import Path
from typing import Final

from benchmarks.harness import ROOT
from benchmarks.recordings import recorded_files
from config.loading import load_settings
from market.errors import Fatal
from orchestrator.pages import frame
from orchestrator.pages.parts import Figure
from orchestrator.pages.svg import LEFT, WIDTH
from orchestrator.replay.chart_data import ChartData
from orchestrator.replay.charts import BASIS_HEIGHT, PRICE_HEIGHT, basis_figures, instruments_of, price_figure
from orchestrator.replay.collect import Collector
from orchestrator.replay.naming import naming
from orchestrator.replay.plan import SourceFile, session_settings
from orchestrator.replay.statistics import pairs_of
from sim.generator.recording import is_synthetic
from sim.generator.settings import Coin
from sim.replay.session import Session

PICTURE: Final = ROOT / "docs" / "images" / "replay.svg"
_PRICES_TOP: Final = 54
_BASIS_TITLE: Final = _PRICES_TOP + PRICE_HEIGHT + 32
_BASIS_TOP: Final = _BASIS_TITLE + 10
_HEIGHT: Final = _BASIS_TOP + BASIS_HEIGHT + 14
_SWATCH: Final = 11
_LETTER: Final = 7
"""Width that a letter of the legend is given."""
_NS_PER_S: Final = 1_000_000_000
_PALETTE: Final = re.compile(r":root \{(.*?)\}", re.DOTALL)
_RULES: Final = """\
text { font: 12px system-ui, -apple-system, "Segoe UI", Roboto, Arial, sans-serif; fill: var(--soft); }
.head { font-size: 15px; font-weight: 600; fill: var(--ink); }
.panel { fill: var(--panel); stroke: var(--line); }
.axis path { stroke: var(--line); fill: none; }
.band { stroke-width: 1.2; stroke-linejoin: round; fill-opacity: 0.55; }
.mark { stroke: var(--paper); }"""


def replay_picture(files: list[SourceFile], profile: str = "demo") -> str:
    """Replay recordings and draw their first instrument: its prices with triggers, and the deviation of one basis.

    Raises Fatal when the recordings leave nothing to draw.
    """
    settings = load_settings(profile, local=None, environment={})
    session = session_settings(settings, files, keep_quotes=True, keep_changes=True)
    data = ChartData(naming(settings), pairs_of(session.sources))
    collector = Collector(None, data)
    Session(session, collector).run()
    collector.finish()
    instruments = instruments_of(data)
    bases = list(islice(basis_figures(data, instruments[0]), 1)) if instruments else []
    if not bases:
        raise Fatal(f"{', '.join(file.path.name for file in files)}: two venues of one instrument are needed")
    prices = price_figure(data, instruments[0], collector.triggers)
    day = datetime.fromtimestamp(data.prices.grid.start_ns // _NS_PER_S, UTC)
    origin = ", SYNTHETIC" if any(is_synthetic(file.path) for file in files) else ""
    name, _, rest = prices.title.partition(":")
    return _picture(f"{name} on {day:%Y-%m-%d}{origin}:{rest}, triggers marked", prices, bases[0])


def _picture(title: str, prices: Figure, basis: Figure) -> str:
    label = escape(f"{title}; {basis.title}")
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {_HEIGHT}" role="img" aria-label="{label}">',
        f"<style>\n{_style(prices, basis)}\n</style>",
        f'<rect class="panel" x="0.5" y="0.5" width="{WIDTH - 1}" height="{_HEIGHT - 1}" rx="8"/>',
        f'<text class="head" x="{LEFT}" y="26">{escape(title)}</text>',
        "".join(_legend(prices)),
        f'<g transform="translate(0 {_PRICES_TOP})">{_shapes(prices)}</g>',
        f'<text class="head" x="{LEFT}" y="{_BASIS_TITLE}">{escape(basis.title)}</text>',
        f'<g transform="translate(0 {_BASIS_TOP})">{_shapes(basis)}</g>',
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _style(*figures: Figure) -> str:
    """The report's colours, light and dark, of the classes that the figures use."""
    names = list(dict.fromkeys(name for figure in figures for name, _ in figure.legend))
    light, dark = (_colours(palette, names) for palette in _palettes())
    series = [f".{name} {{ fill: var(--{name}); }} .band.{name} {{ stroke: var(--{name}); }}" for name in names]
    return "\n".join(
        [f"svg {{ {light} }}", f"@media (prefers-color-scheme: dark) {{ svg {{ {dark} }} }}", _RULES, *series]
    )


def _palettes() -> tuple[str, str]:
    texts = _PALETTE.findall((Path(frame.__file__).parent / "page.html").read_text(encoding="utf-8"))
    if len(texts) != 2:
        raise Fatal(f"the report's page has {len(texts)} palettes: a light and a dark one were expected")
    return texts[0], texts[1]


def _colours(palette: str, names: list[str]) -> str:
    wanted = {"paper", "panel", "ink", "soft", "line", *names}
    found = re.findall(r"--([a-z0-9]+): (#[0-9a-f]{6});", palette)
    return " ".join(f"--{name}: {colour};" for name, colour in found if name in wanted)


def _legend(figure: Figure) -> Iterator[str]:
    """Series beside each other, for a picture that nobody can point at."""
    x = LEFT
    for name, text in figure.legend:
        yield f'<rect class="{name}" x="{x}" y="40" width="{_SWATCH}" height="{_SWATCH}" rx="3"/>'
        yield f'<text x="{x + 17}" y="50">{escape(text)}</text>'
        x += 40 + _LETTER * len(text)


def _shapes(figure: Figure) -> str:
    """What is drawn in a chart, without what shows on pointing at it."""
    inside = figure.chart[figure.chart.index(">") + 1 : -len("</svg>")]
    return re.sub(r"<title>.*?</title>", "", inside, flags=re.DOTALL)


if __name__ == "__main__":
    PICTURE.write_text(replay_picture(recorded_files(*Coin)), encoding="utf-8")
