"""A small market by hand: three venues' recordings of a few lines each, for tests that need no real data."""

from __future__ import annotations

from pathlib import Path

START_NS = 1_723_161_255_000_000_000
MILLISECOND = 1_000_000


def line(offset_ms: int, message: str) -> str:
    return f"{START_NS + offset_ms * MILLISECOND} {message}\n"


def spot_snapshot(update: int, bid: str, ask: str) -> str:
    return f'{{"lastUpdateId":{update},"bids":[["{bid}","2"]],"asks":[["{ask}","2"]]}}'


def spot_quote(update: int, bid: str, ask: str, quantity: str = "1.5") -> str:
    quote = f'{{"u":{update},"s":"BTCUSDT","b":"{bid}","B":"{quantity}","a":"{ask}","A":"{quantity}"}}'
    return f'{{"stream":"btcusdt@bookTicker","data":{quote}}}'


def spot_diff(first: int, last: int, bids: str = "", asks: str = "") -> str:
    diff = f'{{"e":"depthUpdate","E":1,"s":"BTCUSDT","U":{first},"u":{last},"b":[{bids}],"a":[{asks}]}}'
    return f'{{"stream":"btcusdt@depth","data":{diff}}}'


def spot_trade(number: int, price: str = "61700.00", quantity: str = "0.5") -> str:
    trade = f'{{"e":"trade","E":1,"s":"BTCUSDT","t":{number},"p":"{price}","q":"{quantity}","T":1,"m":true,"M":true}}'
    return f'{{"stream":"btcusdt@trade","data":{trade}}}'


def spot_lines(count: int = 400) -> list[str]:
    """A sound recording: a snapshot, then quotes, diffs and trades in turn, one per millisecond."""
    lines = [line(0, spot_diff(1, 5)), line(1, spot_snapshot(5, "61700.00", "61700.01"))]
    last = 5
    for step in range(count):
        update = 6 + step
        turn = step % 3
        if turn == 1:
            lines.append(line(2 + step, spot_quote(update, "61700.00", "61700.01", f"{1 + step % 7}")))
            continue
        if turn == 2:
            lines.append(line(2 + step, spot_trade(step)))
        lines.append(line(2 + step, spot_diff(last + 1, update, bids=f'["61690.00","{1 + step}"]')))
        last = update
    return lines


def write(path: Path, lines: list[str]) -> Path:
    path.write_text("".join(lines), encoding="utf-8")
    return path
