"""Checksums of books equal the venues' own vectors; a book that has another one is given up."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.book import book as header
from market.book.intake import take_records
from market.wire.markets import Market
from market.wire.venues import VENUES
from tests.market.wire.json_driver import Decoding

Levels = list[tuple[str, str]]

KRAKEN_ASKS = (
    "45285.2:0.00100000 45286.4:1.54571953 45286.6:1.54571109 45289.6:1.54560911 45290.2:0.15890660 "
    "45291.8:1.54553491 45294.7:0.04454749 45296.1:0.35380000 45297.5:0.09945542 45299.5:0.18772827"
)
KRAKEN_BIDS = (
    "45283.5:0.10000000 45283.4:1.54582015 45282.1:0.10000000 45281.0:0.10000000 45280.3:1.54592586 "
    "45279.0:0.07990000 45277.6:0.03310103 45277.5:0.30000000 45277.3:1.54602737 45276.6:0.15445238"
)
KRAKEN_V1_ASKS = "0.05005 0.05010 0.05015 0.05020 0.05025 0.05030 0.05035 0.05040 0.05045 0.05050"
KRAKEN_V1_BIDS = "0.05000 0.04995 0.04990 0.04980 0.04975 0.04970 0.04965 0.04960 0.04955 0.04950"


def pairs(text: str, quantity: str = "") -> Levels:
    return [(price, found or quantity) for price, _, found in (level.partition(":") for level in text.split())]


class Feed:
    """A venue's decoder and the book of one market behind it."""

    def __init__(self, venue: str, market: Market) -> None:
        self.decoding = Decoding(VENUES[venue].decode_lines, [market], levels=2000)
        self.words = VENUES[venue].new_books([market])
        self.symbol = market.symbol

    def take(self, *messages: str) -> Feed:
        batch = self.decoding.take(*messages).batch
        take_records(self.words, batch.records, batch.count, batch.bids, batch.asks)
        return self

    def __getitem__(self, word: int) -> int:
        return int(self.words[word])

    @property
    def checked(self) -> tuple[int, int, int]:
        """Checksums compared, those that differed, and whether the book stands."""
        return self[header.CHECKSUMS], self[header.MISMATCHES], self[header.SYNCHRONISED]

    def okx(self, bids: Levels, asks: Levels, checksum: int, action: str = "snapshot") -> Feed:
        def rows(levels: Levels) -> str:
            return ",".join(f'["{price}","{quantity}","0","1"]' for price, quantity in levels)

        data = f'{{"asks":[{rows(asks)}],"bids":[{rows(bids)}],"ts":"1652459225464","checksum":{checksum}}}'
        argument = f'{{"channel":"books","instId":"{self.symbol}"}}'
        return self.take(f'{{"arg":{argument},"action":"{action}","data":[{data}]}}')

    def kraken(self, bids: Levels, asks: Levels, checksum: int, kind: str = "snapshot") -> Feed:
        def rows(levels: Levels) -> str:
            return ",".join(f'{{"price":{price},"qty":{quantity}}}' for price, quantity in levels)

        sides = f'"bids":[{rows(bids)}],"asks":[{rows(asks)}],"checksum":{checksum}'
        return self.take(f'{{"channel":"book","type":"{kind}","data":[{{"symbol":"{self.symbol}",{sides}}}]}}')

    def kraken_v1(self, bids: Levels, asks: Levels, checksum: int) -> Feed:
        def rows(levels: Levels) -> str:
            return ",".join(f'["{price}","{quantity}","1582905486.493008"]' for price, quantity in levels)

        last = f'{{"b":[["{bids[0][0]}","{bids[0][1]}","1582905486.493008"]],"c":"{checksum}"}}'
        snapshot = f'[0,{{"as":[{rows(asks)}],"bs":[{rows(bids)}]}},"book-1000","{self.symbol}"]'
        return self.take(snapshot, f'[0,{last},"book-1000","{self.symbol}"]')


def okx_feed() -> Feed:
    return Feed("okx", Market("BTC-USDT", 1, 8))


OKX_BIDS = pairs("3366.1:7")
OKX_ASKS = pairs("3366.8:9 3368:8 3372:8")


def test_okx_both_sides_in_turn() -> None:
    feed = okx_feed().okx(pairs("3366.1:7 3366:6"), pairs("3366.8:9 3368:8"), -1881014294)
    assert feed.checked == (1, 0, 1)


def test_okx_a_missing_level_is_left_out() -> None:
    assert okx_feed().okx(OKX_BIDS, OKX_ASKS, 831078360).checked == (1, 0, 1)


