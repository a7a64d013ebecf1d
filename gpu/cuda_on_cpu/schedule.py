"""In which order the threads of a block and the blocks of a grid get their turns when a kernel runs on the CPU."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final


class Order(IntEnum):
    """Who runs next. The greedy orders run one warp as far as it gets before the next: they find missing barriers."""

    FORWARD = 0
    REVERSE = 1
    SHUFFLED = 2
    GREEDY_WARP = 3
    GREEDY_WARP_REVERSE = 4
    GREEDY_WARP_SHUFFLED = 5


@dataclass(frozen=True, slots=True)
class Schedule:
    """An order, the seed of the shuffled ones, and whether the blocks of the grid take turns.

    Blocks run one after another unless ``interleaved``: a kernel in which blocks wait for each other needs them so.
    """

    order: Order = Order.FORWARD
    seed: int = 0
    interleaved: bool = False

    def __str__(self) -> str:
        name = self.order.name.lower().replace("_", "-")
        seed = f"-{self.seed}" if self.order.name.endswith("SHUFFLED") else ""
        return f"{name}{seed}{'-interleaved' if self.interleaved else ''}"


SCHEDULES: Final = tuple(Schedule(order, seed=7) for order in Order)
"""One schedule of every order."""
