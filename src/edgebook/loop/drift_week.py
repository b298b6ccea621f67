"""The drift watch as the loop keeps it: the state comes from the seal before, and goes with its events to the next."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pandas as pd

from edgebook.arms.drift import Drift, observe
from edgebook.arms.drift_words import alarm_events
from edgebook.seals.seal_text import json_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edgebook.policy.market import Market
    from edgebook.policy.observed import Observed
    from edgebook.policy.policy import Policy
    from edgebook.settings.params import Drift as Settings

SEALED_NAME = "drift.json"
"""Path of the state in a seal."""


def sealed_drift(attachments: Mapping[str, str], *, champion: str) -> Drift:
    """The state that a seal carries; a new one where it carries none, or that of another champion."""
    text = attachments.get(SEALED_NAME)
    state = None if text is None else Drift.from_json(json.loads(text))
    return state if state is not None and state.champion == champion else Drift(champion)


def trades_of(closed: Sequence[Mapping[str, Any]], *, champion: str) -> pd.DataFrame:
    """Trades on the champion's own signals, of those that a book closed: close_date, confidence, r_multiple."""
    mine = [row for row in closed if str(row["model_version"]).partition("@")[0] == champion]
    return pd.DataFrame(mine, columns=["close_date", "confidence", "r_multiple"])


def watch_week(
    before: Mapping[str, str],
    seen: Observed,
    *,
    champion: str,
    successor: str,
    policy: Policy,
    closed: Sequence[Mapping[str, Any]],
    market: Market,
    settings: Settings,
    until: int,
) -> tuple[str, list[dict[str, Any]]]:
    """One week of the watch over the champion.

    Parameters
    ----------
    before : mapping of str to str
        Attachments of the seal before.
    seen : Observed
        The champion's candidates that closed in the week.
    champion, successor : str
        Names of the recipes in force during the week and after it; the watch begins anew when they differ.
    policy : Policy
        The champion's, in force when the week began.
    closed : sequence of mapping
        Trades that the account closed in the week; those on the champion's own signals count.
    market : Market
    settings : Settings
        Section `drift` of params.yaml.
    until : int
        Milliseconds UTC, the Monday at which the week ends.

    Returns
    -------
    str
        Text of `SEALED_NAME`.
    list of mapping
        Events of kind "drift".
    """
    state, alarms = observe(
        sealed_drift(before, champion=champion),
        seen,
        market=market,
        policy=policy,
        trades=trades_of(closed, champion=champion),
        settings=settings,
        until=until,
    )
    after = state if successor == champion else Drift(successor)
    return json_text(after.to_json()), alarm_events(alarms, champion=champion)
