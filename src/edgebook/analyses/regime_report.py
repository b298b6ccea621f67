"""Numbers of the regime report: shares, spells, transitions, stability."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import stats

from edgebook.files import tables
from edgebook.regimes.regime_hmm import label_bars, rule_settings
from edgebook.regimes.regimes import REGIMES, segment
from edgebook.settings.loading import section
from edgebook.settings.params import Regimes, plain
from edgebook.statistics.intervals import Interval, clusters_of, mean_interval, rate_interval

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgebook.seals.week import Week

SERIES = ["pair", "timeframe"]
_ENDED = pd.Timedelta(days=7)


def segment_week(week: Week, *, regimes: Mapping[str, Any], write: bool) -> pd.DataFrame:
    """Label every bar of a week's table both ways, and hand the labels on to the later stages.

    Parameters
    ----------
    week : Week
        Its bars end at its Monday.
    regimes : mapping
        Section `regimes` of params.yaml.
    write : bool
        Whether data/regimes.parquet is written.

    Returns
    -------
    DataFrame
        As `edgebook.regimes.regime_hmm.label_bars` returns it.
    """
    labelled = label_bars(week.bars, plain(section(Regimes, regimes, where="params.yaml: regimes")))
    if write:
        tables.write(labelled, week.paths.regimes)
    return labelled


def regimes_now(regimes: pd.DataFrame) -> pd.DataFrame:
    """Regime of every series at its last bar, but for those that ended a week and more before the newest.

    Returns
    -------
    DataFrame
        pair, timeframe, regime, since (first bar of the spell), bars (its length so far), trend_z,
        volatility_quantile.
    """
    ended = regimes.groupby(SERIES, observed=True)["date"].transform("max") < regimes["date"].max() - _ENDED
    regimes = regimes[~ended]
    last = spells(regimes).groupby(SERIES, observed=True).tail(1).set_index(SERIES)
    numbers = regimes.groupby(SERIES, observed=True)[["trend_z", "volatility_quantile"]].last()
    now = last.join(numbers).reset_index()
    now = now.astype({"trend_z": float, "volatility_quantile": float})
    return now[[*SERIES, "regime", "since", "bars", "trend_z", "volatility_quantile"]]


def spells(regimes: pd.DataFrame) -> pd.DataFrame:
    """Stretches of bars under one label.

    Parameters
    ----------
    regimes : DataFrame
        Sorted by pair, timeframe, date.

    Returns
    -------
    DataFrame
        One row a spell, in order: pair, timeframe, regime, since (date of its first bar), bars, complete (False for
        the first and the last of a series, whose length is cut), following (regime of the next spell, "" at the end).

    Examples
    --------
    >>> regimes = pd.DataFrame({"pair": "A", "timeframe": "1h", "regime": ["ranging", "ranging", "volatile"],
    ...     "date": pd.date_range("2019-01-07", periods=3, freq="h", tz="UTC")})
    >>> spells(regimes)[["regime", "bars", "complete", "following"]].values.tolist()
    [['ranging', 2, False, 'volatile'], ['volatile', 1, False, '']]
    """
    series = regimes["pair"].str.cat(regimes["timeframe"], sep="\x00")
    starts = np.flatnonzero(series.ne(series.shift()) | regimes["regime"].ne(regimes["regime"].shift()))
    found = regimes.iloc[starts][[*SERIES, "regime", "date"]].rename(columns={"date": "since"}).reset_index(drop=True)
    found["bars"] = np.diff(np.append(starts, len(regimes)))
    place = found.groupby(SERIES, observed=True).cumcount()
    left = found.groupby(SERIES, observed=True).cumcount(ascending=False)
    found["complete"] = (place > 0) & (left > 0)
    following = found["regime"].to_numpy(object)
    found["following"] = np.where(left > 0, np.roll(following, -1), "")
    return found


def shares(regimes: pd.DataFrame) -> pd.DataFrame:
    """Share of bars in each regime, by timeframe.

    Returns
    -------
    DataFrame
        timeframe, regime, share with low and high (95 %, week clusters over all pairs), n (bars).
    """
    rows = []
    for timeframe, own in regimes.groupby("timeframe", observed=True, sort=False):
        weeks = clusters_of(own["date"])
        for regime in REGIMES:
            found = rate_interval((own["regime"] == regime).to_numpy(bool), clusters=weeks)
            rows.append((timeframe, regime, found.value, found.low, found.high, found.n))
    return _ordered(pd.DataFrame(rows, columns=["timeframe", "regime", "share", "low", "high", "n"]).round(6))


def monthly_shares(regimes: pd.DataFrame) -> pd.DataFrame:
    """Share of bars in each regime by month, over all series; one column a regime."""
    opened = regimes["date"] - pd.Timedelta("1ms")  # a bar that closes at midnight belongs to the day before
    month = opened.dt.tz_convert(None).dt.to_period("M").dt.to_timestamp()
    counts = pd.crosstab(month, regimes["regime"]).reindex(columns=list(REGIMES), fill_value=0)
    return counts.div(counts.sum(axis=1), axis=0)


def durations(regimes: pd.DataFrame) -> pd.DataFrame:
    """Lengths of complete spells, by timeframe and regime.

    Returns
    -------
    DataFrame
        timeframe, regime, n (complete spells), median_bars with low and high (95 %, by ranks), p10_bars, p90_bars,
        median_hours (by the clock, with nights and weekends).

    Notes
    -----
    The interval of a median is between two order statistics, their ranks from the binomial distribution: no shape is
    assumed (Conover 1999, section 3.2). Spells are taken as independent.
    """
    found = spells(regimes)
    since = found["since"].to_numpy(dtype="datetime64[ms]").astype(np.int64)
    found["hours"] = (np.roll(since, -1) - since) / 3_600_000  # of a complete spell: up to the next of its series
    rows = []
    for timeframe, own in found.groupby("timeframe", observed=True, sort=False):
        for regime in REGIMES:
            whole = own[own["complete"] & (own["regime"] == regime)]
            bars = np.sort(whole["bars"].to_numpy(np.float64))
            hours = float(np.median(whole["hours"])) if bars.size else np.nan
            low, high = _median_interval(bars)
            middle = np.quantile(bars, [0.5, 0.1, 0.9]) if bars.size else np.full(3, np.nan)
            rows.append((timeframe, regime, bars.size, middle[0], low, high, middle[1], middle[2], hours))
    columns = ["timeframe", "regime", "n", "median_bars", "low", "high", "p10_bars", "p90_bars", "median_hours"]
    return _ordered(pd.DataFrame(rows, columns=columns))


def bar_transitions(regimes: pd.DataFrame) -> pd.DataFrame:
    """Counts of one bar's regime (rows) and the next bar's (columns), over all series."""
    before = regimes.groupby(SERIES, observed=True, sort=False)["regime"].shift()
    counts = pd.crosstab(before, regimes["regime"])
    return counts.reindex(index=list(REGIMES), columns=list(REGIMES), fill_value=0)


def spell_transitions(regimes: pd.DataFrame) -> pd.DataFrame:
    """Counts of one spell's regime (rows) and the next spell's (columns), over all series."""
    found = spells(regimes)
    found = found[found["following"] != ""]
    counts = pd.crosstab(found["regime"], found["following"])
    return counts.reindex(index=list(REGIMES), columns=list(REGIMES), fill_value=0)


def stability(
    bars: pd.DataFrame, regimes: pd.DataFrame, *, settings: Mapping[str, Any], short_bars: int
) -> pd.DataFrame:
    """Switches a week and short spells, beside those of the same rule without hysteresis and least stay.

    Parameters
    ----------
    bars : DataFrame
        That the regimes label.
    regimes : DataFrame
        As `segment` returns it.
    settings : mapping
        The arguments that it was called with.
    short_bars : int
        A complete spell of fewer bars is short.

    Returns
    -------
    DataFrame
        One row a timeframe and rule ("in force", "no hysteresis"): switches_per_week (of one series) with low and
        high, short_spells (share of complete spells) with short_low and short_high, n (complete spells), weeks (pairs
        times weeks).
    """
    enter = {"trend_z_exit": settings["trend_z_enter"], "volatility_exit": settings["volatility_enter"], "min_bars": 1}
    plain_rule = segment(bars, **(rule_settings(settings) | enter))
    rows = [
        switching(labelled, short_bars=short_bars).assign(rule=rule)
        for rule, labelled in (("in force", regimes), ("no hysteresis", plain_rule))
    ]
    columns = [
        "timeframe", "rule", "switches_per_week", "low", "high", "short_spells", "short_low", "short_high", "n",
        "weeks",
    ]  # fmt: skip
    return pd.concat(rows, ignore_index=True)[columns]


def switching(labelled: pd.DataFrame, *, short_bars: int) -> pd.DataFrame:
    """How often labels switch and how long they stay, by timeframe.

    Parameters
    ----------
    labelled : DataFrame
        pair, timeframe, date, regime; sorted by pair, timeframe, date.
    short_bars : int
        A complete spell of fewer bars is short.

    Returns
    -------
    DataFrame
        timeframe, switches_per_week (of one series) with low and high, median_bars (of complete spells) with
        median_low and median_high, short_spells (share of complete spells) with short_low and short_high, n (complete
        spells), weeks (pairs times weeks).
    """
    rows = []
    found = spells(labelled)
    switched = labelled["regime"].ne(labelled.groupby(SERIES, observed=True)["regime"].shift())
    first = ~labelled.duplicated(SERIES)
    marks = labelled.assign(switch=switched & ~first, week=clusters_of(labelled["date"]))
    for timeframe, own in marks.groupby("timeframe", observed=True, sort=False):
        counts = own.groupby(["pair", "week"], observed=True)["switch"].sum()
        rate = mean_interval(
            counts.to_numpy(np.float64), clusters=counts.index.get_level_values("week").to_numpy(np.int64)
        )
        whole = found[found["complete"] & (found["timeframe"] == timeframe)]
        short = rate_interval((whole["bars"] < short_bars).to_numpy(bool), clusters=clusters_of(whole["since"]))
        bars = np.sort(whole["bars"].to_numpy(np.float64))
        middle = float(np.median(bars)) if bars.size else np.nan
        rows.append((timeframe, *_spread(rate), middle, *_median_interval(bars), *_spread(short), short.n, rate.n))
    columns = [
        "timeframe", "switches_per_week", "low", "high", "median_bars", "median_low", "median_high", "short_spells",
        "short_low", "short_high", "n", "weeks",
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=columns).round(6)


def _spread(found: Interval) -> tuple[float, float, float]:
    return found.value, found.low, found.high


def _median_interval(ordered: np.ndarray) -> tuple[float, float]:
    """Order statistics that hold the median with 95 %; missing below six values."""
    rank = int(stats.binom.ppf(0.025, ordered.size, 0.5)) if ordered.size else 0
    return (float(ordered[rank - 1]), float(ordered[ordered.size - rank])) if rank >= 1 else (np.nan, np.nan)


def _ordered(table: pd.DataFrame) -> pd.DataFrame:
    """Rows by timeframe, the shortest first, then in the order of `REGIMES`."""
    place = table["regime"].map({regime: i for i, regime in enumerate(REGIMES)})
    length = table["timeframe"].map(pd.Timedelta)
    order = np.lexsort((place.to_numpy(), length.to_numpy()))
    return table.iloc[order].reset_index(drop=True)