def test_okx_a_book_that_differs_is_a_gap_until_the_next_snapshot() -> None:
    feed = okx_feed().okx(OKX_BIDS, OKX_ASKS, 831078360)
    feed.okx([("3366.1", "6")], [], 831078360, "update")
    assert feed.checked == (2, 1, 0)
    assert (feed[header.GAPS], feed[header.QUOTED]) == (1, 0)
    feed.okx(OKX_BIDS, OKX_ASKS, 831078360, "update")
    assert (feed[header.SYNCHRONISED], feed[header.UNJOINED]) == (0, 1)
    feed.okx(OKX_BIDS, OKX_ASKS, 831078360)
    assert (feed[header.SYNCHRONISED], feed[header.RESYNCS], feed[header.QUOTED]) == (1, 1, 1)


def test_okx_zero_is_no_checksum() -> None:
    assert okx_feed().okx(OKX_BIDS, OKX_ASKS, 0).checked == (0, 0, 1)


def test_okx_contracts_are_told_from_the_lots_they_became() -> None:
    feed = Feed("okx", Market("BTC-USD-SWAP", 1, 8, Decimal(100)))
    assert feed.okx(pairs("3366.1:7 3366:6"), pairs("3366.8:9 3368:8"), -1881014294).checked == (1, 0, 1)


def test_okx_contracts_of_less_than_a_lot_are_not_checked() -> None:
    feed = Feed("okx", Market("BTC-USD-SWAP", 1, 0, Decimal(100)))
    assert feed.okx(pairs("3366.1:70"), pairs("3366.8:90"), 1).checked == (0, 0, 1)


def test_okx_linear_contracts_are_checked_as_written() -> None:
    feed = Feed("okx", Market("BTC-USDT-SWAP", 1, 8, contract_size=Decimal("0.01")))
    assert feed.okx(pairs("3366.1:7 3366:6"), pairs("3366.8:9 3368:8"), -1881014294).checked == (1, 0, 1)


@pytest.mark.parametrize("decimals", [1, 2, 4])
def test_kraken_v2(decimals: int) -> None:
    feed = Feed("kraken", Market("BTC/USD", decimals, 8))
    assert feed.kraken(pairs(KRAKEN_BIDS), pairs(KRAKEN_ASKS), 3310070434).checked == (1, 0, 1)


def test_kraken_v2_differing() -> None:
    feed = Feed("kraken", Market("BTC/USD", 1, 8))
    assert feed.kraken(pairs(KRAKEN_BIDS), pairs(KRAKEN_ASKS), 3310070435).checked == (1, 1, 0)


def test_kraken_v1() -> None:
    feed = Feed("kraken", Market("XBT/USD", 5, 8))
    quantity = "0.00000500"
    feed.kraken_v1(pairs(KRAKEN_V1_BIDS, quantity), pairs(KRAKEN_V1_ASKS, quantity), 974947235)
    assert feed.checked == (1, 0, 1)


def _okx_text(bids: Levels, asks: Levels) -> str:
    parts: list[str] = []
    for index in range(25):
        parts += [":".join(side[index]) for side in (bids, asks) if index < len(side)]
    return ":".join(parts)


def _kraken_text(bids: Levels, asks: Levels) -> str:
    levels = asks[:10] + bids[:10]
    return "".join(number.replace(".", "").lstrip("0") for level in levels for number in level)


def _trimmed(units: int, decimals: int) -> str:
    text = f"{Decimal(units).scaleb(-decimals):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _fixed(units: int, decimals: int) -> str:
    return f"{Decimal(units).scaleb(-decimals):.{decimals}f}"


# Prices lie around the middle, some far beyond the window of either side.
TICKS = st.lists(st.integers(1, 400_000), min_size=1, max_size=40, unique=True)


@given(below=TICKS, above=TICKS, sizes=st.lists(st.integers(1, 10**15), min_size=80, max_size=80))
@settings(derandomize=True, deadline=None, max_examples=150)
@pytest.mark.parametrize(("venue", "written", "text"), [("okx", _trimmed, _okx_text), ("kraken", _fixed, _kraken_text)])
def test_any_book_has_the_checksum_of_its_text(
    venue: str,
    written: Callable[[int, int], str],
    text: Callable[[Levels, Levels], str],
    below: list[int],
    above: list[int],
    sizes: list[int],
) -> None:
    middle = 500_000
    quantity = iter(sizes)
    bids = [(written(middle - tick, 2), written(next(quantity), 8)) for tick in sorted(below)]
    asks = [(written(middle + tick, 2), written(next(quantity), 8)) for tick in sorted(above)]
    feed = Feed(venue, Market("BTC/USD", 2, 8))
    send = feed.okx if venue == "okx" else feed.kraken
    stated = zlib.crc32(text(bids, asks).encode())
    send(bids, asks, stated)
    assert feed.checked == (1, 0, 1)


def test_the_reader_of_vectors_sees_what_they_say() -> None:
    assert zlib.crc32(_okx_text(OKX_BIDS, OKX_ASKS).encode()) == 831078360
    assert zlib.crc32(_kraken_text(pairs(KRAKEN_BIDS), pairs(KRAKEN_ASKS)).encode()) == 3310070434
