"""Reading attributes of a schema's XML elements, with errors that name file, element and what is allowed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn
from xml.etree import ElementTree

from market.errors import Fatal, MissingInput

WIRE = "{urn:tickwire:wire}"
"""Namespace of our own attributes: ``packetType`` and ``alignment`` of a schema."""


def local_name(qualified: str) -> str:
    """A tag or attribute name without its namespace."""
    return qualified.rsplit("}", 1)[-1]


@dataclass(frozen=True)
class Element:
    """An XML element that knows its file, so that what is wrong with it can be said."""

    node: ElementTree.Element
    path: Path
    trail: str

    @property
    def tag(self) -> str:
        return local_name(self.node.tag)

    @property
    def text(self) -> str:
        return (self.node.text or "").strip()

    @property
    def name(self) -> str:
        return self.required("name")

    def children(self, *allowed: str) -> Iterator[Element]:
        """Child elements; Fatal for one whose tag is not allowed here."""
        for node in self.node:
            label = node.get("name")
            child = Element(node, self.path, f"{self.trail}/{local_name(node.tag)}" + (f"[{label}]" if label else ""))
            if child.tag not in allowed:
                child.fail("element is not known here", f"one of {', '.join(allowed)}")
            yield child

    def get(self, attribute: str) -> str | None:
        """An attribute's text without surrounding blanks, or None."""
        value = self.node.get(attribute)
        return None if value is None else value.strip()

    def required(self, attribute: str) -> str:
        """An attribute that must be there and not empty."""
        value = self.get(attribute)
        if not value:
            self.fail(f"attribute {attribute!r} is missing", f"{attribute}=...")
        return value

    def integer(self, attribute: str, default: int | None = None) -> int:
        """A whole number of 0 or more; Fatal if absent and there is no default."""
        value = self.get(attribute)
        if value is None and default is not None:
            return default
        text = self.required(attribute)
        if not text.isdecimal():
            self.fail(f"{attribute}={text!r} is not a number", "a whole number of 0 or more")
        return int(text)

    def one_of(self, attribute: str, allowed: tuple[str, ...], default: str) -> str:
        """An attribute with a fixed set of values."""
        value = self.get(attribute) or default
        if value not in allowed:
            self.fail(f"{attribute}={value!r} is not known", f"one of {', '.join(allowed)}")
        return value

    def fail(self, seen: str, expected: str) -> NoReturn:
        """Raise Fatal for this element."""
        raise Fatal(f"schema {self.path}, {self.trail}: {seen}; expected {expected}")


def parse_root(path: Path) -> Element:
    """The messageSchema element of a file. Raises MissingInput or Fatal."""
    if not path.is_file():
        raise MissingInput(f"schema {path} is not a file; name an SBE schema in XML")
    try:
        node = ElementTree.parse(path).getroot()
    except ElementTree.ParseError as error:
        raise Fatal(f"schema {path} is not well-formed XML: {error}; expected an SBE messageSchema") from error
    root = Element(node, path, local_name(node.tag))
    if root.tag != "messageSchema":
        root.fail("root element is not known", "messageSchema")
    return root
