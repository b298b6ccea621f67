"""The drift section of the learning review: how near each stream came to its limit, the alarms, and what they mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from edgebook.arms.drift import watched
from edgebook.arms.drift_limits import WARMUP_WEEKS
from edgebook.arms.drift_streams import TRADES
from edgebook.loop.drift_week import sealed_drift
from edgebook.arms.drift_words import alarms_of, kind_of, stream_words
from edgebook.settings.params import Drift as Settings
from edgebook.settings.loading import section
from edgebook.pages.report import formatted, prose, table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edgebook.pages.display import Prose, Table
    from edgebook.seals.seals import Seal

LEVELS = [
    "week",
    "champion",
    "stream",
    "kind",
    "count_per_week",
    "level",
    "limit",
    "since",
    "promised",
    "observed",
    "n",
]
ALARMS = ["week", "champion", "stream", "since", "date", "promised", "observed", "count"]
NEAREST = 8


def settings_of(head: Mapping[str, Any]) -> Settings:
    """Settings of the watch under which a week was sealed."""
    return section(Settings, head["settings"].get("drift", {}), where=f"seal.json of {head['as_of']}: drift")


def drift_levels(seals: Sequence[Seal]) -> pd.DataFrame:
    """Where every watched stream stood at the end of every week.

    Parameters
    ----------
    seals : sequence of Seal
        In order.

    Returns
    -------
    DataFrame
        One row a week and stream: week (UTC), champion, stream, kind, count_per_week (effective outcomes), level and
        limit (log likelihood ratio), since (day from which on it falls short, "" at level 0), and since then promised
        and observed (shares of wins; of trades, R) with n (effective outcomes).
    """
    rows = []
    for seal in seals:
        state = sealed_drift(seal.attachments, champion=seal.champion)
        for name, limit in watched(state, settings=settings_of(seal.head)).items():
            walk, scale = state.streams[name].walk, state.streams[name].scale
            unit = state.paid.span if name == TRADES else 1.0
            count = walk.count or np.nan
            rows.append(
                (
                    pd.Timestamp(seal.as_of, tz="UTC"),
                    seal.champion,
                    name,
                    kind_of(name),
                    scale.count_per_week,
                    walk.level,
                    limit,
                    walk.since,
                    unit * walk.promised / count,
                    unit * (walk.promised - walk.shortfall) / count,
                    walk.count,
                )
            )
    return pd.DataFrame(rows, columns=LEVELS)


def drift_alarms(heads: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Every alarm of a history.

    Parameters
    ----------
    heads : sequence of mapping
        seal.json of every week, in order.

    Returns
    -------
    DataFrame
        One row an alarm: week (UTC, the Monday of its seal), champion, stream, since, date, promised, observed (shares
        of wins; of trades, R) and count (effective outcomes).
    """
    rows = [
        (pd.Timestamp(head["as_of"], tz="UTC"), alarm["recipe"], *(alarm[name] for name in ALARMS[2:]))
        for head in heads
        for alarm in alarms_of(head)
    ]
    return pd.DataFrame(rows, columns=ALARMS)


def nearest_table(levels: pd.DataFrame) -> Table:
    """Show the streams that stand nearest to their limit now.

    Parameters
    ----------
    levels : DataFrame
        As `drift_levels` gives it.
    """
    now = levels[levels["week"] == levels["week"].max()]
    shown = now.assign(share=now["level"] / now["limit"]).sort_values(["share", "stream"], ascending=[False, True])
    shown = shown.head(NEAREST).reset_index(drop=True)
    unit = {True: "r", False: "percent"}
    told = {
        name: [formatted(v, unit[s == TRADES]) for v, s in zip(shown[name], shown["stream"], strict=True)]  # type: ignore[arg-type]
        for name in ("promised", "observed")
    }
    columns = ["stream", "count_per_week", "share", "since", "promised", "observed", "n"]
    frame = shown.assign(
        stream=shown["stream"].map(stream_words), since=shown["since"].where(shown["since"] != "", "n/a"), **told
    )
    return table(
        frame[columns].astype({"n": float, "count_per_week": float}),
        caption=f"Nearest to an alarm now, {len(shown)} of {len(now)} streams",
        note="Level: evidence for a fall as a share of the limit; at 100 % it is an alarm. Outcomes that do not "
        "overlap. A head's votes are promised to be right; trades are promised an R.",
        formats={"share": "percent", "n": "integer", "count_per_week": "integer"},
        labels={"count_per_week": "Outcomes a week", "share": "Level", "observed": "Came", "since": "Short since"},
    )


def alarms_table(alarms: pd.DataFrame) -> Table:
    """Show every alarm, the last one first.

    Parameters
    ----------
    alarms : DataFrame
        As `drift_alarms` gives it.
    """
    shown = alarms.iloc[::-1].reset_index(drop=True)
    told = {
        name: [
            formatted(v, "r" if s == TRADES else "percent") for v, s in zip(shown[name], shown["stream"], strict=True)
        ]
        for name in ("promised", "observed")
    }
    frame = shown.assign(stream=[stream_words(name) for name in shown["stream"]], **told)
    columns = ["week", "champion", "stream", "since", "promised", "observed", "count"]
    return table(
        frame[columns].astype({"count": float}),
        caption=f"Drift alarms, n = {len(shown)}",
        note="Dated by the day on which the stream began to fall short; the count is of outcomes that do not overlap.",
        formats={"count": "integer"},
        labels={"week": "Week to", "since": "Short since", "observed": "Came", "count": "n"},
    )


def drift_reading(levels: pd.DataFrame, alarms: pd.DataFrame, *, head: Mapping[str, Any]) -> Prose:
    """Say how many alarms there were against how many chance alone would give, and what to look at.

    Parameters
    ----------
    levels, alarms : DataFrame
        As `drift_levels` and `drift_alarms` give them.
    head : mapping
        seal.json of the week.
    """
    from scipy.stats import poisson

    if levels.empty:
        return prose(
            f"The watch learns for {WARMUP_WEEKS} weeks under one champion before it speaks; no stream is watched yet."
        )
    allowed = settings_of(head).false_alarms_per_year
    weeks = levels["week"].nunique()
    expected = allowed * weeks * 7 / 365.25
    chance = float(poisson.sf(len(alarms) - 1, expected)) if len(alarms) else 1.0
    count = "no alarm" if alarms.empty else "1 alarm" if len(alarms) == 1 else f"{len(alarms)} alarms"
    said = [
        f"{count[:1].upper()}{count[1:]} in {weeks} weeks of watch; without any drift up to {expected:.1f} were to be "
        f"expected ({allowed:g} a year over all streams)."
    ]
    if len(alarms):
        surprise = "more than chance" if chance < 0.05 else "not to be told from chance"
        last = alarms.iloc[-1]
        said.append(
            f"That many or more would come by chance with probability {formatted(chance, 'p')}: {surprise}, though "
            f"alarms of one cause come together. The last: {stream_words(last['stream'])}, week to "
            f"{last['week']:%Y-%m-%d}."
        )
    now = levels[levels["week"] == levels["week"].max()]
    share = now["level"] / now["limit"]
    nearest = now.loc[share.idxmax()]
    said.append(
        f"Nearest now: {stream_words(nearest['stream'])}, at {formatted(float(share.max()), 'percent')} of its limit."
        if share.max() > 0
        else f"None of {len(now)} streams falls short now."
    )
    return prose(" ".join(said))
