"""A page that is watched while a test uses it: what it logged, what it asked for, how it looks to everybody."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from edgebook.paths import repository

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Page

SCREENSHOTS = repository() / "scratch" / "screenshots"
PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
NO_BROWSER = "no Chromium found; install it (Debian, Ubuntu: apt install chromium fonts-dejavu-core)"
DESK, PHONE = 1280, 390
"""Widths in pixels at which every page must hold."""


_WIDER = """() => {
    const whole = document.documentElement, width = whole.clientWidth;
    if (whole.scrollWidth <= width) return [];
    const boxed = (e) => e && e !== document.body &&
        (getComputedStyle(e).overflowX !== 'visible' || boxed(e.parentElement));
    const wide = [...document.body.querySelectorAll('*')]
        .filter((e) => e.getBoundingClientRect().right > width + 1 && !boxed(e.parentElement))
        .map((e) => `${e.tagName}.${e.getAttribute('class')} ${Math.round(e.getBoundingClientRect().right)}`);
    return [`page ${whole.scrollWidth}`, ...wide.slice(0, 8)];
}"""


_FAINT = """(least) => {
    const parts = (colour) => colour.match(/[0-9.]+/g).map(Number);
    const light = (colour) => parts(colour).slice(0, 3).map((c) => c / 255)
        .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
        .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
    const behind = (e) => {
        if (!e) return 'rgb(255, 255, 255)';
        const colour = getComputedStyle(e).backgroundColor;
        return (parts(colour)[3] ?? 1) > 0 ? colour : behind(e.parentElement);
    };
    const found = new Set();
    for (const text of document.querySelectorAll('svg[role=img] text')) {
        const fill = getComputedStyle(text).fill;
        if (!fill.startsWith('rgb') || !text.checkVisibility()) continue;
        const [a, b] = [light(fill), light(behind(text.closest('svg')))].sort((x, y) => y - x);
        const ratio = (a + 0.05) / (b + 0.05);
        if (ratio < least) found.add(`${fill} ${ratio.toFixed(2)}: ${text.textContent.trim().slice(0, 30)}`);
    }
    return [...found].slice(0, 8);
}"""


def find_chromium() -> str | None:
    """Where the system's Chromium is, whatever it is called."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


@dataclass
class Opened:
    """One page, and what it did.

    Parameters
    ----------
    page : Page
    address : str
        Where it was opened.
    said : list of str
        Errors and warnings on its console, and exceptions that its script did not catch.
    asked : list of str
        Every address that it requested.
    """

    page: Page
    address: str
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def strangers(self) -> list[str]:
        """Requests that left the page: another file, another host."""
        home = urlsplit(self.address)
        return [
            address
            for address in self.asked
            if not address.startswith(("data:", "blob:"))
            and (home.scheme == "file" or urlsplit(address)[:2] != home[:2])
            and address.partition("#")[0] != self.address.partition("#")[0]
        ]

    def must_be_quiet(self) -> None:
        """Fail if it logged anything or asked for anything but itself."""
        assert self.said == [], self.address
        assert self.strangers() == [], self.address


def open_watched(
    browser: Browser,
    address: str | Path,
    *,
    width: int = DESK,
    height: int = 900,
    scheme: Literal["light", "dark"] = "light",
    motion: Literal["reduce", "no-preference"] = "reduce",
) -> Opened:
    """Open a page in a fresh context; nothing but itself and its own host can be reached.

    Parameters
    ----------
    browser : Browser
    address : str or Path
        Of a server, or a file.
    width, height : int
        Of the window, in pixels.
    scheme : "light" or "dark"
        What the system asks for.
    motion : "reduce" or "no-preference"
    """
    where = address if isinstance(address, str) else address.resolve().as_uri()
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme, reduced_motion=motion
    )
    page = context.new_page()
    found = Opened(page, where)
    page.on("console", lambda told: found.said.append(told.text) if told.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: found.said.append(str(error)))
    page.on("request", lambda request: found.asked.append(request.url))
    page.goto(where, wait_until="load")
    return found


@cache
def _axe() -> str:
    return (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")


def barriers(page: Page, *, at_least: Literal["minor", "serious"] = "minor") -> list[str]:
    """What keeps somebody from using the page, one line an element, by axe-core.

    Parameters
    ----------
    page : Page
    at_least : "minor" or "serious"
        Leave out what weighs less.
    """
    page.evaluate(_axe())
    found: dict[str, Any] = page.evaluate("() => axe.run(document, {resultTypes: ['violations'], elementRef: false})")
    heavy = ("serious", "critical") if at_least == "serious" else ("minor", "moderate", "serious", "critical")
    return [
        f"{one['impact']} {one['id']}: {' '.join(map(str, node['target']))}: "
        f"{node['failureSummary'].splitlines()[-1].strip()}"
        for one in found["violations"]
        if one["impact"] in heavy
        for node in one["nodes"]
    ]


def overflow(page: Page) -> list[str]:
    """Elements that make the page wider than its window; a box that scrolls by itself does not."""
    return page.evaluate(_WIDER)


def cut_off(page: Page) -> list[str]:
    """Boxes that hide a part of what is in them: on paper nobody can scroll."""
    return page.evaluate(
        """() => [...document.body.querySelectorAll('*')]
            .filter((e) => getComputedStyle(e).overflowX !== 'visible' && e.checkVisibility() && e.clientWidth > 1
                && e.scrollWidth > e.clientWidth + 1)
            .map((e) => `${e.tagName}.${e.className} ${e.scrollWidth} in ${e.clientWidth}`)"""
    )


def faint(page: Page, *, least: float = 4.5) -> list[str]:
    """Letters in pictures whose contrast with what lies behind the picture is too small; axe does not look there."""
    return page.evaluate(_FAINT, least)


def picture(page: Page, name: str, *, whole: bool = True) -> None:
    """Keep a picture of the page as a test artefact."""
    page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=whole, animations="disabled")
