"""``tickwire report``: the page of a backtest that was written to a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from market.errors import MissingInput
from orchestrator.backtest.files import write_text
from orchestrator.backtest.record import RESULT_FILE, read_record
from orchestrator.backtest.report import backtest_page
from orchestrator.cli.output import Output, with_output

REPORT_FILE: Final = "report.html"


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="HTML file.  [default: report.html in the folder]"
)
@with_output
def report(output: Output, run: Path, out: Path | None) -> None:
    """Make the HTML report of RUN, the folder of a backtest with --out.

    The page needs nothing but itself. It is the same that the backtest made.
    """
    record = read_record(run)
    try:
        text = backtest_page(record)
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise MissingInput(
            f"{run / RESULT_FILE} and the tables beside it do not make a report ({type(error).__name__}: {error}): "
            "they are damaged or of different runs; run the backtest again"
        ) from error
    path = run / REPORT_FILE if out is None else out
    write_text(path, text)
    output.say(f"{path}: {len(text.encode()) / 1e6:,.1f} MB")
    output.emit({"report": str(path), "orders": len(record.orders), "fills": len(record.trades)})
