"""What every page of the reports shares: templates, the stylesheet, a link to a report."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edgebook.pages.figures_palette import palette_css

TEMPLATES = Path(__file__).parent / "templates"


def stylesheet() -> str:
    """Return the CSS that every page carries in itself."""
    return palette_css() + (TEMPLATES / "edgebook.css").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Link:
    """A report of the week: title, relative address, its conclusion in one line."""

    title: str
    address: str
    line: str = ""
