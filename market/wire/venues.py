"""The venues whose JSON lines can be replayed: decoder, rule of the books, and how their captures are told apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from market.book.book import (
    BOOK_WORDS,
    CHECKSUM_STYLE,
    CONTRACT_FACTOR,
    IN_BAND,
    PRICE_DECIMALS,
    QUANTITY_DECIMALS,
    new_books,
)
from market.book.checksum import Checksum
from market.book.continuity import Rule
from market.wire import binance_json, bybit_json, coinbase_json, kraken_json, okx_json
from market.wire.lines import DecodeLines
from market.wire.markets import Market
from market.wire.records import Words


@dataclass(frozen=True, kw_only=True)
class Venue:
    """How one venue's messages are decoded and its books kept.

    Parameters
    ----------
    decode_lines: decoder entry, see ``lines.decode_each_line``.
    rule: how depth updates are numbered.
    in_band: snapshots come in the stream of updates itself, and each replaces the book.
    checksum: what the venue's book checksum is made of; verified after every update that states one.
    needs_book: stated quotes count only while the book is synchronised.
    numbered: update ids never go back, so that they can number quotes elsewhere too.
    depth_limit: levels kept per side, 0 for all or what the messages say.
    levels: rows per side that the largest snapshot on record needs.
    connection: text that the address of a capture's connection holds; others carry the same symbols of another market.
    """

    decode_lines: DecodeLines
    rule: Rule
    in_band: bool = False
    checksum: Checksum = Checksum.NONE
    needs_book: bool = True
    numbered: bool = False
    depth_limit: int = 0
    levels: int = 16_384
    connection: str = ""

    def new_books(self, markets: Sequence[Market]) -> Words:
        """Fresh books of a source, one per market; see ``market.book.book.new_books``."""
        limits = [self.depth_limit] * len(markets)
        books = new_books([self.rule] * len(markets), needs_book=self.needs_book, depth_limits=limits)
        for index, market in enumerate(markets):
            header = books[BOOK_WORDS * index :]
            header[IN_BAND] = self.in_band
            header[CHECKSUM_STYLE] = int(self.checksum)
            header[PRICE_DECIMALS] = market.price_decimals
            header[QUANTITY_DECIMALS] = market.wire_decimals
            header[CONTRACT_FACTOR] = market.contract_factor
        return books


_SPOT: Final = Venue(decode_lines=binance_json.decode_lines, rule=Rule.OVERLAPPING, numbered=True)
_BYBIT: Final = Venue(decode_lines=bybit_json.decode_lines, rule=Rule.CONSECUTIVE, in_band=True)
_FUTURES: Final = Venue(decode_lines=binance_json.decode_lines, rule=Rule.CHAINED_OVERLAP, numbered=True)

VENUES: Final[Mapping[str, Venue]] = MappingProxyType(
    {
        "binance-spot": _SPOT,
        "binance-us": _SPOT,
        "binance-usdm": _FUTURES,
        "binance-cm": _FUTURES,
        "bybit": replace(_BYBIT, connection="/public/linear"),
        "bybit-spot": replace(_BYBIT, connection="/public/spot"),
        "okx": Venue(
            decode_lines=okx_json.decode_lines,
            rule=Rule.CHAINED,
            in_band=True,
            checksum=Checksum.INTERLEAVED,
        ),
        "kraken": Venue(
            decode_lines=kraken_json.decode_lines,
            rule=Rule.UNNUMBERED,
            in_band=True,
            checksum=Checksum.DIGITS,
        ),
        "coinbase": Venue(
            decode_lines=coinbase_json.decode_lines,
            rule=Rule.UNNUMBERED,
            in_band=True,
            levels=65_536,
        ),
    }
)
"""By name, as in ``--source NAME=FILE``."""
