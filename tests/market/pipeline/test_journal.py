"""The journal's histogram keeps durations within a sixteenth of their value."""

from __future__ import annotations

import numpy as np
import pytest

from market.native.kernel import entry
from market.native.memory import address_of
from market.pipeline import layout
from market.pipeline.journal import Journal, bucket_floor, count_duration
from market.wire.records import Words


@entry("void(int64[::1], int64[::1])")
def _count(journal: Words, durations: Words) -> None:
    for index in range(len(durations)):
        count_duration(address_of(journal), durations[index])


@pytest.mark.parametrize("duration", [0, 1, 15, 16, 17, 31, 32, 33, 63, 64, 1_000, 123_456_789, 2**40 + 1])
def test_a_duration_falls_into_its_bucket(duration: int) -> None:
    journal = Journal()
    _count(journal.words, np.array([duration], dtype=np.int64))
    bucket = int(np.flatnonzero(journal.histogram)[0])
    assert bucket_floor(bucket) <= duration < bucket_floor(bucket + 1)
    assert bucket_floor(bucket + 1) - bucket_floor(bucket) <= max(1, duration // 16)


def test_buckets_grow_without_holes() -> None:
    floors = [bucket_floor(bucket) for bucket in range(900)]
    assert floors == sorted(set(floors))


def test_draining_empties_the_areas() -> None:
    journal = Journal(quotes=4, changes=4)
    journal.words[layout.QUOTES_USED] = 3
    journal.words[layout.CHANGES_USED] = 2
    assert (len(journal.take_quotes()), len(journal.take_changes())) == (3, 2)
    assert (len(journal.take_quotes()), len(journal.take_changes())) == (0, 0)
