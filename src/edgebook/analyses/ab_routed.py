"""The randomised test: what became of live signals that a hash sent to champion or challenger.

It reads the ledger, not the books. A signal counts on the day of its entry, and a day when every routed signal of it
has closed: were a signal counted as soon as it closes, the arm whose winners close first would lead for a while. The
gate does not read this test (docs/decisions.md).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from edgebook.analyses.ab_trials import Comparison, Settings, banded, rounded
from edgebook.analyses.second_opinions import two_proportions
from edgebook.arms.gate import bet
from edgebook.loop.routing import version_of
from edgebook.settings.loading import section
from edgebook.settings.params import AbTest
from edgebook.statistics import intervals
from edgebook.statistics.intervals import Interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgebook.seals.week import Week

SIGNAL_COLUMNS = ["signal_id", "day", "letter", "share", "closed", "r_multiple", "won"]
TESTS = ("betting, looked at weekly", "Welch's t", "two-proportion z")
LEVEL = 0.05
MIN_SIGNALS = 8
"""Of each arm, before Welch's t and the two-proportion z say anything."""


def routing_of_weeks(week: Week) -> dict[str, AbTest]:
    """Routing that was in force in each sealed week, by the Monday at its end.

    Parameters
    ----------
    week : Week
    """
    return {
        head["as_of"]: section(AbTest, head["settings"].get("ab_test", {}), where="seal.json: settings.ab_test")
        for head in week.heads
    }


def routed_signals(week: Week, found: Comparison) -> pd.DataFrame:
    """Signals of the account that a hash routed during a trial.

    Parameters
    ----------
    week : Week
    found : Comparison

    Returns
    -------
    DataFrame
        One row a signal by day of entry, under `SIGNAL_COLUMNS`: letter (A champion, B challenger), share (that went
        to B in that week), closed, r_multiple and won (of a closed one). Empty where none was routed.
    """
    names = {version_of("A", found.against): "A", version_of("B", found.arm): "B"}
    ledger = week.ledger
    if found.kind != "promotion" or ledger.empty:
        return _no_signals()
    since, until = (pd.Timestamp(day, tz="UTC") for day in (found.since, found.until))
    inside = (ledger["open_date"] >= since) & (ledger["open_date"] < until)
    rows = ledger[ledger["ab_test_version"].isin(list(names)) & inside]
    if rows.empty:
        return _no_signals()
    day = rows["open_date"].dt.floor("D")
    ends = (day + pd.to_timedelta(7 - day.dt.day_of_week, unit="D")).dt.strftime("%Y-%m-%d")
    shares = {as_of: routing.share for as_of, routing in routing_of_weeks(week).items()}
    frame = pd.DataFrame(
        {
            "signal_id": rows["signal_id"],
            "day": day,
            "letter": rows["ab_test_version"].map(names),
            "share": ends.map(shares).astype(np.float64),
            "closed": rows["status"] == "closed",
            "r_multiple": rows["r_multiple"].astype(np.float64),
            "won": rows["profit_ratio"].astype(np.float64) > 0,
        }
    )
    return frame.sort_values(["day", "signal_id"], kind="stable").reset_index(drop=True)


