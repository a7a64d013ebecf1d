"""What pages are made of: charts with what stands around them, tables as commands print them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from orchestrator.cli.output import Output


@dataclass(frozen=True)
class Figure:
    """A chart with what stands around it.

    Parameters
    ----------
    legend: class of the colour and name of each series.
    """

    title: str
    note: str
    chart: str
    legend: tuple[tuple[str, str], ...] = ()


class PageTables(Output):
    """Collects what commands print as HTML."""

    def __init__(self) -> None:
        super().__init__(as_json=False)
        self.parts: list[str] = []

    def say(self, text: str) -> None:
        """A paragraph."""
        self.parts.append(f"<p>{escape(text)}</p>")

    def table(
        self, title: str, columns: Sequence[str], rows: Sequence[Sequence[object]], *, right: Sequence[str] = ()
    ) -> None:
        """A table with its title."""
        classes = [' class="right"' if column in right else "" for column in columns]
        head = "".join(f"<th{kind}>{escape(column)}</th>" for kind, column in zip(classes, columns, strict=True))
        body = "".join(f"<tr>{_cells(row, classes)}</tr>" for row in rows)
        self.parts.append(f"<h3>{escape(title)}</h3>" if title else "")
        self.parts.append(
            f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
        )


def figure_html(figure: Figure) -> str:
    """A chart with title, note, legend and a line for values."""
    buttons = "".join(
        f'<button type="button" aria-pressed="true" data-series="{name}"><i class="{name}"></i>{escape(text)}</button>'
        for name, text in figure.legend
    )
    legend = f'<div class="legend">{buttons}</div>' if buttons else ""
    readout = '<div class="readout"></div>' if "data-readout" in figure.chart else ""
    note = f"<figcaption>{escape(figure.note)}</figcaption>" if figure.note else ""
    return f"<figure><h3>{escape(figure.title)}</h3>{note}{legend}{figure.chart}{readout}</figure>"


def _cells(row: Sequence[object], classes: Sequence[str]) -> str:
    return "".join(f"<td{kind}>{escape(str(cell))}</td>" for kind, cell in zip(classes, row, strict=True))
