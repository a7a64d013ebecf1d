"""A simulated spot exchange in a process of its own, for the order path to be measured against.

``python -m benchmarks.execution_exchange`` prints one JSON line with its addresses and a key, and runs until it is
ended.
"""

from __future__ import annotations

import asyncio
import json
from typing import Final

from orchestrator.clock import SystemClock
from sim.exchange.keys import hmac_key
from sim.exchange.quota import Interval, Limits
from sim.exchange.served import ServedVenue
from sim.exchange.server import ExchangeServer
from sim.exchange.venue.kinds import MarketKind
from sim.exchange.venue.model import UNIT, AccountModel, SymbolModel, VenueModel
from sim.exchange.venue.venue import SimulatedVenue

ACCOUNT: Final = "bench"
_MUCH: Final = 10**9
_BALANCE: Final = {"USDT": 10**7 * UNIT}


async def serve() -> None:
    """Serve one market in which orders find nobody."""
    symbol = SymbolModel.of("BTCUSDT", "BTC", "USDT", tick="0.01", lot="0.00001", price="60000")
    accounts = (AccountModel(account=ACCOUNT, balances=_BALANCE),)
    venue = SimulatedVenue(VenueModel(name="venue", kind=MarketKind.SPOT, symbols=(symbol,), accounts=accounts))
    limits = Limits(weight=Interval("MINUTE", 1, _MUCH), orders=(Interval("SECOND", 10, _MUCH),))
    key = hmac_key(ACCOUNT, 1)
    served = ServedVenue(name="venue", venue=venue, keys=(key,), limits=limits)
    async with ExchangeServer([served], SystemClock().now_ns) as server:
        at = server.addresses["venue"]
        print(json.dumps({"http": at.http, "ws": at.ws, "key": key.key, "secret": key.secret}), flush=True)
        await server.ended()


if __name__ == "__main__":
    asyncio.run(serve())
