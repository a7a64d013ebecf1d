"""Blocks of whole lines: complete, bounded, and honest about damage."""

from __future__ import annotations

import gzip
import random
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from market.errors import MissingInput
from sim.recording.blocks import Block, Blocks, open_blocks
from sim.recording.container import Container, container_of
from sim.recording.damage import DamageReason
from tests.sim.recording.files import stored, write

containers = st.sampled_from(list(Container))
lines_of_text = st.lists(st.binary(max_size=60).map(lambda text: b"0" + text.replace(b"\n", b".")), max_size=40)


def incompressible(count: int) -> bytes:
    """Lines of random letters: their compressed form is long, so that cuts hit every part of it."""
    source = random.Random(7)
    return b"".join(b"%032x\n" % source.getrandbits(128) for _ in range(count))


def read(path: Path, block_bytes: int = 1 << 16, line_bytes: int = 1 << 20) -> tuple[Blocks, list[Block]]:
    blocks = open_blocks(path, block_bytes, line_bytes)
    return blocks, list(blocks)


def reasons(blocks: Blocks) -> list[DamageReason]:
    return [damage.reason for damage in blocks.damage]


@given(lines=lines_of_text, container=containers, block_bytes=st.integers(1, 300), last_newline=st.booleans())
@hypothesis_settings(derandomize=True, deadline=None)
def test_blocks_are_the_content_in_order(
    tmp_path_factory: pytest.TempPathFactory,
    lines: list[bytes],
    container: Container,
    block_bytes: int,
    last_newline: bool,
) -> None:
    content = b"".join(line + b"\n" for line in lines)
    if not last_newline:
        content = content[:-1]
    path = write(tmp_path_factory.mktemp("blocks"), "recording", stored(content, container))
    blocks, found = read(path, block_bytes)
    expected = content if content.endswith(b"\n") or not content else content + b"\n"
    assert b"".join(block.data for block in found) == expected
    assert all(block.data.endswith(b"\n") for block in found)
    assert blocks.newline_added == (expected != content)
    assert [block.newline_added for block in found] == [False] * (len(found) - 1) + [blocks.newline_added] * bool(found)
    first = 1
    for block in found:
        assert block.first_line == first
        first += block.data.count(b"\n")
    assert blocks.lines == first - 1
    assert blocks.content_bytes == len(content)
    assert blocks.damage == []


@pytest.mark.parametrize("container", Container)
def test_memory_is_bounded_by_blocks(tmp_path: Path, container: Container) -> None:
    content = b"0123456789abcdef\n" * 300_000
    blocks, found = read(write(tmp_path, "long", stored(content, container)), block_bytes=1 << 16)
    assert blocks.container is container
    assert sum(len(block.data) for block in found) == len(content)
    assert max(len(block.data) for block in found) <= (1 << 16) + (1 << 17)


@pytest.mark.parametrize("container", [Container.GZIP, Container.ZSTD])
def test_a_file_cut_anywhere_gives_all_before_the_cut(tmp_path: Path, container: Container) -> None:
    content = incompressible(400)
    whole = stored(content, container)
    delivered: list[int] = []
    for cut in range(5, len(whole), 97):
        blocks, found = read(write(tmp_path, "cut", whole[:cut]))
        data = b"".join(block.data for block in found)
        kept = data[:-1] if blocks.newline_added else data
        assert content.startswith(kept)
        assert reasons(blocks) == [DamageReason.CUT_OFF]
        damage = blocks.damage[0]
        assert damage.offset == len(kept)
        assert damage.line == kept.count(b"\n") + 1
        delivered.append(len(kept))
    assert delivered == sorted(delivered)
    if container is Container.GZIP:
        assert delivered[-1] > 0.9 * len(content)


