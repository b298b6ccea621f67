"""A progress bar for work over a few seconds, on a terminal only."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from edgebook.loop.history import Progress


@contextmanager
def bar(what: str) -> Iterator[Callable[[Progress], None]]:
    """Yield a function to call after each week.

    Parameters
    ----------
    what : str
        Shown before the bar.
    """
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from tqdm import tqdm  # type: ignore[import-untyped]

    with tqdm(total=None, desc=what, unit="week", leave=False) as shown:

        def tell(progress: Progress) -> None:
            shown.total = progress.total
            shown.n = progress.number
            shown.set_postfix_str(progress.seal.as_of)
            shown.refresh()

        yield tell


@contextmanager
def count(what: str, *, unit: str) -> Iterator[Callable[[int], None]]:
    """Yield a function to call with how much is done, where nobody knows how much there will be.

    Parameters
    ----------
    what : str
        Shown before the count.
    unit : str
    """
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from tqdm import tqdm

    with tqdm(total=None, desc=what, unit=f" {unit}", leave=False) as shown:
        yield lambda done: shown.update(done - shown.n)
