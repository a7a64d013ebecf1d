"""``tickwire import``: trades of Binance's public archive."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

import click

from config.settings import Settings
from config.venues import VenueName
from market.errors import MissingInput
from orchestrator.cli.exits import Interrupted
from orchestrator.cli.output import Output, with_output
from orchestrator.cli.profile import load_profile, profile_option
from orchestrator.importing.run import ImportPlan, run_import
from sim.archive.book_rule import BookRule
from sim.archive.files import ArchiveFile, archive_file, in_folder, is_coin_margined, read_text

_NS_PER_MS: Final = 1_000_000
_VENUES: Final = (VenueName.BINANCE_SPOT, VenueName.BINANCE_USDM, VenueName.BINANCE_CM)
_INTERVALS_MS: Final = ("10", "20", "50", "100", "200", "500", "1000")
_DAY: Final = click.DateTime(formats=["%Y-%m-%d"])
_DECIMALS: Final = click.IntRange(0, 10)
_RULE: Final = BookRule()


@click.command(name="import")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="Folder to write into.")
@click.option("--from", "first", type=_DAY, metavar="DAY", help="First day, UTC, such as 2025-10-10.")
@click.option("--to", "last", type=_DAY, metavar="DAY", help="Last day, included.")
@click.option("--symbol", help="Symbol at the venue, where file names do not say or a folder holds several.")
@click.option("--venue", type=click.Choice([venue.value for venue in _VENUES]), help="Default: told from the rows.")
@profile_option
@click.option("--price-decimals", type=_DECIMALS, help="Of a tick.  [default: the profile's]")
@click.option("--quantity-decimals", type=_DECIMALS, help="Of a lot.  [default: the profile's]")
@click.option("--no-book", is_flag=True, help="No recording with a synthetic book, only trades and bars.")
@click.option("--levels", default=_RULE.levels, show_default=True, type=click.IntRange(1, 500), help="Book, per side.")
@click.option("--least-spread", default=_RULE.least_spread_ticks, show_default=True, type=click.IntRange(1, 1_000_000),
              help="Book, in ticks.")  # fmt: skip
@click.option("--spread-percent", default=_RULE.spread_percent, show_default=True, type=click.IntRange(0, 1_000),
              help="Book: spread, of the mean range of a second.")  # fmt: skip
@click.option("--depth-percent", default=_RULE.depth_percent, show_default=True, type=click.IntRange(1, 10_000),
              help="Book: best sizes, of the mean volume of a second.")  # fmt: skip
@click.option("--book-ms", default="100", show_default=True, type=click.Choice(_INTERVALS_MS), help="Between updates.")
@click.option("--feed-ms", default=5, show_default=True, type=click.IntRange(0, 60_000), help="Until a receipt.")
@click.option("--overwrite", is_flag=True, help="Replace files that exist.")
@with_output
def import_trades(output: Output, /, paths: tuple[Path, ...], **words: Any) -> None:
    """Import trades of Binance's public archive: aggTrades files, zip or csv, or a folder of them.

    Writes trades and bars of one second as Parquet, and a recording of the trades with a synthetic order book, which
    `tickwire replay` and `tickwire backtest` take as a source. A CHECKSUM file beside a file is compared. Ends with 0,
    with 1 when rows were refused or ids are missing; the files are written all the same.

    \b
    tickwire import BTCUSDT-aggTrades-2025-10-10.zip --out crash
    tickwire import archive --from 2021-05-18 --to 2021-05-20 --symbol BTCUSDT --out crash
    """
    files = _files(paths, words["symbol"], _day(words["first"]), _day(words["last"]))
    plan = _plan(load_profile(words["profile"]).settings, files, words)
    size = sum(file.path.stat().st_size for file in files)
    try:
        with output.progress(f"importing {len(files)} files of {size:,} bytes") as progress:
            result = run_import(plan, lambda read: progress.show(f"{read:,} bytes of text"))
    except KeyboardInterrupt:
        raise Interrupted("nothing was written") from None
    _show(output, result)
    output.emit(result)
    if result["refused"] or result["gaps"]:
        raise click.exceptions.Exit(1)


def _day(moment: datetime | None) -> date | None:
    return None if moment is None else moment.date()


def _files(
    paths: tuple[Path, ...], symbol: str | None, first: date | None, last: date | None
) -> tuple[ArchiveFile, ...]:
    """The files in order of their days, or as they were given where names state none."""
    if first is not None and last is not None and last < first:
        raise click.UsageError(f"--to {last} is before --from {first}")
    files: list[ArchiveFile] = []
    for path in paths:
        if path.is_dir():
            files += in_folder(path, symbol, first, last)
        elif path.is_file():
            files.append(archive_file(path))
        else:
            raise MissingInput(f"{path} is not there")
    if all(file.first_day is not None for file in files):
        files.sort(key=lambda file: (file.first_day or date.min, file.last_day or date.min))
    return tuple(files)


def _plan(settings: Settings, files: tuple[ArchiveFile, ...], words: dict[str, Any]) -> ImportPlan:
    symbols = sorted({file.symbol for file in files if file.symbol is not None})
    symbol = words["symbol"] or (symbols[0] if symbols else None)
    if symbol is None:
        raise click.UsageError("no file is named like SYMBOL-aggTrades-YYYY-MM-DD: name the --symbol")
    if any(other != symbol for other in symbols):
        raise click.UsageError(f"the files are of {', '.join(symbols)}: import one symbol at a time, here {symbol}")
    venue = VenueName(words["venue"]) if words["venue"] else _venue(files[0], symbol)
    price_decimals, quantity_decimals = _decimals(settings, venue, symbol, words)
    rule = BookRule(
        levels=words["levels"],
        least_spread_ticks=words["least_spread"],
        spread_percent=words["spread_percent"],
        depth_percent=words["depth_percent"],
        interval_ns=int(words["book_ms"]) * _NS_PER_MS,
    )
    return ImportPlan(
        files=files,
        venue=venue,
        symbol=symbol,
        price_decimals=price_decimals,
        quantity_decimals=quantity_decimals,
        first_day=_day(words["first"]),
        last_day=_day(words["last"]),
        book=None if words["no_book"] else rule,
        feed_ns=words["feed_ms"] * _NS_PER_MS,
        folder=words["out"],
        overwrite=words["overwrite"],
    )


def _venue(file: ArchiveFile, symbol: str) -> VenueName:
    """The venue that symbol and number of columns give away; rows are held against it when they are read."""
    if is_coin_margined(symbol):
        return VenueName.BINANCE_CM
    head = next(read_text(file.path), b"")
    line = next((line for line in head.splitlines() if line[:1].isdigit()), b"")
    return VenueName.BINANCE_SPOT if line.count(b",") == 7 else VenueName.BINANCE_USDM


def _decimals(settings: Settings, venue: VenueName, symbol: str, words: dict[str, Any]) -> tuple[int, int]:
    """Decimals of ticks and lots: as stated, else as the profile has them; contracts are whole."""
    markets = [instrument.markets.get(venue) for instrument in settings.instruments.values()]
    market = next((market for market in markets if market is not None and market.symbol == symbol), None)
    prices, quantities = words["price_decimals"], words["quantity_decimals"]
    if quantities is None and venue is VenueName.BINANCE_CM:
        quantities = 0
    if market is not None:
        prices = market.price_decimals if prices is None else prices
        quantities = market.quantity_decimals if quantities is None else quantities
    if prices is None or quantities is None:
        raise click.UsageError(
            f"the profile has no {symbol} on {venue.value}: state --price-decimals and --quantity-decimals"
        )
    return prices, quantities


def _show(output: Output, result: dict[str, Any]) -> None:
    verified = sum(file["checksum"] == "verified" for file in result["files"])
    rows = [
        ("market", f"{result['symbol']} on {result['venue']}"),
        ("files", f"{len(result['files'])}, of which {verified} compared with a checksum"),
        ("trades", f"{result['trades']:,}"),
        ("bars of a second", f"{result['bars']:,}"),
        ("tick, lot", f"10^-{result['price_decimals']}, 10^-{result['quantity_decimals']}"),
        ("gaps in ids", f"{result['gaps']:,}, {result['missing_ids']:,} ids missing"),
        ("written", ", ".join(result["written"])),
    ]
    rows += [
        (f"refused: {name}", f"{found['rows']:,}, first {found['first']}") for name, found in result["refused"].items()
    ]
    output.table("Imported", ("property", "value"), rows)
    if "synthetic_book" in result:
        output.say("SYNTHETIC BOOK: made by a rule from the trades, not recorded")
