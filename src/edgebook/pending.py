"""Scored candidates that wait for their outcome, and what is observed when it comes.

What was said of a candidate when it was decided is written down, and it is this that is learned from later: a policy of
today has seen outcomes of its neighbours, and would say of it more than anyone knew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from edgebook.gate import candidate_stakes
from edgebook.heads import shares
from edgebook.indicator_weights import as_text, from_text
from edgebook.learned_policy import confidence_rank
from edgebook.market import DAY_MS, NEVER
from edgebook.observed import Observed
from edgebook.recipes import HEAD_LETTERS
from edgebook.record import HEADS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgebook.market import Market
    from edgebook.policy import Policy, Scores

PENDING_COLUMNS = [
    "pair", "timeframe", "date", "is_short", "regime", *HEAD_LETTERS, "consensus", "confidence", "effect", "expected",
    "rank", "fitted", "shares",
]  # fmt: skip


def pending_from(
    scores: Scores, market: Market, *, rows: NDArray[np.int64], policy: Policy, until: int
) -> pd.DataFrame:
    """Every candidate of the week that has an entry, with what was said of it.

    Parameters
    ----------
    scores : Scores
        Of the bars `rows`.
    market : Market
    rows : ndarray of int64, shape (n,)
    policy : Policy
        That gave them.
    until : int
        Milliseconds UTC; what is entered at or after it is not known yet.

    Returns
    -------
    DataFrame
        `PENDING_COLUMNS` and row, the candidate's row of the market.
    """
    at, side = np.nonzero(market.plans[policy.exit_plan].open_ms[rows] < min(until, NEVER))
    row = rows[at]
    regime = market.regime[row].astype(np.int64)
    confidence = scores.confidence[at, side]
    fitted, told = _indicator_shares(policy, market, row=row, side=side)
    frame = pd.DataFrame(
        {
            "pair": np.array(market.pairs, dtype=object)[market.pair[row]],
            "timeframe": np.array(market.timeframes, dtype=object)[market.timeframe[row]],
            "date": market.date[row],
            "is_short": side,
            "regime": regime,
            **{letter: scores.raw[at, i, side] for i, letter in enumerate(HEAD_LETTERS)},
            "consensus": scores.consensus[at, side],
            "confidence": confidence,
            "effect": scores.effect[at, side],
            "expected": scores.expected[at, side],
            "rank": confidence_rank(policy, confidence, regime=regime),
            "fitted": fitted,
            "shares": told,
        }
    )
    return frame.assign(row=row)


def _indicator_shares(
    policy: Policy, market: Market, *, row: NDArray[np.int64], side: NDArray[np.int64]
) -> tuple[list[str] | None, list[str]]:
    """What the heads say as fitted, None where that is what they say; and each indicator's part of it."""
    column = {name: i for i, name in enumerate(market.indicators)}
    parts = np.zeros((len(row), len(market.indicators)))
    fitted = np.full((len(row), HEADS), np.nan)
    each = np.arange(len(row))
    for letter, head in policy.heads.items():
        chosen = np.array([column[name] for name in head.indicators])
        values, votes = market.values[np.ix_(row, chosen)], market.votes[np.ix_(row, chosen)]
        mine = shares(head, values, votes=votes)[each, :, side]
        parts[:, chosen] = mine
        awake = np.isnan(values).mean(axis=1) <= 0.5
        fitted[awake, HEAD_LETTERS.index(letter)] = (head.intercept[side] + mine.sum(axis=1))[awake]
    texts: list[str] | None = None
    if policy.indicator_weights:
        texts = [";".join("" if np.isnan(x) else f"{x:.4f}" for x in line) for line in fitted]
    return texts, as_text(parts)


def observe(
    pending: pd.DataFrame, scored: pd.DataFrame, market: Market, *, exit_plan: str, since: int, at: int
) -> tuple[Observed, pd.DataFrame, pd.DataFrame]:
    """Part what has closed by a moment from what is still open.

    Parameters
    ----------
    pending : DataFrame
        Of the week before, under `PENDING_COLUMNS`.
    scored : DataFrame
        Of this week, as `pending_from` gives it.
    market : Market
    exit_plan : str
    since, at : int
        Milliseconds UTC: the Monday at which the week began, and the moment.

    Returns
    -------
    Observed
        What has closed.
    DataFrame
        What is still open, under `PENDING_COLUMNS`.
    DataFrame
        All of it, with row, known_at, weight and stake.
    """
    plan = market.plans[exit_plan]
    old = pending.assign(
        row=[
            market.row(p, t, date=d)
            for p, t, d in zip(pending["pair"], pending["timeframe"], pending["date"], strict=True)
        ]
    )
    whole = pd.concat([old, scored], ignore_index=True) if len(old) else scored.reset_index(drop=True)
    row, side = whole["row"].to_numpy(np.int64), whole["is_short"].to_numpy(np.int64)
    whole["known_at"] = plan.known_at[row, side]
    whole["weight"] = plan.uniqueness[row, side]
    favoured = whole["consensus"].to_numpy(np.float64) > 0
    whole["stake"] = np.round(candidate_stakes(whole["rank"].to_numpy(np.float64)) * favoured, 4)
    done = whole["known_at"].to_numpy() <= at
    row, side, closed = row[done], side[done], whole[done]
    raw = closed[list(HEAD_LETTERS)].to_numpy(np.float64)
    seen = Observed(
        row=row,
        day=np.clip((closed["known_at"].to_numpy(np.int64) - since - 1) // DAY_MS, 0, 6),
        regime=closed["regime"].to_numpy(np.int64),
        side=side,
        raw=raw,
        fitted=_as_fitted(closed["fitted"], raw),
        shares=from_text(closed["shares"].tolist(), indicators=len(market.indicators)),
        consensus=closed["consensus"].to_numpy(np.float64),
        confidence=closed["confidence"].to_numpy(np.float64),
        expected=closed["expected"].to_numpy(np.float64),
        effect=closed["effect"].to_numpy(np.float64),
        rank=closed["rank"].to_numpy(np.float64),
        tag=market.tag[row, side].astype(np.int64),
        won=plan.profit_ratio[row, side] > 0,
        r_multiple=np.round(plan.r_multiple[row, side], 6),
        weight=closed["weight"].to_numpy(np.float64),
    )
    return seen, whole.loc[~done, PENDING_COLUMNS].reset_index(drop=True), whole


def _as_fitted(texts: pd.Series, raw: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """What the heads said as fitted, nine numbers a row; None where no row has indicator weights."""
    written = texts.notna().to_numpy()
    if not written.any():
        return None
    found = raw.copy()
    found[written] = [[float(part) if part else np.nan for part in text.split(";")] for text in texts[written]]
    return found


def no_pending() -> pd.DataFrame:
    """Return the empty frame under `PENDING_COLUMNS`."""
    types = {name: np.float64 for name in PENDING_COLUMNS} | {"pair": object, "timeframe": object}
    types |= {"date": np.int64, "is_short": np.int64, "regime": np.int64, "fitted": object, "shares": object}
    return pd.DataFrame({name: pd.Series(dtype=types[name]) for name in PENDING_COLUMNS})