def routed_days(signals: pd.DataFrame, *, settings: Settings) -> pd.DataFrame:
    """What both parts of the account earned, day by day, and the wealth of a bettor on the challenger's.

    Parameters
    ----------
    signals : DataFrame
        As `routed_signals` gives it.
    settings : Settings

    Returns
    -------
    DataFrame
        One row a day from the first entry to the last day before one that has an open signal: date, n_a, n_b
        (signals), score (R, the account split in halves), difference (R a day had each arm had every signal),
        wealth.

    Notes
    -----
    With q the share that goes to B, a signal's R counts ``1 / q`` for B and ``-1 / (1 - q)`` for A in `difference`:
    whatever the signals of the day earn, its mean over the draw is what B's would have earned less what A's would
    (Horvitz & Thompson 1952). The score is that times ``2 q (1 - q)``, which keeps it in the account's R, and goes
    through `gate.bet`: bounds and stakes are fixed in advance, and the draw of one signal says nothing of another's,
    so that wealth has no tendency to grow when the arms are alike. False promotions under weekly looks are measured in
    tests/test_ab_routed.py.

    References
    ----------
    Horvitz and Thompson (1952), Journal of the American Statistical Association 47, 663-685.
    """
    if signals.empty:
        return pd.DataFrame(columns=["date", "n_a", "n_b", "score", "difference", "wealth"]).astype(
            dict.fromkeys(["n_a", "n_b"], np.int64) | dict.fromkeys(["score", "difference", "wealth"], np.float64)
        )
    first, last = signals["day"].min(), signals["day"].max()
    waiting = signals.loc[~signals["closed"], "day"]
    end = waiting.min() if len(waiting) else last + pd.Timedelta(days=1)
    days = pd.date_range(first, end, freq="D", inclusive="left")
    done = signals[signals["day"] < end]
    is_b, share, r = (done["letter"] == "B").to_numpy(), done["share"].to_numpy(), done["r_multiple"].to_numpy()
    weight = np.where(is_b, 1 / share, -1 / (1 - share))
    at = ((done["day"] - first) // pd.Timedelta(days=1)).to_numpy(np.int64)

    def total(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(np.bincount(at, weights=values, minlength=len(days)), np.float64)

    score = np.round(total(2 * share * (1 - share) * weight * r), 6)
    alone = replace(settings.gate, book_share=1.0)
    _, wealth = bet(settings.begin_trial(), np.column_stack([score, np.zeros(len(days))]), gate=alone)
    return pd.DataFrame(
        {
            "date": days,
            "n_a": total((~is_b).astype(np.float64)).astype(np.int64),
            "n_b": total(is_b.astype(np.float64)).astype(np.int64),
            "score": score,
            "difference": np.round(total(weight * r), 6),
            "wealth": wealth,
        }
    )


def randomised_test(signals: pd.DataFrame, days: pd.DataFrame, *, settings: Settings) -> pd.DataFrame:
    """The randomised test and two second opinions on the same signals.

    Parameters
    ----------
    signals, days : DataFrame
        As `routed_signals` and `routed_days` give them.
    settings : Settings

    Returns
    -------
    DataFrame
        One row a method of `TESTS`: method, of, n_a, n_b (closed signals), estimate with `_low` and `_high`,
        statistic, limit, promotes (whether it would promote the challenger today). NaN where undefined.

    Notes
    -----
    Betting may be looked at every week; the two others hold for one look that was planned. Their signals count as
    independent, which signals of one week are not quite.
    """
    closed = signals[signals["closed"]]
    r, won = (
        [closed.loc[closed["letter"] == letter, name].to_numpy() for letter in "BA"] for name in ("r_multiple", "won")
    )
    few = min(len(one) for one in r) < MIN_SIGNALS
    mean, t, limit = (intervals.UNDEFINED, np.nan, np.nan) if few else welch(*r)
    rates, z = (intervals.UNDEFINED, np.nan) if few else two_proportions(won[0].astype(bool), won[1].astype(bool))
    gap, wealth = intervals.UNDEFINED, np.nan
    if len(days):
        gap = intervals.mean_interval(days["difference"].to_numpy(), clusters=intervals.clusters_of(days["date"]))
        wealth = float(days["wealth"].iloc[-1])
    reached = bool(len(days)) and bool(days["wealth"].max() >= settings.bar)
    normal = float(stats.norm.ppf(1 - LEVEL / 2))
    sizes = {"n_a": len(r[1]), "n_b": len(r[0])}
    counted = {"n_a": int(days["n_a"].sum()), "n_b": int(days["n_b"].sum())}
    rows = [
        ("R a day", counted, gap, wealth, settings.bar, reached),
        ("R a signal", sizes, mean, t, limit, t > limit),
        ("win rate", sizes, rates, z, normal, z > normal),
    ]
    table = [
        {
            "method": method,
            "of": of,
            **n,
            **banded("estimate", estimate),
            "statistic": statistic,
            "limit": bound,
            "promotes": bool(promotes),
        }
        for method, (of, n, estimate, statistic, bound, promotes) in zip(TESTS, rows, strict=True)
    ]
    return rounded(pd.DataFrame(table))


def welch(first: NDArray[np.float64], second: NDArray[np.float64]) -> tuple[Interval, float, float]:
    """Difference of two means by Welch's t.

    Parameters
    ----------
    first, second : ndarray
        R multiples of closed signals, at least two each.

    Returns
    -------
    Interval, float, float
        First mean less the second with its 95 % interval, t, and the t that promotes; NaN where nothing varies.

    Notes
    -----
    Agrees with ``scipy.stats.ttest_ind(equal_var=False)`` (tests/test_ab_routed.py).

    References
    ----------
    Welch (1947), Biometrika 34, 28-35.
    """
    n = first.size + second.size
    parts = [float(np.var(x, ddof=1)) / x.size for x in (first, second)]
    gap, error = float(first.mean() - second.mean()), float(np.sqrt(sum(parts)))
    if not error > 0:
        return Interval(gap, np.nan, np.nan, n, float(n)), np.nan, np.nan
    freedom = sum(parts) ** 2 / sum(p**2 / (x.size - 1) for p, x in zip(parts, (first, second), strict=True))
    limit = intervals.student(freedom)
    return Interval(gap, gap - limit * error, gap + limit * error, n, float(n)), gap / error, limit


def _no_signals() -> pd.DataFrame:
    types = {"share": np.float64, "closed": bool, "r_multiple": np.float64, "won": bool}
    empty = pd.DataFrame(columns=SIGNAL_COLUMNS).astype(types)
    return empty.assign(day=pd.to_datetime(empty["day"], utc=True))
