"""A model that answers rows one by one: each answer is that of the whole window; what host and kernel agree on."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pytest

from benchmarks.gpu.generated_models import lively_weights
from gpu import live_model
from gpu.cuda_on_cpu.module import CpuModule
from gpu.cuda_on_cpu.schedule import SCHEDULES, Order, Schedule
from gpu.kernel import LaunchShape
from gpu.live_model import RING, HostMemory, HostStream, LiveModel, blocks_for, live_on_gpu
from gpu.models.architecture import LSTM_A, LSTM_B, LSTM_C, PAPER_DEEPLOB, PUBLIC_DEEPLOB, Architecture, DeepLob, Lstm
from gpu.models.reference import stretch_logits
from market.errors import Fatal, MissingExtra, Rejected
from tests.gpu.model_checks import TOLERANCE, check_live
from tests.gpu.models.shapes import SMALL, rows_for

KINDS: dict[str, Architecture] = {
    "deeplob": SMALL["deeplob"],
    "lstm": SMALL["lstm"],
    "deep": Lstm(features=3, layers=3, hidden=9, window=20),
    "one step": Lstm(features=5, layers=1, hidden=3, window=1),
}
WIDE: Final = Lstm(features=6, layers=2, hidden=1_000, window=18, classes=1)
"""More units than a block has room for."""
LARGE: dict[str, Architecture] = {"paper": PAPER_DEEPLOB, "public": PUBLIC_DEEPLOB, "LSTM_A": LSTM_A}


def live_lstm() -> LiveModel:
    """A small LSTM on the CPU's runner."""
    return LiveModel(lively_weights(SMALL["lstm"], 5), CpuModule, np, HostMemory())


