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
    """Binance spot: ticks of 0.01, both prices and quantities written with eight decimals.

    Parameters
    ----------
    lot_units: size of a lot in 0.00001 of the coin.
    """

    def __init__(self, symbol: str, lot_units: int) -> None:
        self._symbol = symbol
        self._stream = symbol.lower()
        self._lot = lot_units

    def _price(self, tick: int) -> str:
        return f"{tick // 100}.{tick % 100:02d}000000"

    def _quantity(self, lots: int) -> str:
        units = lots * self._lot
        return f"{units // 100_000}.{units % 100_000:05d}000"

    def _levels(self, levels: Levels) -> str:
        price, quantity = self._price, self._quantity
        return ",".join([f'["{price(tick)}","{quantity(lots)}"]' for tick, lots in levels])

    def quote(self, update_id: int, top: Top, event: int, published: int) -> str:
        bid, bid_lots, ask, ask_lots = top
        return (
            f'{{"stream":"{self._stream}@bookTicker","data":{{"u":{update_id},"s":"{self._symbol}",'
            f'"b":"{self._price(bid)}","B":"{self._quantity(bid_lots)}",'
            f'"a":"{self._price(ask)}","A":"{self._quantity(ask_lots)}"}}}}'
        )

    def trade(self, trade_id: int, tick: int, lots: int, is_sell: bool, event: int, published: int) -> str:
        return (
            f'{{"stream":"{self._stream}@trade","data":{{"e":"trade","E":{published},"s":"{self._symbol}",'
            f'"t":{trade_id},"p":"{self._price(tick)}","q":"{self._quantity(lots)}",'
            f'"T":{event},"m":{"true" if is_sell else "false"},"M":true}}}}'
        )

    def depth(self, ids: tuple[int, int, int], bids: Levels, asks: Levels, event: int, published: int) -> str:
        return (
            f'{{"stream":"{self._stream}@depth@100ms","data":{{"e":"depthUpdate","E":{published},'
            f'"s":"{self._symbol}","U":{ids[0]},"u":{ids[1]},'
            f'"b":[{self._levels(bids)}],"a":[{self._levels(asks)}]}}}}'
        )

    def snapshot(self, update_id: int, bids: Levels, asks: Levels, event: int) -> str:
        return f'{{"lastUpdateId":{update_id},"bids":[{self._levels(bids)}],"asks":[{self._levels(asks)}]}}'


class UsdMargined:
    """Binance USD-M futures: prices written with two decimals, lots of 0.001.

    Parameters
    ----------
    tick_cents: size of a tick in 0.01 USD.
    """

    def __init__(self, symbol: str, tick_cents: int) -> None:
        self._symbol = symbol
        self._stream = symbol.lower()
        self._tick = tick_cents

    def _price(self, tick: int) -> str:
        cents = tick * self._tick
        return f"{cents // 100}.{cents % 100:02d}"

    def _levels(self, levels: Levels) -> str:
        price = self._price
        return ",".join([f'["{price(tick)}","{lots // 1000}.{lots % 1000:03d}"]' for tick, lots in levels])

    def quote(self, update_id: int, top: Top, event: int, published: int) -> str:
        bid, bid_lots, ask, ask_lots = top
        return (
            f'{{"stream":"{self._stream}@bookTicker","data":{{"e":"bookTicker","u":{update_id},"s":"{self._symbol}",'
            f'"b":"{self._price(bid)}","B":"{bid_lots // 1000}.{bid_lots % 1000:03d}",'
            f'"a":"{self._price(ask)}","A":"{ask_lots // 1000}.{ask_lots % 1000:03d}",'
            f'"T":{event},"E":{published}}}}}'
        )

    def trade(self, trade_id: int, tick: int, lots: int, is_sell: bool, event: int, published: int) -> str:
        return (
            f'{{"stream":"{self._stream}@trade","data":{{"e":"trade","E":{published},"T":{event},"s":"{self._symbol}",'
            f'"t":{trade_id},"p":"{self._price(tick)}","q":"{lots // 1000}.{lots % 1000:03d}",'
            f'"X":"MARKET","m":{"true" if is_sell else "false"}}}}}'
        )

    def depth(self, ids: tuple[int, int, int], bids: Levels, asks: Levels, event: int, published: int) -> str:
        return (
            f'{{"stream":"{self._stream}@depth@0ms","data":{{"e":"depthUpdate","E":{published},"T":{event},'
            f'"s":"{self._symbol}","U":{ids[0]},"u":{ids[1]},"pu":{ids[2]},'
            f'"b":[{self._levels(bids[::-1])}],"a":[{self._levels(asks)}]}}}}'
        )

    def snapshot(self, update_id: int, bids: Levels, asks: Levels, event: int) -> str:
        return (
            f'{{"lastUpdateId":{update_id},"E":{event},"T":{event},'
            f'"bids":[{self._levels(bids)}],"asks":[{self._levels(asks)}]}}'
        )


class CoinMargined:
    """Binance COIN-M futures: a tick is the last decimal of a price, quantities are whole contracts."""

    def __init__(self, pair: str, price_decimals: int) -> None:
        self._pair = pair
        self._symbol = f"{pair}_PERP"
        self._stream = self._symbol.lower()
        self._digits = price_decimals
        self._scale = 10**price_decimals

    def _price(self, tick: int) -> str:
        whole, fraction = divmod(tick, self._scale)
        return f"{whole}.{fraction:0{self._digits}d}"

    def _levels(self, levels: Levels) -> str:
        price = self._price
        return ",".join([f'["{price(tick)}","{lots}"]' for tick, lots in levels])

    def quote(self, update_id: int, top: Top, event: int, published: int) -> str:
        bid, bid_lots, ask, ask_lots = top
        return (
            f'{{"stream":"{self._stream}@bookTicker","data":{{"u":{update_id},"e":"bookTicker","s":"{self._symbol}",'
            f'"ps":"{self._pair}","b":"{self._price(bid)}","B":"{bid_lots}","a":"{self._price(ask)}",'
            f'"A":"{ask_lots}","T":{event},"E":{published}}}}}'
        )

    def trade(self, trade_id: int, tick: int, lots: int, is_sell: bool, event: int, published: int) -> str:
        return (
            f'{{"stream":"{self._stream}@trade","data":{{"e":"trade","E":{published},"T":{event},"s":"{self._symbol}",'
            f'"t":{trade_id},"p":"{self._price(tick)}","q":"{lots}",'
            f'"X":"MARKET","m":{"true" if is_sell else "false"}}}}}'
        )

    def depth(self, ids: tuple[int, int, int], bids: Levels, asks: Levels, event: int, published: int) -> str:
        return (
            f'{{"stream":"{self._stream}@depth@0ms","data":{{"e":"depthUpdate","E":{published},"T":{event},'
            f'"s":"{self._symbol}","ps":"{self._pair}","U":{ids[0]},"u":{ids[1]},"pu":{ids[2]},'
            f'"b":[{self._levels(bids[::-1])}],"a":[{self._levels(asks)}]}}}}'
        )

    def snapshot(self, update_id: int, bids: Levels, asks: Levels, event: int) -> str:
        return (
            f'{{"lastUpdateId":{update_id},"E":{event},"T":{event},"symbol":"{self._symbol}","pair":"{self._pair}",'
            f'"bids":[{self._levels(bids)}],"asks":[{self._levels(asks)}]}}'
        )
