"""The conformance corpus of the fast loop: cases that every engine must pass unchanged.

``case``      what a case is
``text``      the files under ``cases``: reader and writer
``runner``    ``run_case`` runs one on any engine and lists the differences
``rules``     the rules by stable names
``corpus``    ``regenerate`` and the coverage table
``directed``  the cases themselves, as scripts; ``scenario`` and ``frame_builder`` are what they are written with

``differential`` compares an engine with the reference on random runs: ``random_host`` makes the inputs, of the markets
in ``market_model``, in the frames of ``random_frames`` if asked.
"""

from __future__ import annotations

from market.fastpath.conformance.case import Case, End, Step
from market.fastpath.conformance.corpus import coverage, coverage_table, regenerate
from market.fastpath.conformance.rules import Rule
from market.fastpath.conformance.runner import Difference, run_case
from market.fastpath.conformance.text import CASES, load_corpus

__all__ = [
    "CASES",
    "Case",
    "Difference",
    "End",
    "Rule",
    "Step",
    "coverage",
    "coverage_table",
    "load_corpus",
    "regenerate",
    "run_case",
]
