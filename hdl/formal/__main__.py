"""Asks for every proof, or those named, and prints what came out."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from hdl.formal.proof import Proof
from hdl.formal.proofs import PROOFS
from hdl.formal.solver import ENGINE, Mode, ask

_METHODS = {Mode.PROVE: "induction", Mode.BOUNDED: "bounded"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns 1 if any check has an answer that was not expected."""
    parser = argparse.ArgumentParser(prog="python -m hdl.formal", description=__doc__)
    parser.add_argument("names", nargs="*", help="proofs; all without any")
    parser.add_argument("--limit", type=int, default=600, metavar="SECONDS", help="give up a check after this long")
    options = parser.parse_args(arguments)
    unknown = set(options.names) - {proof.name for proof in PROOFS}
    if unknown:
        parser.error(f"no proof {', '.join(sorted(unknown))}; there are {', '.join(proof.name for proof in PROOFS)}")
    chosen = [proof for proof in PROOFS if not options.names or proof.name in options.names]
    print(f"{ENGINE}; seconds are those of the run that found the answer")
    return max([_report(proof, options.limit) for proof in chosen], default=0)


def _report(proof: Proof, limit_s: int) -> int:
    start = "from any state" if proof.any_state else "from power-on"
    print(f"\n{proof.name}: {_METHODS[proof.mode]}, depth {proof.depth}, {start}\n  {proof.statement}")
    wrong = 0
    for check, question, expected in proof.checks():
        answer = ask(question, limit_s=limit_s)
        as_expected = answer.verdict is expected
        wrong |= not as_expected
        said = "as expected" if as_expected else f"expected {expected.value}"
        print(f"  {check:<50} {answer.verdict.value:<8} {answer.seconds:>5} s  {said}", flush=True)
    return int(wrong)


if __name__ == "__main__":
    sys.exit(main())
