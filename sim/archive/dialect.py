"""The text of the messages that a recording of archived trades holds, as Binance's streams write them."""

from __future__ import annotations

from collections.abc import Iterable

from config.venues import VenueName

Levels = Iterable[tuple[int, int]]
"""(tick, lots)."""


class Dialect:
    """Messages of one market. Times in ms since the epoch, prices in ticks, quantities in lots.

    Parameters
    ----------
    venue: Binance's spot, USD-M or COIN-M.
    """

    def __init__(self, venue: VenueName, symbol: str, price_decimals: int, quantity_decimals: int) -> None:
        self._symbol, self._stream = symbol, symbol.lower()
        self._is_spot = venue is VenueName.BINANCE_SPOT
        self._pair = f'"ps":"{symbol.partition("_")[0]}",' if venue is VenueName.BINANCE_CM else ""
        self._price_decimals, self._price_scale = price_decimals, 10**price_decimals
        self._quantity_decimals, self._quantity_scale = quantity_decimals, 10**quantity_decimals

    def _price(self, ticks: int) -> str:
        return _decimal(ticks, self._price_scale, self._price_decimals)

    def _quantity(self, lots: int) -> str:
        return _decimal(lots, self._quantity_scale, self._quantity_decimals)

    def _levels(self, levels: Levels) -> str:
        return ",".join([f'["{self._price(tick)}","{self._quantity(lots)}"]' for tick, lots in levels])

    def trade(self, ids: tuple[int, int, int], tick: int, lots: int, is_sell: bool, time: int) -> str:
        """Aggregate trade; ``ids``: its own, and its first and last trade's."""
        best = ',"M":true' if self._is_spot else ""
        return (
            f'{{"stream":"{self._stream}@aggTrade","data":{{"e":"aggTrade","E":{time},"s":"{self._symbol}",'
            f'"a":{ids[0]},"p":"{self._price(tick)}","q":"{self._quantity(lots)}","f":{ids[1]},"l":{ids[2]},'
            f'"T":{time},"m":{"true" if is_sell else "false"}{best}}}}}'
        )

    def quote(self, update_id: int, bid: tuple[int, int], ask: tuple[int, int], time: int) -> str:
        """Best bid and offer."""
        kind, times = ("", "") if self._is_spot else ('"e":"bookTicker",', f',"T":{time},"E":{time}')
        return (
            f'{{"stream":"{self._stream}@bookTicker","data":{{{kind}"u":{update_id},"s":"{self._symbol}",{self._pair}'
            f'"b":"{self._price(bid[0])}","B":"{self._quantity(bid[1])}",'
            f'"a":"{self._price(ask[0])}","A":"{self._quantity(ask[1])}"{times}}}}}'
        )

    def depth(self, ids: tuple[int, int, int], bids: Levels, asks: Levels, time: int) -> str:
        """Changed levels; ``ids``: first, last, and last of the message before."""
        event = "" if self._is_spot else f'"T":{time},'
        previous = "" if self._is_spot else f'"pu":{ids[2]},'
        return (
            f'{{"stream":"{self._stream}@depth@100ms","data":{{"e":"depthUpdate","E":{time},{event}'
            f'"s":"{self._symbol}",{self._pair}"U":{ids[0]},"u":{ids[1]},{previous}'
            f'"b":[{self._levels(bids)}],"a":[{self._levels(asks)}]}}}}'
        )

    def snapshot(self, update_id: int, bids: Levels, asks: Levels, time: int) -> str:
        """The whole book."""
        times = "" if self._is_spot else f'"E":{time},"T":{time},'
        return (
            f'{{"stream":"{self._stream}@snapshot","data":{{"lastUpdateId":{update_id},{times}'
            f'"bids":[{self._levels(bids)}],"asks":[{self._levels(asks)}]}}}}'
        )


def _decimal(value: int, scale: int, decimals: int) -> str:
    return f"{value // scale}.{value % scale:0{decimals}d}" if decimals else str(value)
