"""The SBE schemas of the formats that Tickwire reads and writes, one XML file each."""

from __future__ import annotations

from pathlib import Path

_FOLDER = Path(__file__).resolve().parent

BINANCE_STREAM = _FOLDER / "binance_stream.xml"
DERIBIT_STARBASE = _FOLDER / "deribit_starbase.xml"
DERIBIT_MULTICAST = _FOLDER / "deribit_multicast.xml"
COINBASE_DERIVATIVES = _FOLDER / "coinbase_derivatives.xml"
