"""Outcomes: what became of candidates, and when that was known.

A learner at time t sees the rows with ``known_at <= t`` and no others; everything that reads outcomes goes through
`observed_outcomes`, so that this stands in one place.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

KEY = ["pair", "timeframe", "date", "is_short"]


def known_outcomes(candidates: pd.DataFrame) -> pd.DataFrame:
    """Candidates that have closed, each with the time at which that was known and where it comes from.

    Parameters
    ----------
    candidates : DataFrame
        One exit plan's table of `edgebook.outcomes.candidates.label_candidates`.

    Returns
    -------
    DataFrame
        Its rows without the open ones, in the same order, with two more columns: `known_at` (UTC; the close of the
        exit bar, for a simulated outcome is known once its bar is) and `source`, here "simulated" throughout.

    Examples
    --------
    >>> dates = pd.to_datetime(["2019-01-07 05:00", None], utc=True)
    >>> table = pd.DataFrame({"exit_reason": ["take_profit", "open"], "close_date": dates})
    >>> known_outcomes(table)[["known_at", "source"]].values.tolist()
    [[Timestamp('2019-01-07 05:00:00+0000', tz='UTC'), 'simulated']]
    """
    closed = candidates[candidates["exit_reason"] != "open"].reset_index(drop=True)
    source = pd.Series("simulated", index=closed.index, dtype="str")
    return closed.assign(known_at=closed["close_date"], source=source)


def as_known(outcomes: pd.DataFrame, *, at: pd.Timestamp | None = None) -> pd.DataFrame:
    """One row a candidate: of the versions of its outcome, the one that was in force at a time.

    Parameters
    ----------
    outcomes : DataFrame
        One exit plan's table of known outcomes. Where it holds recorded ones it has `revised_at` (UTC): from when on a
        version is read, missing for the one that holds from the first. Versions of a candidate follow each other.
    at : Timestamp, optional
        UTC; the newest versions by default.

    Returns
    -------
    DataFrame
        The table itself where it has no versions; else a new frame without those that were not in force, without
        candidates that the desk holds open, and without `revised_at` and `snapshot`.

    Notes
    -----
    `known_at` says from when on an outcome may be learned from, `revised_at` from when on this is what is known of it.
    A correction of an outcome that was learned from keeps its `known_at`, so that nobody learns from it twice.

    Examples
    --------
    >>> dates = pd.to_datetime([None, "2019-07-08"], utc=True)
    >>> row = {"pair": "BTC-USD", "timeframe": "1h", "date": dates[1], "is_short": False, "exit_reason": "time_exit"}
    >>> table = pd.DataFrame([row, row]).assign(revised_at=dates, snapshot=dates, r_multiple=[0.5, 0.4])
    >>> [as_known(table, at=pd.Timestamp(day, tz="UTC"))["r_multiple"].item() for day in ("2019-07-01", "2019-07-08")]
    [0.5, 0.4]
    """
    if "revised_at" not in outcomes.columns:
        return outcomes
    known = outcomes if at is None else outcomes[~(outcomes["revised_at"] > at)]
    known = known[~known.duplicated(KEY, keep="last")]
    known = known[known["exit_reason"] != "open"]
    return known.drop(columns=["revised_at", "snapshot"]).reset_index(drop=True)


def observed_outcomes(outcomes: pd.DataFrame, *, at: pd.Timestamp) -> pd.DataFrame:
    """Outcomes that were known by `at`: all that a learner may see then.

    Parameters
    ----------
    outcomes : DataFrame
        One row a candidate, sorted by pair, timeframe, date, is_short; `known_at` (UTC) is when its outcome was known.
    at : Timestamp
        UTC. A row with ``known_at <= at`` is known, a later one is not.

    Returns
    -------
    DataFrame
        A new frame with the same columns, ordered by `known_at`, then as given; its index counts from 0.

    Examples
    --------
    >>> known_at = pd.to_datetime(["2019-01-08", "2019-01-06"], utc=True)
    >>> outcomes = pd.DataFrame({"pair": ["BTC-USD", "ETH-USD"], "known_at": known_at})
    >>> observed_outcomes(outcomes, at=pd.Timestamp("2019-01-07", tz="UTC"))["pair"].tolist()
    ['ETH-USD']
    """
    known = outcomes[outcomes["known_at"] <= at]
    return known.sort_values("known_at", kind="stable", ignore_index=True)


def signal_id(*, pair: str, timeframe: str, date: pd.Timestamp, is_short: bool) -> str:
    """Name of one candidate: the same in every table, ledger and export.

    Parameters
    ----------
    pair, timeframe : str
        Its series.
    date : Timestamp
        UTC close of the decision bar.
    is_short : bool
        Its side.

    Returns
    -------
    str
        Safe in a file name or an address: a slash of the pair becomes a hyphen.

    Examples
    --------
    >>> signal_id(pair="BTC-USD", timeframe="1h", date=pd.Timestamp("2018-04-02 05:00", tz="UTC"), is_short=False)
    'BTC-USD_1h_20180402T0500_long'
    """
    side = "short" if is_short else "long"
    return f"{pair.replace('/', '-')}_{timeframe}_{date:%Y%m%dT%H%M}_{side}"


def signal_ids(candidates: pd.DataFrame) -> pd.Series:
    """Names of many candidates: `signal_id` for each row.

    Parameters
    ----------
    candidates : DataFrame
        With pair, timeframe, date and is_short.

    Returns
    -------
    Series of str
        Named signal_id, on the index of `candidates`.

    Examples
    --------
    >>> date = pd.to_datetime(["2018-04-02 05:00"], utc=True)
    >>> row = pd.DataFrame({"pair": ["ETH/USD"], "timeframe": ["4h"], "date": date, "is_short": [True]})
    >>> signal_ids(row).tolist()
    ['ETH-USD_4h_20180402T0500_short']
    """
    # A table has few distinct times beside its rows, and text is slow: spell each of them once.
    place, dates = pd.factorize(candidates["date"])
    spelled = pd.Series(pd.DatetimeIndex(dates).strftime("%Y%m%dT%H%M"), dtype="str").take(place)
    side = np.where(candidates["is_short"].to_numpy(bool), "_short", "_long")
    names = (
        candidates["pair"].astype("str").str.replace("/", "-", regex=False).to_numpy(object)
        + "_" + candidates["timeframe"].to_numpy(object) + "_" + spelled.to_numpy(object) + side.astype(object)
    )  # fmt: skip
    return pd.Series(names, index=candidates.index, name="signal_id", dtype="str")
