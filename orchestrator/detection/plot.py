"""The statistics as one picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from config.scenarios import ScenarioKind
from orchestrator.detection.judge import Verdict

_SIZE = (12.0, 7.0)
_DELAY_TICKS_S = (1, 2, 5, 10, 20, 50, 100, 200, 500)
_CRASHES = [kind for kind in ScenarioKind if kind.is_crash]


def draw(path: Path, verdicts: Sequence[Verdict], onto: Sequence[str] = ()) -> None:
    """Draw verdicts into a PNG or SVG with Matplotlib, whole or not at all. ``onto``: recordings spliced onto."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=_SIZE, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(2, 2)
    _delays(axes[0, 0], verdicts)
    _falls(axes[0, 1], verdicts)
    _alarms(axes[1, 0], verdicts)
    _gains(axes[1, 1], verdicts)
    splice = f", spliced onto recordings: {', '.join(onto)}" if onto else ""
    figure.suptitle(f"Detection over {len(verdicts):,} generated sessions (SYNTHETIC){splice}")
    unfinished = path.with_name(f"{path.name}.unfinished")
    figure.savefig(unfinished, format=path.suffix[1:], dpi=110)
    unfinished.replace(path)


def _delays(axes: Any, verdicts: Sequence[Verdict]) -> None:
    for kind in _CRASHES:
        delays = sorted(one.delay_s for one in verdicts if one.kind is kind and one.delay_s is not None)
        every = sum(one.kind is kind for one in verdicts)
        if delays:
            axes.step(delays, [(rank + 1) / every for rank in range(len(delays))], where="post", label=kind.value)
            axes.legend(fontsize=8)
    axes.set(
        xscale="log", xlabel="s from the beginning of the fall to ACTIVE", ylabel="part of the crashes", ylim=(0, 1)
    )
    shown = [tick for tick in _DELAY_TICKS_S if axes.get_xlim()[0] <= tick <= axes.get_xlim()[1]]
    axes.set_xticks(shown, [str(tick) for tick in shown])
    axes.set_xticks([], minor=True)
    axes.set_title("Detection delay")


def _falls(axes: Any, verdicts: Sequence[Verdict]) -> None:
    for kind in _CRASHES:
        found = [one for one in verdicts if one.kind is kind and one.fallen_pct is not None]
        axes.scatter([one.fall_pct for one in found], [one.fallen_pct for one in found], s=12, label=kind.value)
    axes.axhline(50, color="black", linewidth=0.8, linestyle="--")
    axes.set(xlabel="fall in %", ylabel="part of it before ACTIVE, in %", ylim=(0, 100))
    axes.set_title("How much had fallen")


def _alarms(axes: Any, verdicts: Sequence[Verdict]) -> None:
    kinds = list(ScenarioKind)
    for offset, name in ((-0.2, "alerts"), (0.2, "actives")):
        means = []
        for kind in kinds:
            own = [getattr(one, name) for one in verdicts if one.kind is kind]
            means.append(sum(own) / len(own) if own else 0.0)
        axes.bar([place + offset for place in range(len(kinds))], means, width=0.4, label=name.upper()[:-1])
    axes.set_xticks(range(len(kinds)), [kind.value for kind in kinds], rotation=20, fontsize=8)
    axes.set(ylabel="per session", yscale="symlog")
    axes.legend(fontsize=8)
    axes.set_title("ALERT and ACTIVE")


def _gains(axes: Any, verdicts: Sequence[Verdict]) -> None:
    data = [[one.gain_quote for one in verdicts if one.kind is kind and one.trades] or [0.0] for kind in _CRASHES]
    axes.boxplot(data, showfliers=True, flierprops={"markersize": 3})
    axes.set_xticks(range(1, len(_CRASHES) + 1), [kind.value for kind in _CRASHES], rotation=20, fontsize=8)
    axes.axhline(0, color="black", linewidth=0.8)
    axes.set(ylabel="gain of a session, USDT, fees paid")
    axes.set_title("Trades")
