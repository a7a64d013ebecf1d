"""README's table of measured numbers, made from ``benchmarks/results``: ``python -m benchmarks.readme``.

It holds what is measured beside a peer or a target; agreements, which have no ratio, stand in their own documents.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from benchmarks.harness import RESULTS, ROOT, SYNTHETIC

README: Final = ROOT / "README.md"
BEGIN: Final = "<!-- measured: begin -->\n"
END: Final = "<!-- measured: end -->\n"


def newest_rows(folder: Path = RESULTS) -> list[dict[str, Any]]:
    """The last row of each benchmark, case and peer, in the order of first appearance.

    Without synthetic cases, and without rows that have nothing beside them: those count agreements.
    """
    newest: dict[tuple[str, str, str], dict[str, Any]] = {}
    for file in sorted(folder.glob("*.jsonl")):
        for line in file.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            if row["peer"] and not row["case"].endswith(SYNTHETIC):
                newest[row["benchmark"], row["case"], row["peer"]] = row
    return list(newest.values())


def table(rows: list[dict[str, Any]]) -> str:
    """Rows as a Markdown table."""
    lines = ["| Benchmark | Case | Unit | Tickwire | Beside | | Ratio | Commit |", "|---|---|---|---|---|---|---|---|"]
    for row in rows:
        numbers = f"{row['ours']:,.1f} | {row['peer']} | {row['peer_value']:,.1f} | {row['ratio']:.2f}"
        lines.append(f"| {row['benchmark']} | {row['case']} | {row['unit']} | {numbers} | `{row['commit'][:7]}` |")
    return "\n".join(lines) + "\n"


def renewed(text: str, rows: list[dict[str, Any]]) -> str:
    """README's text with the table between its marks replaced."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}{table(rows)}{END}{after}"


if __name__ == "__main__":
    README.write_text(renewed(README.read_text(encoding="utf-8"), newest_rows()), encoding="utf-8")
