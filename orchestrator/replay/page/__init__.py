"""The frame of a report: one HTML page with its style and script, filled in by ``report``."""

from __future__ import annotations

from pathlib import Path

_FOLDER = Path(__file__).resolve().parent


def page(**contents: str) -> str:
    """The page with its places filled: each ``{{name}}`` of report.html stands for one of ``contents``."""
    text = (_FOLDER / "report.html").read_text(encoding="utf-8")
    contents["script"] = (_FOLDER / "report.js").read_text(encoding="utf-8")
    for name, content in contents.items():
        text = text.replace("{{" + name + "}}", content)
    return text
