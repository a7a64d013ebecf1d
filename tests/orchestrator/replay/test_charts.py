"""Parts of charts: scales, ticks, texts, shapes."""

from __future__ import annotations

from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.pages import svg
from orchestrator.pages.svg import Scale
from orchestrator.replay.charts import durations_figure, processing_figure

SECOND = 1_000_000_000
RECT = "{http://www.w3.org/2000/svg}rect"
TITLE = "{http://www.w3.org/2000/svg}title"


def test_a_scale_maps_its_ends() -> None:
    even = Scale(10, 20, 300, 0)
    assert (even.pixel(10), even.pixel(20), even.pixel(15)) == (300, 0, 150)
    decades = Scale(1, 100, 0, 200, logarithmic=True)
    assert decades.pixel(10) == pytest.approx(100)


@settings(derandomize=True, deadline=None)
@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6), st.integers(2, 10))
def test_ticks_are_evenly_spaced_and_inside(low: float, span: float, wanted: int) -> None:
    ticks = svg.even_ticks(low, low + span, wanted)
    assert 1 <= len(ticks) <= 2 * wanted + 1
    assert all(low - 1e-6 * span <= tick <= low + span * (1 + 1e-6) for tick in ticks)
    assert np.allclose(np.diff(ticks, 2), 0, atol=1e-6 * span)


def test_decades_within_a_range() -> None:
    assert svg.decade_ticks(30, 1e5) == [100, 1000, 10_000, 100_000]


@pytest.mark.parametrize(
    ("span_ns", "first", "texts"),
    [
        (
            346 * SECOND,
            1_723_161_254 * SECOND,
            ["23:55:00", "23:56:00", "23:57:00", "23:58:00", "23:59:00", "00:00:00"],
        ),
        (40_000_000, 1_723_161_254 * SECOND, ["23:54:14.000", "23:54:14.005"]),
    ],
)
def test_times_stand_at_round_values(span_ns: int, first: int, texts: list[str]) -> None:
    found = [text for _, text in svg.time_ticks(first, first + span_ns)]
    assert found[: len(texts)] == texts


@pytest.mark.parametrize(
    ("duration_ns", "text"), [(12, "12 ns"), (1500, "1.5 µs"), (2_000_000, "2 ms"), (3_000_000_000, "3 s")]
)
def test_durations_have_their_own_unit(duration_ns: int, text: str) -> None:
    assert svg.duration_text(duration_ns) == text


def test_a_band_bridges_columns_without_a_value() -> None:
    low = np.array([1.0, np.nan, 3.0])
    shape = svg.band(0, [0.0, 1.0, 2.0], low, low + 1, Scale(0, 10, 10, 0))
    assert 'd="M0.0 8.0L2.0 6.0L2.0 7.0L0.0 9.0Z"' in shape


def test_texts_are_escaped() -> None:
    assert "<b>" not in svg.text(0, 0, "<b>") + svg.mark("ARB", 0, 0, "<b>")


def test_every_duration_is_in_a_bar() -> None:
    durations = np.array([1, 999, 5_000_000, 5_000_001, 31_000_000, 2**40])
    figure = durations_figure({"ARB": durations[:0], "BASIS": durations, "IMBALANCE": durations[:1]})
    assert figure is not None
    assert figure.legend == (("basis", "BASIS"), ("imbalance", "IMBALANCE"))
    bars = [bar for bar in ElementTree.fromstring(figure.chart).iter(RECT) if bar.get("class") == "bar basis"]
    titles = [bar.findtext(TITLE) or "" for bar in bars]
    assert sum(int(title.rsplit(": ")[1]) for title in titles) == len(durations)


def test_no_durations_no_chart() -> None:
    assert durations_figure({"ARB": np.zeros(0, dtype=np.int64)}) is None
    assert processing_figure(np.zeros(1024, dtype=np.int64), 2.0) is None


def test_every_message_is_in_a_bar_of_our_own_time() -> None:
    histogram = np.zeros(1024, dtype=np.int64)
    histogram[[0, 3, 100, 101, 333]] = (1, 2, 3, 4, 5)
    figure = processing_figure(histogram, 2.0)
    assert figure is not None
    titles = [bar.findtext(TITLE) or "" for bar in ElementTree.fromstring(figure.chart).iter(RECT)]
    assert sum(int(title.rsplit(": ")[1]) for title in titles) == 15
