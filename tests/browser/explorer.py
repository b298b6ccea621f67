"""Using the dashboard's explorer as a reader does."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Locator, Page

_SHOWN = """(root) => [...root.querySelectorAll('[data-metric][data-value]')]
    .map((e) => [e.dataset.metric, e.dataset.value, e.textContent.replace(/\\s+/g, ' ').trim()])"""
_ROWS = """([table, key]) => [...document.querySelectorAll(`#${table} tbody tr`)].map((row) => [row.dataset[key],
    Object.fromEntries([...row.querySelectorAll('[data-metric]')].map((e) => [e.dataset.metric, e.dataset.value]))])"""

Row = tuple[str, dict[str, str]]


def shown_numbers(page: Page, where: str = "body") -> list[tuple[str, str, str]]:
    """Metric, value and text of every number that is shown."""
    return [(metric, value, text) for metric, value, text in page.locator(where).evaluate(_SHOWN)]


def rows_shown(page: Page, table: str, *, key: str) -> list[Row]:
    """Name and numbers of every row of the page that is shown."""
    return [(name, numbers) for name, numbers in page.evaluate(_ROWS, [table, key])]


def all_rows(page: Page, table: str, *, key: str) -> list[Row]:
    """Name and numbers of every row, turning the pages."""
    found = rows_shown(page, table, key=key)
    turn = page.locator(f"#{table.removesuffix('-table')}-pages").get_by_role("button", name="Next page")
    while turn.count() and turn.is_enabled():
        turn.click()
        found += rows_shown(page, table, key=key)
    return found


@contextmanager
def another_address(page: Page) -> Iterator[None]:
    """Within it the address changes; afterwards the page shows what it says.

    A browser tells a page of a new address some time after it has it, so what is read at once may still be the old
    view. This listener is added after the page's own, and is called after it.
    """
    page.evaluate(
        "() => { window.followed = false;"
        " addEventListener('hashchange', () => { window.followed = true; }, { once: true }); }"
    )
    yield
    page.wait_for_function("() => window.followed")


def follow(page: Page, link: Locator) -> None:
    """Click a link to another view of the page."""
    with another_address(page):
        link.click()


def go_back(page: Page) -> None:
    """Press the browser's Back within the page."""
    with another_address(page):
        page.go_back()


def go_to(page: Page, address: str) -> None:
    """Open another address within the page, as a link that a colleague sent."""
    with another_address(page):
        page.goto(f"{page.url.partition('#')[0]}#explore&{address}")


def headings(page: Page, table: str = "cells-table") -> dict[str, str | None]:
    """Columns of a table, and how each is sorted."""
    return dict(
        page.locator(f"#{table} thead th").evaluate_all("(all) => all.map((e) => [e.dataset.column, e.ariaSort])")
    )
