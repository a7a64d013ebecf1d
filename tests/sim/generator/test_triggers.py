"""The fast loop finds work in a generated minute: replayed with an institution's fees, every kind triggers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from orchestrator.cli.entry import main
from sim.generator.recording import write_recordings
from sim.generator.settings import GeneratorSettings

PROFILE = """
extends = "demo"
[venues.binance-spot]
taker_fee_bps = 1.5
[venues.binance-usdm]
taker_fee_bps = 1.5
[venues.binance-cm]
taker_fee_bps = 1.5
[instruments.BTC]
kinds = ["arb", "basis", "imbalance"]
"""


def test_every_kind_of_trigger_occurs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    profile = tmp_path / "institution.toml"
    profile.write_text(PROFILE, encoding="utf-8")
    files = write_recordings(GeneratorSettings(), 1, tmp_path)
    sources = [option for file in files for option in ("--source", f"{file.venue}={file.path}")]
    assert main(["replay", "--json", "--profile", str(profile), *sources]) == 0
    result = json.loads(capsys.readouterr().out)
    assert all(result["triggers"][kind] >= 1 for kind in ("ARB", "BASIS", "IMBALANCE")), result["triggers"]
    for file in files:
        source = result["sources"][file.venue]
        assert (source["rejects"], source["gaps"], source["synchronised"]) == ({}, 0, True)
        assert source["book_equal"] == source["book_checks"] > 0
