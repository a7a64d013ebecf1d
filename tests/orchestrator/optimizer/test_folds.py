"""Folds: no sample both chooses and judges, and none near a test chooses."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.optimizer import OptimizerSettings, Validation
from market.errors import MissingInput
from orchestrator.optimizer.folds import Fold, Grid, Span, folds_of, purged, taken, walk_forward, whole

COUNTS = {"count": st.integers(0, 400), "folds": st.integers(2, 9), "purge": st.integers(0, 40)}


def trained(fold: Fold) -> set[int]:
    return {sample for span in fold.train for sample in range(span.start, span.end)}


def judged(fold: Fold) -> set[int]:
    assert fold.test is not None
    return set(range(*fold.test))


@settings(derandomize=True, deadline=None)
@given(**COUNTS)
def test_walk_forward_learns_from_the_past_alone(count: int, folds: int, purge: int) -> None:
    found = walk_forward(count, folds, purge)
    assert len(found) == folds
    for fold in found:
        assert fold.test is not None
        assert trained(fold) == set(range(max(0, fold.test.start - purge)))
    union = set().union(*map(judged, found))
    assert len(union) == sum(len(judged(fold)) for fold in found)
    assert union == set(range(found[0].test.start if found[0].test else 0, count))


@settings(derandomize=True, deadline=None)
@given(**COUNTS, embargo=st.integers(0, 40))
def test_purged_folds_keep_their_distance(count: int, folds: int, purge: int, embargo: int) -> None:
    found = purged(count, folds, purge, embargo)
    assert sorted(sample for fold in found for sample in judged(fold)) == list(range(count))
    for fold in found:
        assert fold.test is not None
        near = range(fold.test.start - purge, fold.test.end + purge + embargo)
        assert trained(fold) == set(range(count)) - set(near)


@settings(derandomize=True, deadline=None)
@given(**COUNTS, share=st.floats(0, 1), embargo=st.integers(0, 40))
def test_a_share_of_the_training_is_so_many_samples(
    count: int, folds: int, purge: int, share: float, embargo: int
) -> None:
    for fold in (*purged(count, folds, purge, embargo), whole(count)):
        spans = fold.train_before(fold.end_of(share))
        assert sum(span.length for span in spans) == round(share * fold.train_length)
        assert fold.train_before(fold.train_end) == tuple(span for span in fold.train if span.length)


def test_samples_of_spans_in_order() -> None:
    assert taken(np.arange(10), (Span(1, 3), Span(7, 8))).tolist() == [1, 2, 7]
    assert taken(np.arange(10), ()).tolist() == []


def test_seconds_are_rounded_up_to_samples() -> None:
    grid = Grid(0, 300_000_000, 10)
    assert [grid.samples_of(seconds) for seconds in (0, 1, 3)] == [0, 4, 10]
    assert grid.end_ns(0) == 300_000_000


@pytest.mark.parametrize(
    ("count", "words"), [(5, {"folds": 3}), (100, {"folds": 3, "purge_s": 30}), (40, {"validation": "purged"})]
)
def test_recordings_that_are_too_short_are_named(count: int, words: dict[str, object]) -> None:
    settings = OptimizerSettings.model_validate({"purge_s": 0, "embargo_s": 60, **words})
    if settings.validation is Validation.WALK_FORWARD and count == 100:
        settings = settings.model_copy(update={"purge_s": 25})
    with pytest.raises(MissingInput, match="fewer optimizer"):
        folds_of(Grid(0, 10**9, count), settings)
