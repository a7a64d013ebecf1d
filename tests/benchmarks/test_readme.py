"""README shows the newest measured rows, as they were measured."""

from __future__ import annotations

from benchmarks.readme import README, newest_rows, renewed


def test_the_table_in_readme_is_that_of_the_results() -> None:
    text = README.read_text(encoding="utf-8")
    assert text == renewed(text, newest_rows()), "renew it: python -m benchmarks.readme"
