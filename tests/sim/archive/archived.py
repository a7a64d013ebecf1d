"""Files of aggregate trades in the archive's format, generated."""

from __future__ import annotations

import hashlib
import random
import zipfile
from dataclasses import dataclass
from pathlib import Path

DAY_MS = 1_760_054_400_000
"""2025-10-10 00:00 UTC."""
HEADER = "agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker"
NAME = "BTCUSDT-aggTrades-2025-10-10"


@dataclass(frozen=True)
class Traded:
    """One aggregate trade, in ticks of 0.01 (spot) or 0.1 (futures) and lots of 1e-8 or 0.001."""

    number: int
    price: int
    lots: int
    first: int
    last: int
    time_us: int
    is_sell: bool

    def spot(self, *, microseconds: bool = True) -> str:
        """The line of a spot file."""
        price = f"{self.price // 100}.{self.price % 100:02d}000000"
        lots = f"{self.lots // 10**8}.{self.lots % 10**8:08d}"
        time = self.time_us if microseconds else self.time_us // 1_000
        return f"{self.number},{price},{lots},{self.first},{self.last},{time},{self.is_sell},True"

    def futures(self) -> str:
        """The line of a futures file."""
        price = f"{self.price // 10}.{self.price % 10}0"
        lots = f"{self.lots // 1000}.{self.lots % 1000:03d}"
        side = "true" if self.is_sell else "false"
        return f"{self.number},{price},{lots},{self.first},{self.last},{self.time_us // 1000},{side}"


def trades(count: int, seed: int = 1, *, start_ms: int = DAY_MS, first_id: int = 100) -> list[Traded]:
    """Trades of a random walk, ids without gaps, several at one time, seconds without any."""
    chance = random.Random(seed)
    time_us, price, trade_id = start_ms * 1000, 6_183_763, 1_000
    made: list[Traded] = []
    for number in range(first_id, first_id + count):
        time_us += chance.choice((0, 0, 1_000, 7_250, 250_000, 2_300_000 if chance.random() < 0.1 else 0))
        price += chance.choice((-30, -1, 0, 0, 1, 30))
        last = trade_id + chance.randrange(4)
        made.append(
            Traded(number, price, chance.randrange(1, 10**6), trade_id, last, time_us, is_sell=chance.random() < 0.5)
        )
        trade_id = last + 1
    return made


def spot_text(made: list[Traded]) -> str:
    """A spot file's text."""
    return "".join(f"{trade.spot()}\n" for trade in made)


def write_zip(folder: Path, text: str, name: str = NAME, *, checksum: bool = True) -> Path:
    """The zip of one csv, with its checksum beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{name}.csv", text)
    if checksum:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        path.with_name(f"{path.name}.CHECKSUM").write_text(f"{digest}  {path.name}\n", encoding="ascii")
    return path
