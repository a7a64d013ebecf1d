"""What a changed profile may change in a run that goes on, and what it may not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from config.errors import Problem, SettingsError
from config.settings import Settings
from market.errors import Rejected
from orchestrator.live.reload import Reload, profile_reader
from orchestrator.risk.assembly import assemble_risk
from orchestrator.run_loop.access import RunAccess
from tests.orchestrator.risk.floor import BTC, FUTURES, SPOT, Floor, FloorAccess, floor, settings_with
from tests.orchestrator.risk.test_limits_hold import Silent


class Stated(FloorAccess):
    """A run whose fast loop writes down the rows that it is given."""

    rows: list[tuple[str, Mapping[str, Any]]]

    def state_row(self, name: str, row: Mapping[str, Any]) -> None:
        self.rows.append((name, row))


@dataclass
class Running:
    """A run that can be told to read its profile anew; ``profile`` is what it then finds."""

    small: Floor = field(default_factory=floor)
    audited: list[tuple[str, str]] = field(default_factory=list)
    profile: Callable[[], Settings] = settings_with

    def __post_init__(self) -> None:
        small = self.small
        self.risk = assemble_risk(small.settings, small.catalogue, Silent(), small)  # type: ignore[arg-type]
        self.run = Stated(small)
        self.run.rows = []
        read = profile_reader(lambda: self.profile())
        self.reload = Reload(small.settings, self.risk, read, lambda now_ns, *what: self.audited.append(what))

    def read(self, profile: Callable[[], Settings]) -> str:
        self.profile = profile
        run: RunAccess = self.run
        return self.reload(run, self.small.now_ns)


def changed(instrument: Mapping[str, Any] | None = None, **sections: Mapping[str, Any]) -> Callable[[], Settings]:
    """The demo's settings with some of BTC's and of risk's changed."""

    def read() -> Settings:
        raw = settings_with(**sections).model_dump()
        raw["instruments"]["BTC"] |= instrument or {}
        return Settings.model_validate(raw)

    return read


def test_limits_of_risk_hold_at_once_in_either_direction() -> None:
    run = Running()
    assert run.read(changed(limits={"messages_per_s": 7})) == "risk.limits.messages_per_s 50 -> 7"
    assert run.read(changed(limits={"messages_per_s": 60})) == "risk.limits.messages_per_s 7 -> 60"
    assert run.audited == [
        ("reload", "risk.limits.messages_per_s 50 -> 7"),
        ("reload", "risk.limits.messages_per_s 7 -> 60"),
    ]
    assert run.run.rows == []


def test_an_order_that_passed_is_refused_after_a_limit_was_lowered() -> None:
    run = Running(floor(limits={"maximum_order_notional_quote": 1_000}))
    order = run.small.intent(quantity="0.01", price="61700")
    size = run.risk.checks[1]
    size(order, run.small)
    run.read(changed(limits={"maximum_order_notional_quote": 100}))
    with pytest.raises(Rejected, match="notional was"):
        size(order, run.small)


def test_what_is_wrong_changes_nothing_and_is_named() -> None:
    run = Running()

    def broken() -> Settings:
        raise SettingsError(Problem("p.toml", "risk.limits.collar_bps", "was -1: must be above 0"))

    with pytest.raises(Rejected, match="collar_bps was -1: must be above 0"):
        run.read(broken)
    with pytest.raises(Rejected, match=r"risk\.limits\.capital_quote was .*start the run again"):
        run.read(changed(limits={"capital_quote": 1, "messages_per_s": 7}))
    assert run.audited[0][0] == run.audited[1][0] == "reload refused"
    assert run.read(changed()) == "the profile is as it was"


def test_the_fast_loops_limits_may_only_become_tighter() -> None:
    run = Running()
    before = run.small.settings.instruments["BTC"].maximum_quantity
    with pytest.raises(Rejected, match="it may only become tighter"):
        run.read(changed({"maximum_quantity": 2 * before, "maximum_notional_quote": 10_000}))
    with pytest.raises(Rejected, match="start the run again"):
        run.read(changed({"basis_shift": 3}))
    run.read(changed({"maximum_quantity": before / 2, "cooldown_ms": 60_000}))
    ((name, row),) = run.run.rows
    assert (name, row["instrument"], row["cooldown"]) == ("InstrumentRow", BTC, 60_000_000_000)
    for venue in (SPOT, FUTURES):
        scale = run.small.listing(BTC, venue).instrument.quantity_scale
        assert row["maximumQuantity"] == scale.count(str(before / 2))
