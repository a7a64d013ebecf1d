"""From settings to the models of a run, and what a run does for them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from config.base import EXACT
from config.models import ModelMode, ModelSettings, ModelTradingSettings
from config.settings import Settings
from market.errors import Fatal, Rejected
from market.instruments import Catalogue
from market.protocols import PreTradeCheck, Strategy
from orchestrator.cli.output import Output
from orchestrator.engine.tables import venue_numbers
from orchestrator.predicting.answers import Predictions
from orchestrator.predicting.parameters import ModelParameters, TradingParameters
from orchestrator.predicting.predictor import BookPredictor
from orchestrator.research.models.folder import TrainedModel
from orchestrator.run_loop.access import PeriodicTask, RunAccess
from orchestrator.storage.records import Area, StateChanged
from orchestrator.strategies.flash_crash.plan import trader_tag
from orchestrator.strategies.sizing import Sizing

_PPM_PER_BPS: Final = 100
_NS_PER_US: Final = 1_000
_EVERY_NS: Final = 1_000_000_000


def book_predictors(
    settings: Settings, listings: Catalogue, sizing: Sizing, predictions: Predictions
) -> list[BookPredictor]:
    """The models of the settings.

    Raises Fatal for a market that the settings do not list, MissingInput and Rejected for a folder that is no model, or
    one of another kind of rows.
    """
    made: list[BookPredictor] = []
    for number, (name, chosen) in enumerate(settings.models.watching.items()):
        model = TrainedModel(Path(chosen.folder))
        parameters = _parameters(settings, listings, name, chosen)
        if model.card.crash is not None:
            # It waits for the very thing that is foretold.
            parameters = replace(parameters, spared=trader_tag(*parameters.market))
        _check(settings, name, chosen, model, parameters)
        made.append(BookPredictor(parameters, model, predictions, f"model{number}", sizing))
    return made


def prediction_checks(strategies: Iterable[Strategy]) -> tuple[PreTradeCheck, ...]:
    """The rule of every model; in shadow it only counts."""
    return tuple(strategy.check for strategy in strategies if isinstance(strategy, BookPredictor))


def prediction_tasks(strategies: Iterable[Strategy], keep: Callable[[StateChanged], None]) -> Sequence[PeriodicTask]:
    """Write down breaches and who computes from now on, every second; nothing where no model watches."""
    models = [strategy for strategy in strategies if isinstance(strategy, BookPredictor)]
    computed_by = {model.name: model.computed_by for model in models}

    def write(run: RunAccess, now_ns: int) -> None:
        for model in models:
            for breach in model.take_breaches():
                keep(
                    StateChanged(
                        time_ns=breach.time_ns,
                        area=Area.RISK,
                        source=f"model {model.name}",
                        before=breach.before.value,
                        after=model.mode.value,
                        detail=breach.detail,
                    )
                )
            before, now = computed_by[model.name], model.computed_by
            if now != before:
                computed_by[model.name] = now
                keep(
                    StateChanged(
                        time_ns=now_ns,
                        area=Area.RISK,
                        source=f"predictions of model {model.name}",
                        before=before.computer.value,
                        after=now.computer.value,
                        detail=now.why,
                    )
                )

    return [PeriodicTask("models", _EVERY_NS, write)] if models else []


def models_result(strategies: Iterable[Strategy]) -> dict[str, Any]:
    """What came of every model, for JSON."""
    return {strategy.name: strategy.plain() for strategy in strategies if isinstance(strategy, BookPredictor)}


def show_models(output: Output, models: Mapping[str, Mapping[str, Any]]) -> None:
    """The same for people; nothing without models."""
    if not models:
        return
    counted = ("predictions", "late", "judged", "right", "sure", "sure_and_right", "would_act", "would_refuse")
    columns = ("set_to", "mode", "computed_by", *counted)
    rows = [(name, *(str(model[column]) for column in columns)) for name, model in models.items()]
    output.table("models", ("model", *(column.replace("_", " ") for column in columns)), rows)
    for name, dropped in ((name, model["dropped"]) for name, model in models.items() if model["dropped"]):
        at = datetime.fromtimestamp(dropped["time_ns"] // _EVERY_NS, UTC)
        output.say(f"{name} dropped to shadow at {at:%H:%M:%S} UTC: {dropped['why']}")


def _parameters(settings: Settings, listings: Catalogue, name: str, chosen: ModelSettings) -> ModelParameters:
    listed = settings.instruments.get(chosen.instrument)
    if listed is None or chosen.venue not in listed.markets:
        raise Fatal(f"models.watching.{name} names {chosen.instrument} on {chosen.venue}; expected a known market")
    number = list(settings.instruments).index(chosen.instrument)
    listing = listings.listing(number, venue_numbers(settings)[chosen.venue])
    return ModelParameters(
        name=name,
        market=(number, listing.venue),
        card_market=chosen.normalise_as or f"{chosen.venue} {listed.markets[chosen.venue].symbol}",
        mode=chosen.mode,
        act_above=float(chosen.act_above),
        filter_above=float(chosen.filter_above),
        latency_ns=chosen.latency_us * _NS_PER_US,
        backend=chosen.backend,
        drift_rows=chosen.drift_rows,
        drift_limit=float(chosen.drift_limit),
        judged=chosen.judged,
        calibration_limit=float(chosen.calibration_limit),
        trading=None
        if chosen.trading is None
        else _trading(chosen.trading, listing.instrument.quantity_scale.exponent),
    )


def _trading(chosen: ModelTradingSettings, exponent: int) -> TradingParameters:
    return TradingParameters(
        quantity=int(chosen.quantity.scaleb(-exponent, EXACT)),
        take_profit_ppm=_ppm(chosen.take_profit_bps),
        stop_ppm=_ppm(chosen.stop_bps),
        shorts=chosen.shorts,
    )


def _ppm(bps: Decimal) -> int:
    return int(bps * _PPM_PER_BPS)


def _check(
    settings: Settings, name: str, chosen: ModelSettings, model: TrainedModel, parameters: ModelParameters
) -> None:
    """Whether a model is of rows such as the run has."""
    card = model.card
    if not card.sampling.grid_ns:
        raise Rejected(
            f"models.watching.{name}.folder: {model.folder} was trained on a row per book event; a run takes rows at "
            "multiples of a time: make its dataset with --grid-ms"
        )
    trading = chosen.trading
    if card.crash is not None and chosen.mode is ModelMode.ACTIVE and (trading is None or not trading.shorts):
        raise Rejected(
            f"models.watching.{name}.trading.shorts is false: {model.folder} says whether a crash comes, and an active "
            "model of crashes acts by selling; set it to true, or the mode to filter"
        )
    market = card.market(parameters.card_market)
    written = settings.instruments[chosen.instrument].markets[chosen.venue]
    found = (market.price_decimals, market.quantity_decimals)
    expected = (written.price_decimals, written.quantity_decimals)
    if found != expected:
        raise Rejected(
            f"models.watching.{name}: {parameters.card_market} of {model.folder} has {found[0]} and {found[1]} "
            f"decimals of price and quantity, the market of the settings {expected[0]} and {expected[1]}"
        )
