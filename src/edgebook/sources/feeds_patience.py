"""Asking a server that may be slow, busy or broken: again, ever more slowly, and not forever."""

from __future__ import annotations

import re
import threading
import time
from typing import TYPE_CHECKING, Any, TypeVar

from edgebook.errors import DataError
from edgebook.files.credentials import hidden

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgebook.settings.bar_feed import Feed

FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 1.0, 60.0
"""Between one try and the next, doubled each time; a server that names a longer time gets it."""

SLOW = 4
"""A call that takes so many times `timeout_seconds` has stalled, though a byte may come now and then."""

_ADDRESS = re.compile(r"\S*://\S+")

Answer = TypeVar("Answer")


class Trouble(Exception):
    """A call that failed.

    Parameters
    ----------
    what : str
        In a few words.
    tries : int, optional
        How often such a call is made in all; as often as the feed allows by default, 1 where asking again is useless.
    wait_seconds : float, optional
        How long the server asks to be left alone.
    unlisted : bool, optional
        The server says that it has no such pair.
    """

    def __init__(
        self, what: str, *, tries: int | None = None, wait_seconds: float = 0.0, unlisted: bool = False
    ) -> None:
        super().__init__(what)
        self.what, self.tries, self.wait_seconds, self.unlisted = what, tries, wait_seconds, unlisted


class GaveUpError(DataError):
    """What was wrong did not pass; `pair_only` where others of the same server may still be asked for."""

    def __init__(self, message: str, *, pair_only: bool, unlisted: bool = False) -> None:
        super().__init__(message)
        self.pair_only, self.unlisted = pair_only, unlisted


def patiently(
    call: Callable[[], Answer], *, feed: Feed, where: str, tell: Callable[[str], None], reset: Callable[[], None]
) -> Answer:
    """Call until it answers.

    Parameters
    ----------
    call : callable
        Raises `Trouble` where it fails.
    feed : Feed
        How often, how long a call may take, and how long all tries together (the last may take a call longer).
    where : str
        How messages begin: server and pair.
    tell : callable
        Told, in one line, of each wait.
    reset : callable
        Called after a call that stalled, which is left behind with what it holds.

    Raises
    ------
    GaveUpError
        It failed too often, or for too long, or asking again is useless.
    """
    until = time.monotonic() + feed.patience_seconds
    tried = 0
    while True:
        tried += 1
        try:
            left = max(until - time.monotonic(), feed.timeout_seconds)
            return _within(call, seconds=min(SLOW * feed.timeout_seconds, left), reset=reset)
        except Trouble as trouble:
            allowed = feed.retries + 1 if trouble.tries is None else min(trouble.tries, feed.retries + 1)
            pause = max(min(FIRST_WAIT_SECONDS * 2.0 ** (tried - 1), LONGEST_WAIT_SECONDS), trouble.wait_seconds)
            late = time.monotonic() + pause >= until
            if tried >= allowed or late:
                times = f" {tried} times" if tried > 1 else ""
                asked = f" and asks to wait {trouble.wait_seconds:.0f} s" if trouble.wait_seconds and late else ""
                again = "" if trouble.tries == 1 else "; try again later"
                raise GaveUpError(
                    f"{where}: {trouble.what}{times}{asked}; what was received before is kept{again}",
                    pair_only=trouble.tries is not None,
                    unlisted=trouble.unlisted,
                ) from None
            tell(f"{where}: {trouble.what}; asking again in {pause:.0f} s ({tried} of {feed.retries})")
        time.sleep(pause)


def in_few_words(error: BaseException) -> str:
    """What an exception says, in one line without addresses and secrets."""
    text = " ".join(_ADDRESS.sub("", hidden(str(error))).split())
    return text[:120] or type(error).__name__


def _within(call: Callable[[], Answer], *, seconds: float, reset: Callable[[], None]) -> Answer:
    """Call in a thread, and leave it behind when it takes too long: no library bounds an answer that drips."""
    said: list[Any] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            said.append(call())
        except BaseException as error:  # handed to the caller below
            failed.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(max(seconds, 0.0))
    if failed:
        raise failed[0]
    if not said:
        reset()
        raise Trouble(f"no whole answer within {seconds:.3g} s")
    answer: Answer = said[0]
    return answer
