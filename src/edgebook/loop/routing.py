"""Which arm acts on a signal in live use: a hash of the signal's name decides, the same on every machine.

With ``ab_test.routing: paired`` the account follows the champion. With ``randomised``, while a challenger is on trial,
the account takes the champion's signals that are routed to A and the challenger's that are routed to B. A name belongs
to a candidate (pair, timeframe, date, side), not to a policy: a signal that both arms give goes to one of them.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from edgebook.arms.book import Order, entry_ms
from edgebook.outcomes.outcomes import signal_id

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edgebook.policy.market import Market
    from edgebook.policy.signals import Signals
    from edgebook.settings.params import AbTest

Letter = Literal["A", "B"]
HEX_DIGITS = 13
"""Of the hash: 52 bits, which a double holds exactly in any language."""
PAIRED = "paired"


def draw(name: str, *, salt: str) -> float:
    """Where a signal falls in [0, 1), uniformly.

    Parameters
    ----------
    name : str
        A signal_id, such as ``BTC-USD_1h_20180402T0500_long``.
    salt : str
        `ab_test.salt`; another one draws anew.

    Notes
    -----
    For a live system in another language: SHA-256 of the UTF-8 bytes of salt, colon, signal_id; the first 13
    hexadecimal digits as a whole number, divided by 16 to the power of 13.

    Examples
    --------
    >>> round(draw("BTC-USD_1h_20180402T0500_long", salt="edgebook"), 6)
    0.907291
    """
    digest = hashlib.sha256(f"{salt}:{name}".encode()).hexdigest()
    return int(digest[:HEX_DIGITS], 16) / 16.0**HEX_DIGITS


def route(name: str, *, salt: str, share: float) -> Letter:
    """Arm of a signal: B, the challenger's, for a share of all names.

    Parameters
    ----------
    name : str
        A signal_id.
    salt : str
    share : float
        Of signals that go to the challenger, between 0 and 1. A larger share keeps whom a smaller one had sent there.

    Examples
    --------
    >>> [route(f"BTC-USD_1h_20180402T0{hour}00_long", salt="edgebook", share=0.5) for hour in range(6)]
    ['A', 'A', 'A', 'B', 'A', 'A']
    """
    return "B" if draw(name, salt=salt) < share else "A"


def version_of(letter: Letter, recipe: str) -> str:
    """Spell `ab_test_version` of a routed signal: ``A:r1`` for the champion's, ``B:r3`` for the challenger's."""
    return f"{letter}:{recipe}"


def unrouted(model_version: str) -> str:
    """Spell `ab_test_version` of a signal that no hash has routed: its arm took every signal it gave.

    Examples
    --------
    >>> unrouted("r1@2019-06-24")
    'paired:r1'
    """
    return f"{PAIRED}:{model_version.partition('@')[0]}"


def first_salt(ab_test: AbTest) -> str:
    """Salt of the draw that says which of two signals is entered first: the lower one."""
    return f"{ab_test.salt}:first"


def account_orders(champion: Signals, challenger: Signals | None, *, market: Market, ab_test: AbTest) -> list[Order]:
    """Signals in the order in which the account takes them.

    Parameters
    ----------
    champion : Signals
    challenger : Signals or None
        Of the arm on trial; None without one.
    market : Market
    ab_test : AbTest

    Returns
    -------
    list of Order
        The champion's as they are when paired or without a challenger. Else each arm's routed part, by time of entry.

    Notes
    -----
    Where both arms enter at one moment they take turns, each in its own order, and a draw of its own says who is first
    (with the salt `first_salt`: by the draw that routes, B's would always be). Their confidences are about different
    exit plans: sorted by them, the arm with the nearer target would get the room.
    """
    if ab_test.routing == PAIRED or challenger is None:
        return [Order(champion, number) for number in range(len(champion.row))]
    queue: list[tuple[int, int, float, Order]] = []
    letters: tuple[Letter, Letter] = ("A", "B")
    for letter, signals in zip(letters, (champion, challenger), strict=True):
        turns: dict[int, int] = {}
        for number in range(len(signals.row)):
            name = _name(signals, market, number=number)
            if route(name, salt=ab_test.salt, share=ab_test.share) != letter:
                continue
            order = Order(signals, number, version_of(letter, signals.policy.recipe))
            moment = entry_ms(order, market)
            turns[moment] = turns.get(moment, -1) + 1
            queue.append((moment, turns[moment], draw(name, salt=first_salt(ab_test)), order))
    return [order for *_, order in sorted(queue, key=lambda item: item[:3])]


def signals_to_trade(
    champion: Sequence[Mapping[str, Any]],
    challenger: Sequence[Mapping[str, Any]] | None,
    *,
    ab_test: AbTest,
) -> list[dict[str, Any]]:
    """Which newest signals a live system acts on, in the order in which it takes them.

    Parameters
    ----------
    champion, challenger : sequence of mapping
        What each policy says of the newest bars, as `live.newest_signals` gives it: with signal_id, is_signal and
        model_version, date and confidence. None without a challenger on trial.
    ab_test : AbTest

    Returns
    -------
    list of dict
        Rows to be traded, each with `ab_test_version`; the same that the account takes once the week is sealed.
        Whether there is room is for the book to say: one position a pair and timeframe.
    """
    chosen = [dict(row) for row in champion if row["is_signal"]]
    if ab_test.routing == PAIRED or challenger is None:
        return [row | {"ab_test_version": unrouted(row["model_version"])} for row in chosen]
    queue: list[tuple[str, int, float, dict[str, Any]]] = []
    letters: tuple[Letter, Letter] = ("A", "B")
    for letter, rows in zip(letters, (chosen, [dict(row) for row in challenger if row["is_signal"]]), strict=True):
        routed = [r for r in rows if route(r["signal_id"], salt=ab_test.salt, share=ab_test.share) == letter]
        turns: dict[str, int] = {}
        for row in sorted(routed, key=lambda r: -r["confidence"]):
            turns[row["date"]] = turns.get(row["date"], -1) + 1
            version = version_of(letter, row["model_version"].partition("@")[0])
            place = (row["date"], turns[row["date"]], draw(row["signal_id"], salt=first_salt(ab_test)))
            queue.append((*place, row | {"ab_test_version": version}))
    return [row for *_, row in sorted(queue, key=lambda item: item[:3])]


def _name(signals: Signals, market: Market, *, number: int) -> str:
    row = int(signals.row[number])
    return signal_id(
        pair=market.pairs[market.pair[row]],
        timeframe=market.timeframes[market.timeframe[row]],
        date=pd.Timestamp(int(market.date[row]), unit="ms"),
        is_short=bool(signals.side[number]),
    )
