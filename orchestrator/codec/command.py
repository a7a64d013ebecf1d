"""``tickwire codec``: decode a message for people, or encode one."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Final

import click

from market.errors import MissingInput, Rejected
from orchestrator.cli.output import Output, with_output
from orchestrator.codec.places import Place, composite_places, message_places
from orchestrator.codec.recognise import Reading, read
from orchestrator.codec.schemas import SHIPPED, schemas
from orchestrator.codec.values import encode_values, reading_values

LARGEST_BYTES: Final = 1 << 20
_IGNORED: Final = str.maketrans("", "", ": \t\r\n,")


@click.command()
@click.argument("message", metavar="HEX|FILE|-")
@click.option("--schema", metavar="NAME|FILE", help=f"One of {', '.join(SHIPPED)}, or an SBE schema in XML.")
@click.option("--packet", is_flag=True, help="The bytes are a packet: its header, then messages.")
@click.option("--encode", is_flag=True, help="Take JSON, as --json prints it, and print hexadecimal digits.")
@with_output
def codec(output: Output, message: str, schema: str | None, packet: bool, encode: bool) -> None:
    """Decode SBE messages: fields with offsets, names of enumerations, groups, decimal numbers.

    Takes hexadecimal digits (blanks, commas and colons are skipped), a file of them or of raw bytes, or standard
    input (-). The schema is recognised among those that Tickwire ships. Ends with 3 if the bytes fit none.

    \b
    tickwire codec 32001127010000002a2e7fbe341f0600...
    tickwire codec trigger.bin --schema tickwire --json
    """
    content = _content(message)
    if encode:
        _encode(output, content, schema)
        return
    payload = _payload(content)
    reading = read(payload, schemas(schema), packet=packet)
    _show(output, reading, payload)


def _content(message: str) -> bytes:
    """What the argument stands for: standard input, a file, or itself."""
    if message == "-":
        content = sys.stdin.buffer.read(LARGEST_BYTES + 1)
    elif _is_file(message):
        try:
            with Path(message).open("rb") as file:
                content = file.read(LARGEST_BYTES + 1)
        except OSError as error:
            raise MissingInput(f"{message} cannot be read: {error.strerror}") from error
    else:
        content = message.encode()
        if not _hex(content) and not message.lstrip().startswith("{"):
            raise MissingInput(f"{_shortened(message)!r} is neither a file nor hexadecimal digits")
    if len(content) > LARGEST_BYTES:
        raise Rejected(f"more than {LARGEST_BYTES:,} bytes: give one packet or message at a time")
    return content


def _is_file(message: str) -> bool:
    try:
        return Path(message).is_file()
    except (OSError, ValueError):
        return False  # Too long for a path, or with characters that no path has.


def _shortened(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:40]}..."


def _hex(content: bytes) -> bytes:
    """The bytes that hexadecimal text stands for; empty if it is no such text."""
    try:
        return bytes.fromhex(content.decode("ascii").translate(_IGNORED).removeprefix("0x"))
    except ValueError:
        return b""


def _payload(content: bytes) -> bytes:
    payload = _hex(content) or content
    if not payload.strip():
        raise Rejected("there are no bytes to decode")
    return payload


def _encode(output: Output, content: bytes, named: str | None) -> None:
    try:
        document = json.loads(content)
    except ValueError as error:
        raise Rejected(f"the input is no JSON: {error}") from error
    named = named or (document.get("schema") if isinstance(document, dict) else None)
    if not isinstance(named, str):
        raise click.UsageError(
            f'--encode needs --schema, or the member "schema": one of {", ".join(SHIPPED)}, or a file'
        )
    (schema,) = schemas(named).values()
    encoded = encode_values(schema, document)
    output.say(encoded.hex())
    output.emit({"schema": named, "hex": encoded.hex(), "bytes": len(encoded)})


def _show(output: Output, reading: Reading, payload: bytes) -> None:
    result = reading_values(reading)
    layout: list[dict[str, Any]] = []
    if reading.packet is not None and reading.schema.packet is not None:
        places = list(composite_places(reading.schema.packet, reading.packet, 0))
        _table(output, f"{reading.kind}, {len(payload):,} bytes", places)
        layout.append({"name": "packet", "offset": 0, "places": _layout(places)})
    for start, message in zip(reading.starts, reading.messages, strict=True):
        places = list(message_places(reading.schema, message, payload, start))
        title = f"{message.name} ({reading.name}, template {message.template_id}), {message.length:,} bytes at {start}"
        _table(output, title, places)
        layout.append({"name": message.name, "offset": start, "places": _layout(places)})
    output.emit({**result, "bytes": len(payload), "layout": layout})


def _table(output: Output, title: str, places: list[Place]) -> None:
    rows = [(place.offset, place.size or "-", place.path, place.text) for place in places]
    output.table(title, ("offset", "bytes", "field", "value"), rows, right=("offset", "bytes"))


def _layout(places: list[Place]) -> list[dict[str, Any]]:
    return [{"offset": place.offset, "bytes": place.size, "field": place.path, "text": place.text} for place in places]
