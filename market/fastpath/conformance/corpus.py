"""Makes the corpus anew, and says which rule is covered by which case."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from market.fastpath.conformance.case import Case
from market.fastpath.conformance.directed import SECTIONS
from market.fastpath.conformance.rules import Rule
from market.fastpath.conformance.text import SUFFIX, write_cases


def regenerate(folder: Path) -> list[Path]:
    """Write every file of cases into a folder, expected values by the reference; the files written.

    Files of cases that no section makes any more are removed.
    """
    wanted = {folder / f"{name}{SUFFIX}": make for name, make in SECTIONS.items()}
    for stale in set(folder.glob(f"*{SUFFIX}")) - set(wanted):
        stale.unlink()
    for file, make in wanted.items():
        write_cases(file, make())
    return sorted(wanted)


def coverage(cases: Iterable[Case]) -> dict[Rule, list[str]]:
    """The names of the cases of each rule, in the corpus's order; every rule is a key."""
    covered: dict[Rule, list[str]] = {rule: [] for rule in Rule}
    for case in cases:
        for rule in case.rules:
            covered[rule].append(case.name)
    return covered


def coverage_table(cases: Iterable[Case]) -> str:
    """The coverage as a Markdown table: rule, where it stands, what it says, its cases."""
    lines = ["| Rule | Where | What it says | Cases |", "|---|---|---|---|"]
    for rule, names in coverage(cases).items():
        listed = ", ".join(f"`{name}`" for name in names)
        lines.append(f"| `{rule.label}` | {rule.source} | {rule.says.replace('|', chr(92) + '|')} | {listed} |")
    return "\n".join(lines) + "\n"
