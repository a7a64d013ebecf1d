"""The study finds each rise into the top part and what the mid did after it."""

from __future__ import annotations

from math import isnan

import numpy as np
import pytest

from market.errors import Rejected
from market.signals.vpin_study import changes_after_high_vpin

NAN = float("nan")


def test_entries_and_their_changes() -> None:
    times = np.arange(10)
    vpin = np.array([NAN, 0.1, 0.9, 0.9, 0.1, NAN, 0.9, 0.1, 0.1, 0.9])
    mids = np.array([100.0, 100.0, 100.0, 101.0, 102.0, 102.0, 102.0, 102.0, 51.0, 51.0])
    study = changes_after_high_vpin(times, vpin, mids, top_part=0.5, horizon_ns=2)
    assert study.threshold == 0.5
    assert study.entered.tolist() == [2, 6]
    assert study.changes.tolist() == pytest.approx([0.02, -0.5])
    # Row 5 has no VPIN: two steps after row 3 the mid of row 4 still holds.
    assert study.usual.tolist() == pytest.approx([0.01, 0.02, 102 / 101 - 1, 0.0, -0.5, -0.5])
    assert study.ratio == pytest.approx(0.26 / np.abs([0.01, 0.02, 102 / 101 - 1, 0.5, 0.5, 0]).mean())


def test_a_sample_that_begins_high_has_not_entered() -> None:
    study = changes_after_high_vpin(
        np.arange(4), np.array([0.9, 0.1, 0.9, 0.1]), np.ones(4), top_part=0.5, horizon_ns=1
    )
    assert study.entered.tolist() == [2]


def test_a_market_that_never_moves_has_no_ratio() -> None:
    vpin = np.array([0.1, 0.9, 0.1, 0.1])
    assert isnan(changes_after_high_vpin(np.arange(4), vpin, np.ones(4), horizon_ns=1).ratio)


def test_a_sample_without_vpin_is_rejected() -> None:
    with pytest.raises(Rejected, match="VPIN"):
        changes_after_high_vpin(np.arange(3), np.full(3, NAN), np.ones(3))
