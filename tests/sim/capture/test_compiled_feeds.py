"""The compiled decoders agree with the schemas' own on every captured packet."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from market.wire.binary import PACKET_FIRST_ROW, PACKET_ROWS, ROW_TEMPLATE, BinaryBatch, pack
from market.wire.compiled import deribit_multicast
from market.wire.sbe import decode_packet
from sim.capture import read_datagrams
from tests.market.wire.packet_samples import PacketFormat, assert_packet_equals
from tests.market.wire.test_packet_decoders import COINBASE, LEGACY, new_batch


def decoded_batch(form: PacketFormat, captures: list[Path]) -> tuple[BinaryBatch, list[bytes]]:
    """All datagrams of capture files in one batch, each compared with the schema's decoder."""
    payloads = [datagram.payload for capture in captures for datagram in read_datagrams(capture)]
    batch = new_batch(form, len(payloads), 20_000)
    buffer, bounds = pack(payloads)
    assert form.decode_packets(buffer, bounds, batch) == len(payloads)
    for index, payload in enumerate(payloads):
        assert_packet_equals(form, batch, index, int(bounds[index]), decode_packet(form.schema, payload))
    return batch, payloads


def test_deribit_multicast(data: Path) -> None:
    batch, payloads = decoded_batch(LEGACY, sorted((data / "deribit-multicast").glob("*.pcapng")))
    assert len(payloads) == 6390
    rows = batch.rows[: int(batch.packets[:, PACKET_ROWS].sum())]
    counts = dict(zip(*(part.tolist() for part in np.unique(rows[:, ROW_TEMPLATE], return_counts=True)), strict=True))
    assert counts == {1001: 1064, 1002: 332, 1003: 4336, 1004: 322}


def test_the_ticker_precedes_the_book_of_its_packet(data: Path) -> None:
    batch, _ = decoded_batch(LEGACY, [data / "deribit-multicast" / "sample_capture_v1_6.pcapng"])
    templates = batch.rows[:, ROW_TEMPLATE].tolist()
    together = 0
    for first, count in batch.packets[:, [PACKET_FIRST_ROW, PACKET_ROWS]].tolist():
        packet = templates[first : first + count]
        if deribit_multicast.BOOK in packet and deribit_multicast.TICKER in packet:
            assert packet.index(deribit_multicast.TICKER) < packet.index(deribit_multicast.BOOK)
            together += 1
    assert together == 363 + 332


def test_coinbase_derivatives(data: Path) -> None:
    captures = sorted((data / "omi" / "Coinbase" / "MarketDataApi.v1.2").glob("*.pcap"))
    batch, payloads = decoded_batch(COINBASE, captures)
    assert (len(payloads), int(batch.packets[:, PACKET_ROWS].sum())) == (5, 7)


@pytest.mark.parametrize("name", ["price_index", "rfq"])
def test_packets_without_hot_messages_have_no_rows(data: Path, name: str) -> None:
    batch, payloads = decoded_batch(LEGACY, [data / "deribit-multicast" / f"{name}.pcapng"])
    assert payloads
    assert batch.packets[:, PACKET_ROWS].sum() == 0
