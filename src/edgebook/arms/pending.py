"""Scored candidates that wait for their outcome, and what is observed when it comes.

What was said of a candidate when it was decided is written down, and it is this that is learned from later: a policy of
today has seen outcomes of its neighbours, and would say of it more than anyone knew.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from edgebook.arms.day_scores import candidate_stakes
from edgebook.policy.heads import shares
from edgebook.policy.indicator_weights import as_text, from_text, in_thousandths
from edgebook.policy.learned_policy import confidence_rank
from edgebook.policy.learners import LEARNERS, twins
from edgebook.policy.market import DAY_MS, NEVER
from edgebook.policy.observed import Observed
from edgebook.policy.record import HEADS
from edgebook.settings.recipes import HEAD_LETTERS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from numpy.typing import NDArray

    from edgebook.policy.market import Market
    from edgebook.policy.policy import Policy, Scores
    from edgebook.policy.record import Record

PENDING_COLUMNS = [
    "pair", "timeframe", "date", "is_short", "regime", *HEAD_LETTERS, "consensus", "confidence", "effect",
    "expected", "base", "rank", "told", "stated", "fitted", "shares",
]  # fmt: skip


@dataclass(frozen=True)
class Scored:
    """Candidates and what was said of them.

    Parameters
    ----------
    frame : DataFrame
        `PENDING_COLUMNS` without the last four, and row, the candidate's row of the market.
    told, stated : mapping of str to ndarray of float64, shape (n,)
        Consensus and probability by learner.
    fitted : ndarray of float64, shape (n, heads), or None
        What the heads said as fitted; None where that is what they said.
    shares : ndarray of float64, shape (n, indicators)
        Each indicator's part of it, to a thousandth.
    """

    frame: pd.DataFrame
    told: Mapping[str, NDArray[np.float64]]
    stated: Mapping[str, NDArray[np.float64]]
    fitted: NDArray[np.float64] | None
    shares: NDArray[np.float64]


def pending_from(
    scores: Scores, market: Market, *, rows: NDArray[np.int64], policy: Policy, record: Record, until: int
) -> Scored:
    """Every candidate of the week that has an entry, with what was said of it.

    Parameters
    ----------
    scores : Scores
        Of the bars `rows`.
    market : Market
    rows : ndarray of int64, shape (n,)
    policy : Policy
        That gave them.
    record : Record
        From which it was made.
    until : int
        Milliseconds UTC; what is entered at or after it is not known yet.
    """
    at, side = np.nonzero(market.plans[policy.exit_plan].open_ms[rows] < min(until, NEVER))
    row = rows[at]
    regime = market.regime[row].astype(np.int64)
    confidence = scores.confidence[at, side]
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
            "base": policy.base[regime, side],
            "rank": confidence_rank(policy, confidence, regime=regime),
            "row": row,
        }
    )
    fitted, parts = _said(policy, market, row=row, side=side)
    told, stated = twins(
        record,
        policy,
        raw=scores.raw[at, :, side],
        fitted=fitted,
        effect=scores.effect[at, side],
        regime=regime,
        side=side,
        patterns=bool(policy.pattern_effects),
    )
    return Scored(frame, told, stated, fitted, parts)


def _said(
    policy: Policy, market: Market, *, row: NDArray[np.int64], side: NDArray[np.int64]
) -> tuple[NDArray[np.float64] | None, NDArray[np.float64]]:
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
    return (np.round(fitted, 4) if policy.indicator_weights else None), in_thousandths(parts)


def observe(
    pending: pd.DataFrame, scored: Scored, market: Market, *, exit_plan: str, since: int, at: int
) -> tuple[Observed, pd.DataFrame, pd.DataFrame]:
    """Part what has closed by a moment from what is still open.

    Parameters
    ----------
    pending : DataFrame
        Of the week before, under `PENDING_COLUMNS`.
    scored : Scored
        Of this week.
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
        All of it, with row, weight, stake and known_at: when the engine closed it; NEVER where that was counted before.
    """
    plan, engine = market.plans[exit_plan], market.simulated[exit_plan]
    old = pending.drop(columns=["told", "stated", "fitted", "shares"]).assign(
        row=[
            market.row(p, t, date=d)
            for p, t, d in zip(pending["pair"], pending["timeframe"], pending["date"], strict=True)
        ]
    )
    whole = pd.concat([old, scored.frame], ignore_index=True) if len(old) else scored.frame
    raw = whole[list(HEAD_LETTERS)].to_numpy(np.float64)
    fitted = _as_fitted(pending["fitted"], scored.fitted, raw)
    parts = np.vstack([from_text(pending["shares"].tolist(), indicators=len(market.indicators)), scored.shares])
    told = _joined(pending["told"], scored.told, names=LEARNERS)
    stated = _joined(pending["stated"], scored.stated, names=LEARNERS)
    row, side = whole["row"].to_numpy(np.int64), whole["is_short"].to_numpy(np.int64)
    settled, learnable = engine.known_at[row, side], plan.known_at[row, side]
    waited = np.arange(len(whole)) < len(old)
    # It waits while the engine or the desk still holds it: the engine's outcome is what the stake on it is paid by, the
    # desk's is what is learned. Whichever comes first was counted in its own week.
    paid = waited & (settled <= since) & (learnable > since)
    learned = waited & (learnable <= since) & (settled > since)
    whole = whole.assign(
        known_at=np.where(paid, NEVER, settled),
        weight=plan.uniqueness[row, side],
        stake=candidate_stakes(whole["consensus"].to_numpy(np.float64)),
    )
    done = (learnable <= at) & ~learned
    waits = (learnable > at) | (settled > at)
    left = whole[waits].assign(
        fitted=np.nan if fitted is None else _as_texts(fitted[waits]),
        shares=as_text(parts[waits]),
        told=_as_texts(np.column_stack([told[name][waits] for name in LEARNERS])),
        stated=_as_texts(np.column_stack([stated[name][waits] for name in LEARNERS])),
    )
    row, side, closed = row[done], side[done], whole[done].assign(known_at=learnable[done])
    seen = Observed(
        row=row,
        day=np.clip((closed["known_at"].to_numpy(np.int64) - since - 1) // DAY_MS, 0, 6),
        regime=closed["regime"].to_numpy(np.int64),
        side=side,
        raw=raw[done],
        fitted=None if fitted is None else fitted[done],
        shares=parts[done],
        consensus=closed["consensus"].to_numpy(np.float64),
        confidence=closed["confidence"].to_numpy(np.float64),
        effect=closed["effect"].to_numpy(np.float64),
        expected=closed["expected"].to_numpy(np.float64),
        base=closed["base"].to_numpy(np.float64),
        told=_present(told, done, running=scored.told),
        stated=_present(stated, done, running=scored.stated),
        rank=closed["rank"].to_numpy(np.float64),
        tag=market.tag[row, side].astype(np.int64),
        won=plan.profit_ratio[row, side] > 0,
        r_multiple=np.round(plan.r_multiple[row, side], 6),
        weight=closed["weight"].to_numpy(np.float64),
    )
    return seen, left[PENDING_COLUMNS].reset_index(drop=True), whole


def _joined(
    texts: pd.Series, fresh: Mapping[str, NDArray[np.float64]], *, names: Sequence[str]
) -> dict[str, NDArray[np.float64]]:
    """Numbers by learner, of those that waited and then of the fresh ones; nan where a learner was not there."""
    old = _numbers(texts, width=len(names))
    count = len(next(iter(fresh.values())))
    nothing = np.full(count, np.nan)
    return {name: np.concatenate([old[:, i], fresh.get(name, nothing)]) for i, name in enumerate(names)}


def _present(
    by_name: Mapping[str, NDArray[np.float64]], done: NDArray[np.bool_], *, running: Collection[str]
) -> dict[str, NDArray[np.float64]]:
    """Learners that run now and were there for every candidate that has closed, if any has."""
    found = {name: values[done] for name, values in by_name.items() if name in running}
    return {name: values for name, values in found.items() if not np.isnan(values).any()}


def _numbers(texts: pd.Series, *, width: int) -> NDArray[np.float64]:
    """Read what `_as_texts` wrote."""
    rows = [[float(part) if part else np.nan for part in text.split(";")] for text in texts]
    return np.array(rows, dtype=np.float64).reshape(len(rows), width)


def _as_fitted(
    texts: pd.Series, fresh: NDArray[np.float64] | None, raw: NDArray[np.float64]
) -> NDArray[np.float64] | None:
    """What the heads said as fitted, nine numbers a row; None where no row has indicator weights."""
    written = texts.notna().to_numpy()
    if not written.any() and fresh is None:
        return None
    found = raw.copy()
    waited = np.flatnonzero(written)
    if len(waited):
        found[waited] = _numbers(texts[written], width=HEADS)
    if fresh is not None:
        found[len(texts) :] = fresh
    return found


def _as_texts(fitted: NDArray[np.float64]) -> list[str]:
    """Numbers of a row in one word, nothing where one is missing."""
    return [";".join("" if x != x else f"{x:.4f}" for x in line) for line in fitted.tolist()]


def no_pending() -> pd.DataFrame:
    """Return the empty frame under `PENDING_COLUMNS`."""
    types: dict[str, type] = {name: np.float64 for name in PENDING_COLUMNS}
    types |= dict.fromkeys(("pair", "timeframe", "told", "stated", "fitted", "shares"), object)
    types |= dict.fromkeys(("date", "is_short", "regime"), np.int64)
    return pd.DataFrame({name: pd.Series(dtype=types[name]) for name in PENDING_COLUMNS})
