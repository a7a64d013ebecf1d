"""Directed cases, one file per section of the specification."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

from market.fastpath.conformance.case import Case
from market.fastpath.conformance.directed import (
    admission,
    basis,
    binance_feed,
    choice,
    conditions,
    control,
    frames,
    gate,
    numbers,
    refusals,
    sizes,
    steps,
    worked_examples,
)

SECTIONS: Mapping[str, Callable[[], Iterator[Case]]] = MappingProxyType(
    {
        "admission": admission.cases,
        "basis-and-trades": basis.cases,
        "binance-feed": binance_feed.cases,
        "choice": choice.cases,
        "conditions": conditions.cases,
        "control": control.cases,
        "frames": frames.cases,
        "gate": gate.cases,
        "numbers": numbers.cases,
        "refusals": refusals.cases,
        "sizes": sizes.cases,
        "steps": steps.cases,
        "worked-examples": worked_examples.cases,
    }
)
"""Name of each file of cases, and what makes its cases."""
