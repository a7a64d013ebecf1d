"""The frame of a report: one HTML page with its style and script."""

from __future__ import annotations

from pathlib import Path

_FOLDER = Path(__file__).resolve().parent


def page(*, zooms: bool = False, **contents: str) -> str:
    """The page with its places filled: each ``{{name}}`` of page.html stands for one of ``contents``.

    Parameters
    ----------
    zooms: whether it has charts of ``pages.zoomed``.
    """
    text = (_FOLDER / "page.html").read_text(encoding="utf-8")
    contents["script"] = (_FOLDER / "page.js").read_text(encoding="utf-8")
    if zooms:
        contents["script"] += (_FOLDER / "zoom.js").read_text(encoding="utf-8")
    for name, content in contents.items():
        text = text.replace("{{" + name + "}}", content)
    return text
