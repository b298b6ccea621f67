"""A real browser for the pages: the system's Chromium, driven by playwright. `make test-browser` runs these tests."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest
from watched import NO_BROWSER, SCREENSHOTS, Opened, find_chromium, open_watched

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser


def pytest_configure() -> None:
    """Say in one line what is missing, before anything is collected."""
    if find_spec("playwright") is None:
        raise pytest.UsageError("tests/browser: playwright is not installed; run these tests with `make test-browser`")
    if find_chromium() is None:
        raise pytest.UsageError(f"tests/browser: {NO_BROWSER}")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Headless Chromium."""
    from playwright.sync_api import sync_playwright

    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as driver:
        found = driver.chromium.launch(
            executable_path=find_chromium(), args=["--disable-quic", "--font-render-hinting=none"]
        )
        yield found
        found.close()


@pytest.fixture
def opened(browser: Browser) -> Iterator[Callable[..., Opened]]:
    """Open addresses in contexts of their own; after the test each must have been quiet and have stayed at home."""
    made: list[Opened] = []

    def open_(address: str, **how: object) -> Opened:
        made.append(open_watched(browser, address, **how))  # type: ignore[arg-type]
        return made[-1]

    yield open_
    for one in made:
        one.page.context.close()
    for one in made:
        one.must_be_quiet()
