"""Settings of the optimizer: ranges and values, and what does not fit together."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from config.optimizer import OptimizerSettings, Search, SpaceSettings, Validation

SPREAD = "strategies.market_making.spread"


def test_a_range_is_its_values_exactly() -> None:
    space = SpaceSettings(setting=SPREAD, low=Decimal("0.1"), high=Decimal("0.7"), step=Decimal("0.3"))
    assert space.choices() == (Decimal("0.1"), Decimal("0.4"), Decimal("0.7"))
    uneven = SpaceSettings(setting=SPREAD, low=Decimal("-1"), high=Decimal("0.5"), step=Decimal("0.4"))
    assert uneven.choices() == tuple(map(Decimal, ("-1", "-0.6", "-0.2", "0.2")))
    assert SpaceSettings(setting=SPREAD, values=(Decimal(3), Decimal(1))).choices() == (Decimal(3), Decimal(1))


@pytest.mark.parametrize(
    ("search", "trials", "budget"),
    [("quick", 0, 1), ("random", 0, 500), ("bayesian", 0, 200), ("bayesian", 7, 7)],
)
def test_each_search_has_a_number_of_trials(search: str, trials: int, budget: int) -> None:
    assert OptimizerSettings(search=Search(search), trials=trials).budget == budget


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"setting": SPREAD}, "step was 0"),
        ({"setting": SPREAD, "low": 1, "high": 1, "step": 1}, "high 1"),
        ({"setting": SPREAD, "values": [1, 2], "step": 1}, "values excludes"),
        ({"setting": SPREAD, "values": [1, 1]}, "once"),
        ({"setting": SPREAD, "low": 0, "high": 1, "step": Decimal("0.00001")}, "10,000"),
        ({"setting": "venues.binance-spot.taker_fee_bps", "values": [1]}, "setting"),
        ({"setting": SPREAD, "values": ["1"]}, "number"),
    ],
)
def test_a_parameter_that_cannot_be_is_refused(words: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        SpaceSettings.model_validate(words)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"overfitting_blocks": 7}, "even"),
        ({"validation": Validation.PURGED, "folds": 1}, "at least 2"),
        ({"space": {name: {"setting": SPREAD, "values": [1]} for name in "ab"}}, "space.b.setting"),
        ({"cluster": "http://host:1"}, "cluster"),
        ({"cluster": "tcp://host"}, "cluster"),
        ({"objective": "luck"}, "objective"),
        ({"minimum_trades": 0}, "minimum_trades"),
    ],
)
def test_what_does_not_fit_together_is_refused(words: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        OptimizerSettings.model_validate(words)
