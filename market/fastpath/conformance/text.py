"""Cases as text: JSON, one line per step, so that a difference shows as a line.

A line with ``case`` opens a case, lines with ``at`` are its steps with their outputs under ``out``, a line with
``end`` closes it. Each output has its bytes as ``hex`` beside its decoded fields; the decoded fields are for people
(fields of a status that are zero are left out) and are not read back.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from market.errors import Fatal
from market.fastpath.conformance.case import (
    SCHEMA,
    Case,
    Control,
    End,
    Frame,
    Input,
    Quote,
    RawControl,
    Step,
    Trade,
)
from market.fastpath.conformance.rules import BY_LABEL
from market.fastpath.specification import DEFAULT_SIZES, EngineSizes
from market.wire.sbe import decode

CASES = Path(__file__).parent / "cases"
SUFFIX = ".jsonl"


def case_lines(case: Case) -> Iterator[str]:
    """The lines of one case, without line ends."""
    yield json.dumps(
        {
            "case": case.name,
            "about": case.about,
            "rules": [rule.label for rule in case.rules],
            "sizes": _sizes_fields(case.sizes),
        }
    )
    for step in case.steps:
        yield json.dumps(
            {
                "at": step.at_ns,
                **_input_fields(step.input),
                "out": [_output_fields(payload) for payload in step.outputs],
            }
        )
    yield json.dumps({"end": asdict(case.end)})


def _sizes_fields(sizes: EngineSizes) -> dict[str, int]:
    """The sizes, of lines and books only those that differ from the default build."""
    optional = ("lines", "books", "order_books", "book_orders", "book_ticks")
    return {
        name: value
        for name, value in asdict(sizes).items()
        if name not in optional or value != getattr(DEFAULT_SIZES, name)
    }


def _input_fields(given: Input) -> dict[str, Any]:
    match given:
        case Control():
            return {"control": given.message, "fields": dict(given.fields)}
        case RawControl():
            return {"message": given.message.hex()}
        case Quote():
            return {"quote": asdict(given)}
        case Trade():
            return {"trade": asdict(given)}
        case Frame():
            return {"frame": given.octets.hex()}


def _output_fields(payload: bytes) -> dict[str, Any]:
    decoded = decode(SCHEMA, payload)
    shown = decoded.named()
    if decoded.name == "Status":
        shown = {name: value for name, value in shown.items() if value}
    return {decoded.name: shown, "hex": payload.hex()}


def read_cases(file: Path) -> list[Case]:
    """The cases of one file. Raises Fatal, naming file and line, for text that is no case."""
    cases: list[Case] = []
    head: Mapping[str, Any] = {}
    steps: list[Step] = []
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            fields = json.loads(line)
            if "case" in fields:
                head, steps = fields, []
            elif "at" in fields:
                outputs = tuple(bytes.fromhex(output["hex"]) for output in fields["out"])
                steps.append(Step(fields["at"], _read_input(fields), outputs))
            else:
                cases.append(_read_case(head, steps, fields["end"]))
        except (KeyError, TypeError, ValueError) as error:
            raise Fatal(f"{file} line {number} is no line of a conformance case: {error!r}") from error
    return cases


def _read_case(head: Mapping[str, Any], steps: Iterable[Step], end: Mapping[str, Any]) -> Case:
    return Case(
        name=head["case"],
        about=head["about"],
        rules=tuple(BY_LABEL[label] for label in head["rules"]),
        sizes=EngineSizes(**head["sizes"]),
        steps=tuple(steps),
        end=End(**end),
    )


def _read_input(fields: Mapping[str, Any]) -> Input:
    if "control" in fields:
        return Control(fields["control"], fields["fields"])
    if "message" in fields:
        return RawControl(bytes.fromhex(fields["message"]))
    if "quote" in fields:
        return Quote(**fields["quote"])
    if "trade" in fields:
        return Trade(**fields["trade"])
    return Frame(bytes.fromhex(fields["frame"]))


def load_corpus(folder: Path = CASES) -> list[Case]:
    """All cases of a folder, files in the order of their names. Raises Fatal if there are none."""
    cases = [case for file in sorted(folder.glob(f"*{SUFFIX}")) for case in read_cases(file)]
    if not cases:
        raise Fatal(f"{folder} has no conformance cases (*{SUFFIX}); reinstall the package or regenerate them")
    return cases


def write_cases(file: Path, cases: Iterable[Case]) -> None:
    """Write one file of cases."""
    file.write_text("".join(line + "\n" for case in cases for line in case_lines(case)), encoding="utf-8")
