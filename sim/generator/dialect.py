"""The text of a venue's messages, byte for byte as its streams write them."""

from __future__ import annotations

from typing import Protocol

Levels = list[tuple[int, int]]
"""(tick, lots), best first."""
Top = tuple[int, int, int, int]
"""Best bid tick and lots, best ask tick and lots."""


class Dialect(Protocol):
    """One venue's JSON. Times in ms since the epoch: ``event`` of the matching engine, ``published`` of the stream."""

    def quote(self, update_id: int, top: Top, event: int, published: int) -> str:
        """Best bid and offer."""

    def trade(self, trade_id: int, tick: int, lots: int, is_sell: bool, event: int, published: int) -> str:
        """One fill; ``is_sell`` when the taker sold."""

    def depth(self, ids: tuple[int, int, int], bids: Levels, asks: Levels, event: int, published: int) -> str:
        """Changed levels; ``ids``: first, last, and last of the message before."""

    def snapshot(self, update_id: int, bids: Levels, asks: Levels, event: int) -> str:
        """The whole book as the REST interface answers."""


class Spot:
    """Binance spot: ticks of 0.01, lots of 0.00001, both written with eight decimals."""

    def _levels(self, levels: Levels) -> str:
        return ",".join(
            [f'["{t // 100}.{t % 100:02d}000000","{q // 100_000}.{q % 100_000:05d}000"]' for t, q in levels]
        )

    def quote(self, update_id: int, top: Top, event: int, published: int) -> str:
        bid, bid_lots, ask, ask_lots = top
        return (
            f'{{"stream":"btcusdt@bookTicker","data":{{"u":{update_id},"s":"BTCUSDT",'
            f'"b":"{bid // 100}.{bid % 100:02d}000000","B":"{bid_lots // 100_000}.{bid_lots % 100_000:05d}000",'
            f'"a":"{ask // 100}.{ask % 100:02d}000000","A":"{ask_lots // 100_000}.{ask_lots % 100_000:05d}000"}}}}'
        )

    def trade(self, trade_id: int, tick: int, lots: int, is_sell: bool, event: int, published: int) -> str:
        return (
            f'{{"stream":"btcusdt@trade","data":{{"e":"trade","E":{published},"s":"BTCUSDT","t":{trade_id},'
            f'"p":"{tick // 100}.{tick % 100:02d}000000","q":"{lots // 100_000}.{lots % 100_000:05d}000",'
            f'"T":{event},"m":{"true" if is_sell else "false"},"M":true}}}}'
        )

    def depth(self, ids: tuple[int, int, int], bids: Levels, asks: Levels, event: int, published: int) -> str:
        return (
            f'{{"stream":"btcusdt@depth@100ms","data":{{"e":"depthUpdate","E":{published},"s":"BTCUSDT",'
            f'"U":{ids[0]},"u":{ids[1]},"b":[{self._levels(bids)}],"a":[{self._levels(asks)}]}}}}'
        )

    def snapshot(self, update_id: int, bids: Levels, asks: Levels, event: int) -> str:
        return f'{{"lastUpdateId":{update_id},"bids":[{self._levels(bids)}],"asks":[{self._levels(asks)}]}}'


class UsdMargined:
    """Binance USD-M futures: ticks of 0.1 written with two decimals, lots of 0.001."""

    def _levels(self, levels: Levels) -> str:
        return ",".join([f'["{t // 10}.{t % 10}0","{q // 1000}.{q % 1000:03d}"]' for t, q in levels])

    def quote(self, update_id: int, top: Top, event: int, published: int) -> str:
        bid, bid_lots, ask, ask_lots = top
        return (
            f'{{"stream":"btcusdt@bookTicker","data":{{"e":"bookTicker","u":{update_id},"s":"BTCUSDT",'
            f'"b":"{bid // 10}.{bid % 10}0","B":"{bid_lots // 1000}.{bid_lots % 1000:03d}",'
            f'"a":"{ask // 10}.{ask % 10}0","A":"{ask_lots // 1000}.{ask_lots % 1000:03d}",'
            f'"T":{event},"E":{published}}}}}'
        )

    def trade(self, trade_id: int, tick: int, lots: int, is_sell: bool, event: int, published: int) -> str:
        return (
            f'{{"stream":"btcusdt@trade","data":{{"e":"trade","E":{published},"T":{event},"s":"BTCUSDT",'
            f'"t":{trade_id},"p":"{tick // 10}.{tick % 10}0","q":"{lots // 1000}.{lots % 1000:03d}",'
            f'"X":"MARKET","m":{"true" if is_sell else "false"}}}}}'
        )

    def depth(self, ids: tuple[int, int, int], bids: Levels, asks: Levels, event: int, published: int) -> str:
        return (
            f'{{"stream":"btcusdt@depth@0ms","data":{{"e":"depthUpdate","E":{published},"T":{event},"s":"BTCUSDT",'
            f'"U":{ids[0]},"u":{ids[1]},"pu":{ids[2]},"b":[{self._levels(bids[::-1])}],"a":[{self._levels(asks)}]}}}}'
        )

    def snapshot(self, update_id: int, bids: Levels, asks: Levels, event: int) -> str:
        return (
            f'{{"lastUpdateId":{update_id},"E":{event},"T":{event},'
            f'"bids":[{self._levels(bids)}],"asks":[{self._levels(asks)}]}}'
        )


class CoinMargined:
    """Binance COIN-M futures: ticks of 0.1, quantities in contracts of 100 USD."""

    def _levels(self, levels: Levels) -> str:
        return ",".join([f'["{t // 10}.{t % 10}","{q}"]' for t, q in levels])

    def quote(self, update_id: int, top: Top, event: int, published: int) -> str:
        bid, bid_lots, ask, ask_lots = top
        return (
            f'{{"stream":"btcusd_perp@bookTicker","data":{{"u":{update_id},"e":"bookTicker","s":"BTCUSD_PERP",'
            f'"ps":"BTCUSD","b":"{bid // 10}.{bid % 10}","B":"{bid_lots}","a":"{ask // 10}.{ask % 10}",'
            f'"A":"{ask_lots}","T":{event},"E":{published}}}}}'
        )

    def trade(self, trade_id: int, tick: int, lots: int, is_sell: bool, event: int, published: int) -> str:
        return (
            f'{{"stream":"btcusd_perp@trade","data":{{"e":"trade","E":{published},"T":{event},"s":"BTCUSD_PERP",'
            f'"t":{trade_id},"p":"{tick // 10}.{tick % 10}","q":"{lots}",'
            f'"X":"MARKET","m":{"true" if is_sell else "false"}}}}}'
        )

    def depth(self, ids: tuple[int, int, int], bids: Levels, asks: Levels, event: int, published: int) -> str:
        return (
            f'{{"stream":"btcusd_perp@depth@0ms","data":{{"e":"depthUpdate","E":{published},"T":{event},'
            f'"s":"BTCUSD_PERP","ps":"BTCUSD","U":{ids[0]},"u":{ids[1]},"pu":{ids[2]},'
            f'"b":[{self._levels(bids[::-1])}],"a":[{self._levels(asks)}]}}}}'
        )

    def snapshot(self, update_id: int, bids: Levels, asks: Levels, event: int) -> str:
        return (
            f'{{"lastUpdateId":{update_id},"E":{event},"T":{event},"symbol":"BTCUSD_PERP","pair":"BTCUSD",'
            f'"bids":[{self._levels(bids)}],"asks":[{self._levels(asks)}]}}'
        )
