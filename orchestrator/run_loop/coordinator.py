"""Which strategy wakes for what, in the order of the run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from market.errors import Fatal
from market.orders.cause import Cause, Origin
from market.pipeline.detector_wakes import DetectorWake
from market.protocols import Condition, MarketKey, Strategy


class Coordinator:
    """The strategies of a run.

    Parameters
    ----------
    strategies: in the order in which they wake; raises Fatal when two have the same tag, or one has a detector of
        a market whose quotes and trades it does not wait for, Rejected for a bad tag.
    """

    def __init__(self, strategies: Sequence[Strategy]) -> None:
        self.strategies = tuple(strategies)
        self.by_tag: Mapping[str, Strategy] = {strategy.tag: strategy for strategy in strategies}
        if len(self.by_tag) != len(self.strategies):
            raise Fatal(f"strategy tags were {[strategy.tag for strategy in strategies]}; expected no tag twice")
        for tag in self.by_tag:
            Cause(strategy=tag, origin=Origin.DECISION, epoch=0, number=0)
        wakes = [(strategy, strategy.wakes) for strategy in self.strategies]
        self.on_trigger: Sequence[Strategy] = tuple(strategy for strategy, wake in wakes if wake.triggers)
        self.on_quote: Mapping[MarketKey, Sequence[Strategy]] = {
            key: tuple(strategy for strategy, wake in wakes if key in wake.quotes)
            for key in {key for _, wake in wakes for key in wake.quotes}
        }
        self.on_trade: Mapping[MarketKey, Sequence[Strategy]] = {
            key: tuple(strategy for strategy, wake in wakes if key in wake.trades)
            for key in {key for _, wake in wakes for key in wake.trades}
        }
        self.conditions: Sequence[tuple[Strategy, Condition]] = tuple(
            (strategy, condition) for strategy, wake in wakes for condition in wake.conditions
        )
        self.detectors: Mapping[tuple[str, MarketKey], DetectorWake] = {
            (strategy.tag, detector.market): detector for strategy, wake in wakes for detector in wake.detectors
        }
        for strategy, wake in wakes:
            for detector in wake.detectors:
                if detector.market not in wake.quotes & wake.trades:
                    raise Fatal(
                        f"strategy {strategy.tag} has a detector of market {detector.market}; expected that it "
                        "waits for quotes and trades of it"
                    )
