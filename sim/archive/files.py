"""Files of Binance's public archive: which there are, whether they are whole, and what is in them."""

from __future__ import annotations

import hashlib
import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import IO, Final

from market.errors import MissingInput

PIECE_BYTES: Final = 1 << 22
_NAME: Final = re.compile(
    r"(?P<symbol>[A-Z0-9_]+)-aggTrades-(?P<year>\d{4})-(?P<month>\d{2})(-(?P<day>\d{2}))?\.(zip|csv)"
)
_COIN_MARGINED: Final = re.compile(r".+USD_(PERP|\d{6})")
_DIGEST: Final = re.compile(r"([0-9a-fA-F]{64})(\s|$)")


@dataclass(frozen=True)
class ArchiveFile:
    """One file of aggregate trades; symbol and days are those of its name, None if that is not the archive's."""

    path: Path
    symbol: str | None = None
    first_day: date | None = None
    last_day: date | None = None

    @property
    def checksum_path(self) -> Path:
        """Where the archive's checksum stands, if it was fetched too."""
        return self.path.with_name(f"{self.path.name}.CHECKSUM")


def archive_file(path: Path) -> ArchiveFile:
    """A file by its name."""
    named = _NAME.fullmatch(path.name)
    if named is None:
        return ArchiveFile(path)
    year, month = int(named["year"]), int(named["month"])
    try:
        first = date(year, month, int(named["day"] or 1))
        after = date(year + month // 12, month % 12 + 1, 1)
    except ValueError:
        return ArchiveFile(path)
    return ArchiveFile(path, named["symbol"], first, first if named["day"] else after - timedelta(days=1))


def is_coin_margined(symbol: str) -> bool:
    """Whether a symbol of the futures is one that is margined in its coin."""
    return _COIN_MARGINED.fullmatch(symbol) is not None


def in_folder(folder: Path, symbol: str | None, first: date | None, last: date | None) -> list[ArchiveFile]:
    """The files of one symbol in a folder, by day; a month's file only where none of its days has its own.

    Raises MissingInput when there are none, when there are several symbols and none is asked for, and when a day
    between ``first`` and ``last`` has no file.
    """
    try:
        found = [archive_file(path) for path in sorted(folder.iterdir(), reverse=True)]
    except OSError as error:
        raise MissingInput(f"{folder} cannot be read: {error.strerror or error}") from error
    named = [file for file in found if file.symbol is not None and (symbol is None or file.symbol == symbol)]
    symbols = sorted({file.symbol for file in named if file.symbol is not None})
    if not symbols:
        wanted = f"{symbol or 'SYMBOL'}-aggTrades-YYYY-MM-DD.zip"
        raise MissingInput(f"{folder} holds no file named like {wanted} (or .csv)")
    if len(symbols) > 1:
        raise MissingInput(f"{folder} holds {', '.join(symbols)}: name one with --symbol")
    # In reverse order a zip comes before the csv of the same days, and so wins.
    by_days: dict[tuple[date, date], ArchiveFile] = {}
    for file in named:
        if file.first_day is None or file.last_day is None:
            continue
        if (first is None or file.last_day >= first) and (last is None or file.first_day <= last):
            by_days.setdefault((file.first_day, file.last_day), file)
    daily = {begin for begin, end in by_days if begin == end}
    chosen = {
        days: file
        for days, file in by_days.items()
        if days[0] == days[1] or not any(days[0] <= day <= days[1] for day in daily)
    }
    _refuse_missing_days(folder, list(chosen), first, last)
    return [chosen[days] for days in sorted(chosen)]


def _refuse_missing_days(
    folder: Path, covered: Sequence[tuple[date, date]], first: date | None, last: date | None
) -> None:
    begin = first or min((days[0] for days in covered), default=None)
    end = last or max((days[1] for days in covered), default=None)
    if begin is None or end is None:
        raise MissingInput(f"{folder} holds no file of the days asked for")
    days = (begin + timedelta(days=index) for index in range((end - begin).days + 1))
    missing = [day.isoformat() for day in days if not any(one <= day <= other for one, other in covered)]
    if missing:
        shown = ", ".join(missing[:5]) + (f" and {len(missing) - 5} more" if len(missing) > 5 else "")
        raise MissingInput(f"{folder} has no file of {shown}: fetch it, or choose other days with --from and --to")


def verify_checksum(file: ArchiveFile) -> bool:
    """Whether a checksum was there to compare with; raises MissingInput when the file differs from it."""
    try:
        text = file.checksum_path.read_text(encoding="ascii", errors="replace")
    except FileNotFoundError:
        return False
    except OSError as error:
        raise MissingInput(f"{file.checksum_path} cannot be read: {error.strerror or error}") from error
    stated = _DIGEST.match(text)
    if stated is None:
        raise MissingInput(f"{file.checksum_path} must begin with a SHA-256 in hexadecimal, was {text[:40]!r}")
    try:
        with file.path.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
    except OSError as error:
        raise MissingInput(f"{file.path} cannot be read: {error.strerror or error}") from error
    if digest != stated[1].lower():
        raise MissingInput(
            f"{file.path} has the SHA-256 {digest}, its CHECKSUM file says {stated[1].lower()}: fetch it again"
        )
    return True


def read_text(path: Path) -> Iterator[bytes]:
    """The text of a csv file, or of the only member of a zip file, in pieces.

    Raises MissingInput for a file that cannot be read, is damaged, or is a zip with anything but one csv in it.
    """
    try:
        if not zipfile.is_zipfile(path):
            if path.suffix == ".zip":
                path.stat()
                raise MissingInput(f"{path} is no whole zip file: fetch it again")
            with path.open("rb") as plain:
                yield from _pieces(plain)
            return
        with zipfile.ZipFile(path) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
            if len(members) != 1 or not members[0].filename.endswith(".csv"):
                names = ", ".join(member.filename for member in members[:5]) or "nothing"
                raise MissingInput(f"{path} holds {names}: must hold one csv file")
            with archive.open(members[0]) as member:
                yield from _pieces(member)
    except OSError as error:
        raise MissingInput(f"{path} cannot be read: {error.strerror or error}") from error
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError) as error:
        raise MissingInput(f"{path} is damaged or of a kind that cannot be read: {error}") from error


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    while piece := file.read(PIECE_BYTES):
        yield piece
