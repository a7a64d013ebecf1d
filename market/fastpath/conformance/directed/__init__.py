"""Directed cases, one file per section of the specification."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

from market.fastpath.conformance.case import Case
from market.fastpath.conformance.directed import (
    admission,
    basis,
    binance_feed,
    book_loading,
    choice,
    coinbase_feed,
    conditions,
    control,
    deribit_feed,
    frames,
    gate,
    lines,
    numbers,
    order_books,
    refusals,
    sizes,
    starbase_feed,
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
        "book-loading": book_loading.cases,
        "coinbase-feed": coinbase_feed.cases,
        "deribit-feed": deribit_feed.cases,
        "lines": lines.cases,
        "order-books": order_books.cases,
        "starbase-feed": starbase_feed.cases,
        "worked-examples": worked_examples.cases,
    }
)
"""Name of each file of cases, and what makes its cases."""