def test_a_zstandard_file_gives_every_whole_block_before_a_cut(tmp_path: Path) -> None:
    content = incompressible(20_000)
    whole = stored(content, Container.ZSTD)
    blocks, found = read(write(tmp_path, "cut", whole[: len(whole) // 2]))
    kept = b"".join(block.data for block in found)[: blocks.content_bytes]
    assert content.startswith(kept)
    assert len(kept) == blocks.content_bytes == blocks.damage[0].offset
    assert len(kept) % (1 << 17) == 0
    assert len(kept) >= len(content) // 2 - (1 << 17)


@pytest.mark.parametrize("container", [Container.GZIP, Container.ZSTD])
@given(seed=st.integers(0, 10**6), position=st.floats(0.0, 1.0, exclude_max=True), flip=st.integers(1, 255))
@hypothesis_settings(derandomize=True, deadline=None, max_examples=60)
def test_a_corrupt_byte_never_raises(
    tmp_path_factory: pytest.TempPathFactory, container: Container, seed: int, position: float, flip: int
) -> None:
    source = random.Random(seed)
    content = b"".join(b"%d %d\n" % (line, source.randrange(10**6)) for line in range(200))
    data = bytearray(stored(content, container))
    at = int(position * len(data))
    data[at] ^= flip
    blocks, found = read(write(tmp_path_factory.mktemp("corrupt"), "bytes", bytes(data)))
    text = b"".join(block.data for block in found)
    assert text == content or blocks.damage or blocks.container is Container.PLAIN


def test_what_precedes_corrupt_gzip_data_is_recovered(tmp_path: Path) -> None:
    content = incompressible(4_000)
    data = bytearray(stored(content, Container.GZIP))
    middle = len(data) // 2
    data[middle : middle + 64] = bytes(64)
    blocks, found = read(write(tmp_path, "corrupt", bytes(data)))
    text = b"".join(block.data for block in found)
    shared = next(
        (index for index, pair in enumerate(zip(text, content, strict=False)) if pair[0] != pair[1]), len(text)
    )
    assert shared > 0.45 * len(content)
    assert blocks.damage[0].reason in (DamageReason.CORRUPT, DamageReason.CHECKSUM)


@pytest.mark.parametrize("container", [Container.GZIP, Container.ZSTD])
def test_a_wrong_checksum_is_reported_and_everything_delivered(tmp_path: Path, container: Container) -> None:
    content = incompressible(50)
    data = bytearray(stored(content, container))
    data[-5 if container is Container.GZIP else -1] ^= 1
    blocks, found = read(write(tmp_path, "checksum", bytes(data)))
    assert b"".join(block.data for block in found) == content
    assert reasons(blocks) == [DamageReason.CHECKSUM]


@pytest.mark.parametrize("container", [Container.GZIP, Container.ZSTD])
def test_members_in_a_row_are_one_recording(tmp_path: Path, container: Container) -> None:
    data = stored(b"one\ntw", container) + stored(b"", container) + stored(b"o\nthree\n", container)
    blocks, found = read(write(tmp_path, "members", data))
    assert b"".join(block.data for block in found) == b"one\ntwo\nthree\n"
    assert blocks.damage == []


@pytest.mark.parametrize("container", [Container.GZIP, Container.ZSTD])
def test_bytes_behind_the_stream_are_reported(tmp_path: Path, container: Container) -> None:
    blocks, found = read(write(tmp_path, "trailing", stored(b"one\n", container) + b"garbage"))
    assert b"".join(block.data for block in found) == b"one\n"
    assert reasons(blocks) == [DamageReason.TRAILING]


def test_zero_padding_behind_gzip_is_no_damage(tmp_path: Path) -> None:
    blocks, _ = read(write(tmp_path, "padded", stored(b"one\n", Container.GZIP) + bytes(512)))
    assert blocks.damage == []


def test_skippable_zstandard_frames_are_passed_over(tmp_path: Path) -> None:
    skippable = bytes.fromhex("502a4d18") + (3).to_bytes(4, "little") + b"abc"
    data = skippable + stored(b"one\n", Container.ZSTD) + skippable
    blocks, found = read(write(tmp_path, "skippable", data))
    assert blocks.container is Container.ZSTD
    assert [block.data for block in found] == [b"one\n"]
    assert blocks.damage == []
    blocks, _ = read(write(tmp_path, "cut", data[:-1]))
    assert reasons(blocks) == [DamageReason.CUT_OFF]


@pytest.mark.parametrize("size", [0, 1, 255, 256, 65_791, 65_792, 200_000])
@pytest.mark.parametrize("streamed", [False, True])
def test_every_form_of_zstandard_frame_header(tmp_path: Path, size: int, streamed: bool) -> None:
    content = b"x" * size + b"\n"
    compressor = zstandard.ZstdCompressor(write_content_size=not streamed)
    if streamed:
        writer = compressor.compressobj()
        data = writer.compress(content) + writer.flush()
    else:
        data = compressor.compress(content)
    blocks, found = read(write(tmp_path, "frame", data))
    assert b"".join(block.data for block in found) == content
    assert blocks.damage == []


def test_content_that_expands_enormously_stays_bounded(tmp_path: Path) -> None:
    content = b"\n".join([b"a" * 1_000_000] * 40) + b"\n"
    for container in (Container.GZIP, Container.ZSTD):
        blocks, found = read(write(tmp_path, "bomb", stored(content, container)), line_bytes=2_000_000)
        assert max(len(block.data) for block in found) < 1_200_000
        assert blocks.content_bytes == len(content)


@given(lengths=st.lists(st.integers(0, 50), max_size=30), block_bytes=st.integers(1, 200), last_newline=st.booleans())
@hypothesis_settings(derandomize=True, deadline=None)
def test_lines_that_are_too_long_are_skipped_and_reported(
    tmp_path_factory: pytest.TempPathFactory, lengths: list[int], block_bytes: int, last_newline: bool
) -> None:
    limit = 20
    content = b"".join(b"x" * length + b"\n" for length in lengths)
    if not last_newline:
        content = content[:-1]
    path = write(tmp_path_factory.mktemp("long"), "lines", content)
    blocks, found = read(path, block_bytes, limit)
    lines = content.split(b"\n")
    lines = lines[:-1] if not lines[-1] else lines
    kept = [(number, line) for number, line in enumerate(lines, start=1) if len(line) <= limit]
    delivered = [
        (block.first_line + index, line) for block in found for index, line in enumerate(block.data.split(b"\n")[:-1])
    ]
    assert delivered == kept
    long_lines = [number for number, line in enumerate(lines, start=1) if len(line) > limit]
    assert [damage.line for damage in blocks.damage] == long_lines
    starts = [sum(len(line) + 1 for line in lines[: number - 1]) for number in long_lines]
    assert [damage.offset for damage in blocks.damage] == starts
    assert set(reasons(blocks)) <= {DamageReason.LONG_LINE}
    assert blocks.lines == len(lines)


def test_the_container_is_recognised_from_the_content_not_the_name(tmp_path: Path) -> None:
    assert container_of(write(tmp_path, "a.gz", b"plain text\n")) is Container.PLAIN
    assert container_of(write(tmp_path, "a.txt", gzip.compress(b"x"))) is Container.GZIP
    assert container_of(write(tmp_path, "a.log", zstandard.compress(b"x"))) is Container.ZSTD
    assert container_of(write(tmp_path, "empty", b"")) is Container.PLAIN


def test_what_is_no_readable_file_is_missing_input(tmp_path: Path) -> None:
    with pytest.raises(MissingInput, match="cannot be read: No such file"):
        open_blocks(tmp_path / "absent")
    with pytest.raises(MissingInput, match="is a folder; expected a regular file"):
        open_blocks(tmp_path)


def test_the_real_recordings_read_completely(data: Path) -> None:
    counts = {
        "spot_btcusdt": 41_249,
        "usdm_btcusdt": 93_954,
        "cm_btcusd_perp": 48_270,
        "spot_ethusdt": 33_618,
        "usdm_ethusdt": 74_655,
        "cm_ethusd_perp": 40_454,
    }
    for name, lines in counts.items():
        blocks, _ = read(data / "binance-20240808" / f"{name}_20240808.gz", 1 << 20)
        assert (blocks.lines, blocks.damage, blocks.newline_added) == (lines, [], False)
