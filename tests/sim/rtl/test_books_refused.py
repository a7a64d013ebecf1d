"""In a build without numbered feeds messages about lines and books are refused as rows outside it: nothing changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from hdl.parameters import CoreParameters
from market.fastpath.conformance.case import SCHEMA, Control
from market.fastpath.specification import DEFAULT_SIZES, Feed, Refusal, Result
from market.wire.sbe import decode
from sim.rtl.build import core_library
from sim.rtl.engine import CoreBuild, SoftFpga

MESSAGES: Mapping[str, Mapping[str, Any]] = {
    "LineRow": {"line": 0, "venue": 0, "feed": 2, "enabled": 1, "channel": 1},
    "BookRow": {"book": 0, "line": 0, "instrument": 0, "venue": 0, "enabled": 1},
}


@pytest.mark.long
@pytest.mark.parametrize("name", sorted(MESSAGES))
def test_a_message_about_lines_or_books_is_refused(name: str) -> None:
    parameters = CoreParameters(bus_bytes=1, feeds=frozenset({Feed.BINANCE_SBE}))
    known = SCHEMA.message(name).fields
    fields = {field: value for field, value in MESSAGES[name].items() if field in known}
    fields = dict.fromkeys(known, 0) | fields | {"sequence": 2}
    engine = SoftFpga(CoreBuild(parameters, core_library(parameters)), DEFAULT_SIZES)
    engine.control(Control("Hello", {"sequence": 1, "epoch": 1}).payload(), 1)
    engine.outputs()
    engine.control(Control(name, fields).payload(), 2)
    answer = decode(SCHEMA, engine.outputs()[0]).fields
    assert (answer["result"], answer["refusal"] != int(Refusal.NONE)) == (int(Result.REFUSED), True)
