"""The corpus: committed as the reference makes it, complete, readable, and passed by every engine."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from market.errors import Fatal
from market.fastpath.conformance import CASES, Case, coverage, coverage_table, load_corpus, regenerate, run_case
from market.fastpath.conformance.rules import BY_LABEL, Rule
from market.fastpath.conformance.text import read_cases
from market.fastpath.engine import CpuEngine
from market.fastpath.reference import ReferenceEngine
from market.fastpath.specification import EngineSizes, Feed

CORPUS = load_corpus()
TABLE = Path(__file__).parents[3] / "docs" / "conformance.md"


def cpu_engine(sizes: EngineSizes) -> CpuEngine:
    return CpuEngine(sizes, event_log=True)


def test_the_committed_corpus_is_what_the_reference_makes(tmp_path: Path) -> None:
    regenerated = regenerate(tmp_path)
    assert [file.name for file in regenerated] == sorted(file.name for file in CASES.glob("*.jsonl"))
    for file in regenerated:
        assert file.read_text(encoding="utf-8") == (CASES / file.name).read_text(encoding="utf-8"), file.name


def test_regeneration_removes_files_that_no_section_makes(tmp_path: Path) -> None:
    stale = tmp_path / "stale.jsonl"
    stale.write_text("", encoding="utf-8")
    regenerate(tmp_path)
    assert not stale.exists()


def test_case_names_are_unique() -> None:
    assert len({case.name for case in CORPUS}) == len(CORPUS)


@pytest.mark.parametrize("rule", Rule, ids=lambda rule: str(rule.label))
def test_every_rule_has_a_case(rule: Rule) -> None:
    assert coverage(CORPUS)[rule], f"no case covers {rule.label}: {rule.says}"


def test_cases_about_lines_can_be_told_from_others() -> None:
    lines = [case.name for case in CORPUS if case.has_lines]
    assert {"packet-gap", "refuse-book-messages"} & set(lines) == {"packet-gap", "refuse-book-messages"}
    assert "frame-other-feed" not in lines
    assert len(lines) > 60


def test_rule_names_are_unique() -> None:
    assert len(BY_LABEL) == len(Rule)


def test_the_documentation_has_the_coverage_table() -> None:
    assert coverage_table(CORPUS) in TABLE.read_text(encoding="utf-8")


@pytest.mark.parametrize("case", CORPUS, ids=lambda case: str(case.name))
def test_the_compiled_engine_passes(case: Case) -> None:
    assert [str(difference) for difference in run_case(cpu_engine, case)] == []


def test_the_runner_sees_every_kind_of_difference() -> None:
    case = next(case for case in CORPUS if case.name == "worked-arb")
    trigger_step = 12
    steps = list(case.steps)
    outputs = steps[trigger_step].outputs
    spoiled = bytes([*outputs[0][:-1], outputs[0][-1] ^ 1])
    steps[trigger_step] = dataclasses.replace(steps[trigger_step], outputs=(spoiled,))
    steps[0] = dataclasses.replace(steps[0], outputs=steps[0].outputs[:1])
    end = dataclasses.replace(case.end, parity=1, counters={**case.end.counters, "gateKill": 9})
    wrong = dataclasses.replace(case, steps=tuple(steps), end=end)
    found = [(difference.step, difference.what) for difference in run_case(ReferenceEngine, wrong)]
    assert found == [(0, "outputs"), (trigger_step, "output 0"), (None, "gateKill"), (None, "parity")]
    (trigger,) = (str(d) for d in run_case(ReferenceEngine, wrong) if d.what == "output 0")
    assert "'microprice'" in trigger
    assert "'edge'" not in trigger


@pytest.mark.parametrize("line", ["not json", '{"at": 5}', '{"case": "x"}\n{"end": {}}', "[]"])
def test_text_that_is_no_case_is_refused(tmp_path: Path, line: str) -> None:
    file = tmp_path / "broken.jsonl"
    file.write_text(line + "\n", encoding="utf-8")
    with pytest.raises(Fatal, match=r"broken\.jsonl line \d"):
        read_cases(file)


def test_an_empty_folder_is_no_corpus(tmp_path: Path) -> None:
    with pytest.raises(Fatal, match="no conformance cases"):
        load_corpus(tmp_path)


def test_every_line_of_the_corpus_is_one_json_object() -> None:
    for file in CASES.glob("*.jsonl"):
        for line in file.read_text(encoding="utf-8").splitlines():
            assert isinstance(json.loads(line), dict)


def test_cases_name_the_feeds_of_their_lines() -> None:
    feeds = {case.name: case.line_feeds for case in CORPUS}
    assert feeds["frame-other-feed"] == frozenset()
    assert feeds["refuse-book-messages"] == {Feed.STARBASE}
    assert frozenset(Feed) - {Feed.BINANCE_SBE} < frozenset().union(*feeds.values())
