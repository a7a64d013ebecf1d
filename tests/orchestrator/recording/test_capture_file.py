"""Files that grow: names, compression, rotation, what a reader sees before the end."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
import zstandard

from market.errors import MissingInput
from orchestrator.recording.backoff import Backoff
from orchestrator.recording.capture_file import CaptureFile, Rotation
from sim.recording.container import read_content

NEVER = Rotation()


def content(path: Path) -> bytes:
    return b"".join(read_content(path))


@pytest.mark.parametrize("name", ["a", "a.gz", "a.zst"])
def test_a_closed_file_is_whole(tmp_path: Path, name: str) -> None:
    file = CaptureFile(tmp_path / name, NEVER, preamble=b"head\n")
    file.open()
    for time_ns in range(1, 4):
        file.write(time_ns, b"record\n" * 1000)
    file.close()
    assert content(tmp_path / name) == b"head\n" + b"record\n" * 3000
    assert file.content_bytes == 5 + 7 * 3000
    if name == "a.gz":
        assert gzip.decompress((tmp_path / name).read_bytes()).startswith(b"head\nrecord\n")


@pytest.mark.parametrize("name", ["a", "a.gz", "a.zst"])
def test_what_was_flushed_can_be_read_while_it_grows(tmp_path: Path, name: str) -> None:
    file = CaptureFile(tmp_path / name, NEVER)
    file.open()
    file.write(1, b"first\n")
    file.flush()
    head = (tmp_path / name).read_bytes()
    if name == "a.gz":
        with gzip.open(tmp_path / name) as stream:
            assert stream.read(6) == b"first\n"
    elif name == "a.zst":
        assert zstandard.ZstdDecompressor().decompressobj().decompress(head) == b"first\n"
    else:
        assert head == b"first\n"
    file.close()


def test_a_new_file_begins_after_so_many_bytes(tmp_path: Path) -> None:
    begun: list[str] = []
    file = CaptureFile(tmp_path / "btc.json.gz", Rotation(content_bytes=20), preamble=b"head")
    file.on_begin = lambda: begun.append(file.files[-1].name)
    file.open()
    for time_ns in range(1, 6):
        file.write(time_ns, b"8 bytes\n")
    file.close()
    assert begun == ["btc-0001.json.gz", "btc-0002.json.gz", "btc-0003.json.gz"]
    assert [content(path).count(b"8 bytes") for path in file.files] == [2, 2, 1]
    assert all(content(path).startswith(b"head8") for path in file.files)


def test_a_new_file_begins_after_so_much_time(tmp_path: Path) -> None:
    file = CaptureFile(tmp_path / "a", Rotation(duration_ns=100))
    file.open()
    for time_ns in (1_000, 1_099, 1_100, 1_150, 1_300):
        file.write(time_ns, b"%d " % time_ns)
    file.close()
    assert [content(path) for path in file.files] == [b"1000 1099 ", b"1100 1150 ", b"1300 "]


def test_an_existing_file_is_kept_unless_told(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"precious")
    with pytest.raises(MissingInput, match=r"exists: name another file, or pass --overwrite"):
        CaptureFile(tmp_path / "a", NEVER).open()
    assert (tmp_path / "a").read_bytes() == b"precious"
    file = CaptureFile(tmp_path / "a", NEVER, overwrite=True)
    file.open()
    file.close()
    assert (tmp_path / "a").read_bytes() == b""


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(MissingInput, match="cannot be written: No such file"):
        CaptureFile(tmp_path / "none" / "a", NEVER).open()


def test_pauses_double_up_to_the_longest_and_end() -> None:
    pauses = [Backoff().pause_s(failed) for failed in range(1, 11)]
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60, None]
