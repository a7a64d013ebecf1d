"""What a replay shows on request: statistics across venues, reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from orchestrator.cli.output import Output
from orchestrator.replay.chart_data import ChartData
from orchestrator.replay.naming import Naming
from orchestrator.replay.report import Measured, report_page
from orchestrator.replay.statistics import measure_pairs, pairs_of, statistics_result
from sim.replay.feed import FeedSettings

REPORT_FILE: Final = "report.html"


@dataclass(frozen=True, kw_only=True)
class Extras:
    """What is asked for beside the decisions.

    Parameters
    ----------
    naming: names of the engine's numbers.
    statistics: whether to count episodes of the basis.
    reports: HTML files to write.
    """

    naming: Naming
    statistics: bool = False
    reports: tuple[Path, ...] = ()

    def charts(self, sources: Sequence[FeedSettings]) -> ChartData | None:
        """Where a replay gathers what its reports show; None when there are none."""
        return ChartData(self.naming, pairs_of(sources)) if self.reports else None

    def add_statistics(self, output: Output, result: dict[str, Any], sources: Sequence[FeedSettings]) -> None:
        """Add ``statistics`` to a replay's result if they are asked for; an interrupt leaves those so far."""
        if not self.statistics:
            return
        with output.progress("measuring the basis between venues"):
            pairs, complete = measure_pairs(sources)
        result["statistics"] = statistics_result(pairs, self.naming)
        result["interrupted"] = result["interrupted"] or not complete

    def write_reports(self, result: Mapping[str, Any], measured: Measured) -> None:
        """Write the reports."""
        if self.reports:
            text = report_page(result, measured)
            for path in self.reports:
                path.write_text(text, encoding="utf-8")


def report_files(report: Path | None, folder: Path | None) -> tuple[Path, ...]:
    """The file that is asked for, and ``report.html`` in the folder of results."""
    return tuple(path for path in (report, folder / REPORT_FILE if folder else None) if path is not None)
