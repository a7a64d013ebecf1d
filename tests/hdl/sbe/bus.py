"""Bytes as the beats of a bus, with idle cycles between them and noise in the lanes that carry nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Beat:
    """One cycle of a bus: nothing if ``count`` is 0."""

    data: int
    count: int
    first: bool = False
    last: bool = False


def beats_of(payload: bytes, bus_bytes: int, random: np.random.Generator, idle: float = 0.1) -> Iterator[Beat]:
    """A payload's beats; before each, idle cycles with the probability ``idle``."""
    for start in range(0, len(payload), bus_bytes):
        while random.random() < idle:
            yield Beat(int.from_bytes(random.bytes(bus_bytes), "little"), 0)
        part = payload[start : start + bus_bytes]
        noise = random.bytes(bus_bytes - len(part))
        last = start + bus_bytes >= len(payload)
        yield Beat(int.from_bytes(part + noise, "little"), len(part), start == 0, last)


def as_number(value: int, bits: int) -> int:
    """The two's complement number of so many bits, as bits without a sign."""
    return value & (1 << bits) - 1