@pytest.mark.parametrize("schedule", SCHEDULES, ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_every_answer_is_that_of_the_whole_window(kind: str, schedule: Schedule) -> None:
    architecture = KINDS[kind]
    rows = architecture.window + 20
    check_live(architecture, rows, lambda source: CpuModule(source, schedule), np, HostMemory())


SPREAD: dict[str, tuple[Architecture, dict[str, int]]] = {
    "three blocks": (Lstm(features=5, layers=2, hidden=34, window=6), {"most_blocks": 3}),
    "few units at a time": (
        Lstm(features=3, layers=1, hidden=33, window=18),
        {"most_blocks": 2, "shared_bytes": 10_000},
    ),
    "one block, few units at a time": (SMALL["deeplob"], {"most_blocks": 7, "shared_bytes": 1_500}),
}


@pytest.mark.parametrize("order", Order)
@pytest.mark.parametrize("kind", SPREAD)
def test_blocks_that_share_a_model_answer_the_same(kind: str, order: Order) -> None:
    architecture, words = SPREAD[kind]
    schedule = Schedule(order, seed=5, interleaved=True)
    rows = architecture.window + 5
    check_live(architecture, rows, lambda source: CpuModule(source, schedule), np, HostMemory(), **words)


@pytest.mark.parametrize(
    ("architecture", "blocks"),
    [(PUBLIC_DEEPLOB, 1), (LSTM_A, 25), (LSTM_B, 50), (LSTM_C, 125), (SMALL["lstm"], 1)],
)
def test_an_lstm_is_spread_over_the_blocks_that_there_are(architecture: DeepLob | Lstm, blocks: int) -> None:
    assert blocks_for(architecture, 132) == blocks
    assert blocks_for(architecture, 1) == 1


@pytest.mark.long
def test_more_units_than_a_block_has_room_for_answer_the_same() -> None:
    schedule = Schedule(Order.GREEDY_WARP, interleaved=True)
    check_live(WIDE, 20, lambda source: CpuModule(source, schedule), np, HostMemory(), most_blocks=8)


@pytest.mark.parametrize("kind", LARGE)
def test_models_of_full_size_answer_the_same(kind: str) -> None:
    check_live(LARGE[kind], LARGE[kind].window + 3, CpuModule, np, HostMemory(), at_once=RING)


@pytest.mark.gpu
@pytest.mark.parametrize("kind", [*KINDS, *LARGE, *SPREAD, "wide"])
def test_a_kernel_that_stays_answers_row_by_row(kind: str) -> None:
    shapes = KINDS | LARGE | {name: shape for name, (shape, _) in SPREAD.items()} | {"wide": WIDE}
    architecture = shapes[kind]
    model, rows = lively_weights(architecture, 11), rows_for(architecture, 150)
    with live_on_gpu(model) as live:
        answers = [live.answer(row) for row in rows]
    found = [answer for answer in answers if answer is not None]
    np.testing.assert_allclose(np.stack(found), stretch_logits(model, rows), atol=TOLERANCE, rtol=TOLERANCE)


def test_rows_beyond_the_ring_take_the_places_of_old_ones() -> None:
    live, rows = live_lstm(), rows_for(SMALL["lstm"], 3 * RING)
    found = [answer for row in rows if (answer := live.answer(row)) is not None]
    expected = stretch_logits(lively_weights(SMALL["lstm"], 5), rows)
    np.testing.assert_allclose(np.stack(found), expected, atol=TOLERANCE, rtol=TOLERANCE)
    assert live.finished == len(rows)
    with pytest.raises(Fatal, match="row 3 has no logits here"):
        live.logits(3)
    with pytest.raises(Fatal, match=f"row {len(rows)} has no logits here"):
        live.logits(len(rows))


@pytest.mark.parametrize("before", [0, 4])
def test_warming_up_takes_no_row_and_changes_no_answer(before: int) -> None:
    model, rows = lively_weights(SMALL["deeplob"], 5), rows_for(SMALL["deeplob"], 8)
    live = LiveModel(model, CpuModule, np, HostMemory())
    found = [live.answer(row) for row in rows[:before]]
    live.warm_up()
    assert live.finished == before
    found += [live.answer(row) for row in rows[before:]]
    expected = stretch_logits(model, rows)
    np.testing.assert_allclose(
        np.stack([answer for answer in found if answer is not None]), expected, atol=TOLERANCE, rtol=TOLERANCE
    )


def test_a_kernel_that_does_not_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    class Silent(CpuModule):
        def launch(self, kernel: str, shape: LaunchShape, arguments: Any) -> None:
            """Nothing runs."""

    for name, looks in (("_TIGHT_LOOKS", 2), ("_YIELDING_LOOKS", 4), ("_MOST_LOOKS", 8)):
        monkeypatch.setattr(live_model, name, looks)
    stream, row = CountingStream(), rows_for(SMALL["lstm"], 1)[0]
    live = LiveModel(lively_weights(SMALL["lstm"], 5), Silent, np, HostMemory(), stream)
    with live, pytest.raises(Fatal, match="row 0 was not answered: the GPU may be busy with other work"):
        live.answer(row)
    # Nobody waits for what may never end.
    assert stream.waited == 0


class CountingStream(HostStream):
    """Counts how often somebody waited for it."""

    waited = 0

    def synchronize(self) -> None:
        """One time more."""
        self.waited += 1


def test_a_kernel_has_ended_before_its_memory_is_free() -> None:
    stream = CountingStream()
    with LiveModel(lively_weights(SMALL["lstm"], 5), CpuModule, np, HostMemory(), stream) as live:
        live.answer(rows_for(SMALL["lstm"], 1)[0])
        assert stream.waited == 0
    assert stream.waited == 1
    LiveModel(lively_weights(SMALL["lstm"], 5), CpuModule, np, HostMemory(), stream).close()
    assert stream.waited == 2


def test_a_full_ring_takes_no_more_rows_until_some_are_finished() -> None:
    live, rows = live_lstm(), rows_for(SMALL["lstm"], RING)
    for row in rows[:RING]:
        live.publish(row)
    with pytest.raises(Rejected, match=f"{RING} rows are under way"):
        live.publish(rows[RING])
    live.run(10)
    assert live.finished == 10
    assert live.publish(rows[RING]) == RING


def test_a_kernel_stops_after_what_was_published_and_goes_on_later() -> None:
    live, rows = live_lstm(), rows_for(SMALL["lstm"], 12)
    for row in rows[:9]:
        live.publish(row)
    live.stop()
    live.run(int(live._control[1]))
    assert live.finished == 9
    for row in rows[9:]:
        live.answer(row)
    expected = stretch_logits(lively_weights(SMALL["lstm"], 5), rows)
    last = live.logits(len(rows) - 1)
    assert last is not None
    np.testing.assert_allclose(last, expected[-1], atol=TOLERANCE, rtol=TOLERANCE)


@pytest.mark.parametrize("row", [np.zeros(7), np.zeros((1, 8)), np.full(8, np.nan), np.full(8, np.inf)])
def test_rows_that_are_none_are_refused_and_not_published(row: np.typing.NDArray[np.float32]) -> None:
    live = live_lstm()
    with pytest.raises(Rejected, match="a row must be 8 finite numbers"):
        live.publish(row.astype(np.float32))
    assert live.publish(np.zeros(8, np.float32)) == 0


def test_models_that_it_cannot_keep_are_refused() -> None:
    for kind in ("bilinear", "transformer"):
        with pytest.raises(Rejected, match=f"a {kind} model has no recurrence"):
            LiveModel(lively_weights(SMALL[kind], 1), CpuModule, np, HostMemory())
    long = Lstm(features=2, layers=1, hidden=3, window=1_600)
    with pytest.raises(
        Rejected, match="96 bytes of gates and 25600 of one unit's windows are more than the 25000 bytes"
    ):
        LiveModel(lively_weights(long, 1), CpuModule, np, HostMemory(), shared_bytes=25_000)


def test_without_a_gpu_it_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TICKWIRE_GPU", "0")
    with pytest.raises(MissingExtra, match="TICKWIRE_GPU=0"):
        live_on_gpu(lively_weights(DeepLob(levels=2, filters=2, inception=3, hidden=4, window=27), 1))
