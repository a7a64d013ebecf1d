"""What a replay shows on request: statistics across venues."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.cli.output import Output
from orchestrator.replay.naming import Naming
from orchestrator.replay.statistics import measure_pairs, statistics_result
from sim.replay.source import SourceSettings


@dataclass(frozen=True, kw_only=True)
class Extras:
    """What is asked for beside the decisions.

    Parameters
    ----------
    naming: names of the engine's numbers.
    statistics: whether to count episodes of the basis.
    """

    naming: Naming
    statistics: bool = False

    def add_statistics(self, output: Output, result: dict[str, Any], sources: Sequence[SourceSettings]) -> None:
        """Add ``statistics`` to a replay's result if they are asked for; an interrupt leaves those so far."""
        if not self.statistics:
            return
        with output.progress("measuring the basis between venues"):
            pairs, complete = measure_pairs(sources)
        result["statistics"] = statistics_result(pairs, self.naming)
        result["interrupted"] = result["interrupted"] or not complete
