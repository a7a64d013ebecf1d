"""Settings of the receive loop: channels refer to what is traded, addresses are addresses."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.errors import SettingsError
from config.loading import load_settings

GOOD = {"address": '"239.1.2.3"', "port": "4_000", "venue": '"binance-spot"', "instrument": '"BTC"'}


def write(folder: Path, *channels: dict[str, str], loop: str = "") -> Path:
    """A local file with channels, laid over the demo profile."""
    tables = [f"[loop]\n{loop}"]
    for number, channel in enumerate(channels):
        tables.append(
            "\n".join([f"[loop.channels.own-{number}]", *(f"{key} = {value}" for key, value in channel.items())])
        )
    path = folder / "local.toml"
    path.write_text("\n".join(tables), encoding="utf-8")
    return path


def test_the_demo_has_a_channel_for_each_market() -> None:
    settings = load_settings("demo")
    listed = [(channel.instrument, channel.venue) for channel in settings.loop.channels.values()]
    assert listed == [(name, venue) for name, one in settings.instruments.items() for venue in one.markets]


def test_a_group_is_a_channel(tmp_path: Path) -> None:
    channel = load_settings("demo", local=write(tmp_path, GOOD)).loop.channels["own-0"]
    assert (channel.address, channel.port, channel.interface) == ("239.1.2.3", 4_000, "")


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"address": '"localhost"'}, 'own-0.address was "localhost": must be an IPv4 address such as 127.0.0.1'),
        ({"address": '"0.0.0.0"'}, "must be one address"),
        ({"port": "0"}, "own-0.port was 0: must be greater than or equal to 1"),
        ({"venue": '"okx"'}, "own-0.venue was okx: must be one of ['binance-spot'"),
        ({"venue": '"ok"'}, "must be 'binance-spot'"),
        (
            {"instrument": '"DOGE"'},
            "own-0.instrument was 'DOGE': must be one that binance-spot trades, of ['BTC', 'ETH']",
        ),
        ({"instrument": '""'}, "own-0.instrument was '': must be set"),
        ({"address": '"127.0.0.1"', "port": "31_801"}, "own-0.port was 31801: loop.channels.btc-spot has it already"),
        ({"address": '"127.0.0.1"', "interface": '"lo"'}, "own-0.interface was 'lo': must be empty"),
        ({"feed": '"fix"'}, "own-0.feed was \"fix\": must be 'binance-sbe'"),
    ],
)
def test_a_mistake_in_a_channel_is_named(tmp_path: Path, changes: dict[str, str], text: str) -> None:
    with pytest.raises(SettingsError) as raised:
        load_settings("demo", local=write(tmp_path, GOOD | changes))
    assert text in str(raised.value)
    assert "local.toml" in str(raised.value)


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ('trigger_address = "239.1.2.3"', 'loop.trigger_address was "239.1.2.3": must be the address of one receiver'),
        ("core = -2", "loop.core was -2: must be greater than or equal to -1"),
        ('wait = "never"', "loop.wait was \"never\": must be 'busy' or 'sleep'"),
    ],
)
def test_a_mistake_in_the_loop_is_named(tmp_path: Path, line: str, text: str) -> None:
    with pytest.raises(SettingsError) as raised:
        load_settings("demo", local=write(tmp_path, loop=line))
    assert text in str(raised.value)


def test_there_are_at_most_as_many_channels_as_rows(tmp_path: Path) -> None:
    channels = [GOOD | {"port": str(5_000 + number)} for number in range(59)]
    with pytest.raises(SettingsError) as raised:
        load_settings("demo", local=write(tmp_path, *channels))
    assert "at most 64" in str(raised.value)
